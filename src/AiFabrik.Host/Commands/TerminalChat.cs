using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Engine.Text;
using AiFabrik.Host.Http;

namespace AiFabrik.Host.Commands;

/// <summary>What the terminal chat answers with.</summary>
internal sealed record TerminalChatOptions(int MaxTokens, float Temperature, float TopP, long? Seed, string? System, bool Raw);

/// <summary>A conversation in a terminal: what was said stays in memory until the program ends, and is zeroed then.</summary>
internal sealed class TerminalChat : IDisposable
{
    private readonly ServedModel _served;
    private readonly TerminalChatOptions _options;
    private readonly TemplateScratch _template = new();
    private readonly TokenizerScratch _tokenizer = new();
    private readonly int[] _tokens;

    /// <summary>{"messages":[…: grows with the conversation.</summary>
    private readonly MemoryStream _messages = new();
    private readonly MemoryStream _answer = new();

    public TerminalChat(ServedModel served, TerminalChatOptions options)
    {
        _served = served;
        _options = options;
        _tokens = GC.AllocateArray<int>(served.Engine.ContextLen + 1, pinned: true);
        _messages.Write("{\"messages\":["u8);
        if (options.System is { } system) AddMessage("system", Encoding.UTF8.GetBytes(system));
    }

    public async Task<int> RunAsync(string? prompt, CancellationToken cancellation)
    {
        if (prompt == "-") prompt = await Console.In.ReadToEndAsync(cancellation).ConfigureAwait(false);
        if (prompt is not null) return await AnswerAsync(prompt, cancellation).ConfigureAwait(false);
        Console.Error.WriteLine($"Chat with {_served.Id}. An empty line or Ctrl+D ends it.");
        while (!cancellation.IsCancellationRequested)
        {
            Console.Error.Write("> ");
            if (Console.ReadLine() is not { Length: > 0 } line) break;
            var code = await AnswerAsync(line, cancellation).ConfigureAwait(false);
            if (code != 0) return code;
        }
        return 0;
    }

    private async Task<int> AnswerAsync(string prompt, CancellationToken cancellation)
    {
        var count = Tokenize(Encoding.UTF8.GetBytes(prompt));
        if (count >= _served.Engine.ContextLen) throw new CommandFailure($"The conversation is longer than the model's context of {_served.Engine.ContextLen} tokens.");
        var room = _served.Engine.ContextLen - count;
        var status = _served.Engine.TrySubmit(new GenerationRequest
        {
            Prompt = _tokens.AsSpan(0, count),
            MaxTokens = _options.MaxTokens > 0 ? Math.Min(room, _options.MaxTokens) : room,
            Sampling = new SamplingParameters { Temperature = _options.Temperature, TopP = _options.TopP, Seed = _options.Seed is { } seed ? unchecked((ulong)seed) : null },
        }, out var generation);
        if (status != SubmitStatus.Ok || generation is null) throw new CommandFailure($"The engine refuses the prompt: {status}.");
        using (generation)
        {
            var failed = await PrintAsync(generation, cancellation).ConfigureAwait(false);
            if (failed) throw new CommandFailure("The model failed while it answered.");
            Report(generation);
        }
        AddMessage("assistant", _answer.GetBuffer().AsSpan(0, (int)_answer.Length));
        return 0;
    }

    private int Tokenize(byte[] prompt)
    {
        int count;
        if (_options.Raw || _served.Templates is null)
        {
            var used = 0;
            if (_served.Tokenizer is { AddsBos: true, BosId: { } bos }) _tokens[used++] = bos;
            return _served.Tokenizer.TryEncode(prompt, _tokenizer, _tokens.AsSpan(used), out count) ? used + count : int.MaxValue;
        }
        AddMessage("user", prompt);
        var length = _messages.Length;
        _messages.Write("]}"u8);
        var options = new TemplateOptions { BosText = _served.BosText, EosText = _served.EosText, Now = DateTime.Now };
        if (!_served.Templates.TryGet(null, hasTools: false, out var template)) throw new CommandFailure("The model has no default chat template. Use --raw.");
        var status = template.Render(_messages.GetBuffer().AsSpan(0, (int)_messages.Length), in options, _template);
        _messages.SetLength(length);
        if (status != TemplateStatus.Ok) throw new CommandFailure($"The model's chat template refuses the conversation ({status}).");
        return _served.Tokenizer.TryEncode(_template.Text, _template.Runs, _served.ControlFor(template), _tokenizer, _tokens, out count) ? count : int.MaxValue;
    }

    private async Task<bool> PrintAsync(Generation generation, CancellationToken cancellation)
    {
        _answer.SetLength(0);
        using var terminal = Console.OpenStandardOutput();
        var failed = false;
        while (await generation.WaitAsync(cancellation).ConfigureAwait(false))
        {
            while (generation.TryRead(out var e))
            {
                terminal.Write(e.Text);
                _answer.Write(e.Text);
                failed |= e.Finish == FinishReason.Error;
            }
            terminal.Flush();
        }
        terminal.Write("\n"u8);
        return failed;
    }

    private static void Report(Generation generation)
    {
        if (Console.IsErrorRedirected || generation.FirstTokenTimestamp == 0) return;
        var prefill = Stopwatch.GetElapsedTime(generation.QueuedTimestamp, generation.FirstTokenTimestamp);
        var decode = Stopwatch.GetElapsedTime(generation.FirstTokenTimestamp, generation.EndTimestamp);
        var rate = generation.CompletionTokens > 1 && decode > TimeSpan.Zero ? (generation.CompletionTokens - 1) / decode.TotalSeconds : 0;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{generation.PromptTokens} prompt tokens in {prefill.TotalMilliseconds:0} ms, {generation.CompletionTokens} tokens at {rate:0} a second]"));
    }

    private void AddMessage(string role, ReadOnlySpan<byte> content)
    {
        if (_messages.GetBuffer()[_messages.Length - 1] == (byte)'}') _messages.Write(","u8);
        using var writer = new Utf8JsonWriter(_messages, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("role"u8, role);
        writer.WriteString("content"u8, content);
        writer.WriteEndObject();
    }

    public void Dispose()
    {
        _template.Dispose();
        _tokenizer.Dispose();
        Array.Clear(_tokens);
        foreach (var stream in (MemoryStream[])[_messages, _answer])
        {
            Array.Clear(stream.GetBuffer());
            stream.Dispose();
        }
    }
}

using AiFabrik.Compute.Memory;
using AiFabrik.Engine.Text;
using AiFabrik.Host.Http.Requests;
using AiFabrik.Host.Http.Responses;

namespace AiFabrik.Host.Http;

/// <summary>
/// All memory that a request's content touches between the socket and the engine: body, template and tokenizer scratch, token ids, answer log.
/// Pooled; <see cref="Clear"/> zeroes all of it, on every way out.
/// </summary>
internal sealed class RequestMemory : IDisposable
{
    /// <summary>Beside the body: its unescaped prompt, echo and stop strings, which together are no longer than the body.</summary>
    private const int BodyCopies = 2;

    /// <summary>Memory that every request has for its body; content memory is locked, so what a longer one needs is had for that one alone.</summary>
    private const int OwnBodyBytes = 256 * 1024;

    private readonly ContentArena _ownBody = new(OwnBodyBytes);
    private readonly int _bodyBytesMax;
    private ContentArena? _largeBody;

    private readonly int[] _tokens;

    public RequestMemory(HttpLimits limits, ServedModel model)
    {
        Fields = new RequestFields(limits);
        _bodyBytesMax = limits.BodyBytesMax;
        // One more than fits, so that a prompt that is too long is seen as such.
        _tokens = GC.AllocateArray<int>(model.Engine.ContextLen + 1, pinned: true);
        Output = new JsonOutput();
        Writer = new AnswerWriter(Output, model.Tokenizer, model.IdUtf8, limits.ChoicesMax);
    }

    public RequestFields Fields { get; }
    public ContentArena Body => _largeBody ?? _ownBody;
    public TemplateScratch Template { get; } = new();
    public TokenizerScratch Tokenizer { get; } = new();
    public AnswerLog Log { get; } = new();
    public JsonOutput Output { get; }
    public AnswerWriter Writer { get; }
    public int BodyLength { get; set; }
    public int TokenCount { get; set; }

    /// <summary>Where the unescaped prompt of a text completion stands in <see cref="Body"/>.</summary>
    public BodyRange PromptText { get; set; }

    /// <summary>The prompt's text, where a text completion repeats it.</summary>
    public ReadOnlySpan<byte> Echo => Fields.Echo ? PromptText.Of(Body.Bytes(0, Body.Used)) : default;

    public ReadOnlySpan<byte> BodyBytes => Body.Bytes(0, BodyLength);
    public Span<int> Tokens => _tokens;
    public ReadOnlySpan<int> Prompt => _tokens.AsSpan(0, TokenCount);

    /// <summary>Room for a body of this length: the first <see cref="BodyLength"/> bytes are kept.</summary>
    public void ReserveBody(int bytes)
    {
        if (BodyCopies * (long)bytes <= Body.CapacityBytes) return;
        var larger = new ContentArena((int)Math.Max(BodyCopies * (long)bytes, Math.Min(4L * Body.CapacityBytes, BodyCopies * (long)_bodyBytesMax)));
        larger.TryAllocate(BodyLength, out _);
        BodyBytes.CopyTo(larger.Bytes(0, BodyLength));
        Body.Reset();
        _largeBody?.Dispose();
        _largeBody = larger;
    }

    public void Clear()
    {
        _ownBody.Reset();
        _largeBody?.Dispose();
        _largeBody = null;
        Template.Clear();
        Tokenizer.Clear();
        Log.Clear();
        Array.Clear(_tokens);
        Fields.Clear();
        Output.Detach();
        BodyLength = TokenCount = 0;
        PromptText = default;
    }

    public void Dispose()
    {
        Clear();
        _ownBody.Dispose();
        Template.Dispose();
        Tokenizer.Dispose();
        Log.Dispose();
    }
}

/// <summary>Request memories, made when needed, up to a limit, and kept.</summary>
internal sealed class RequestMemoryPool(HttpLimits limits, ServedModel model) : IDisposable
{
    private readonly System.Collections.Concurrent.ConcurrentBag<RequestMemory> _idle = [];
    private int _out;

    /// <summary>Memories in use: 0 when no request is running.</summary>
    public int Out => Volatile.Read(ref _out);

    public bool TryRent(out RequestMemory memory)
    {
        if (Interlocked.Increment(ref _out) > limits.ConcurrentRequestsMax)
        {
            Interlocked.Decrement(ref _out);
            memory = null!;
            return false;
        }
        memory = _idle.TryTake(out var idle) ? idle : new RequestMemory(limits, model);
        return true;
    }

    public void Return(RequestMemory memory)
    {
        memory.Clear();
        _idle.Add(memory);
        Interlocked.Decrement(ref _out);
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var memory)) memory.Dispose();
    }
}

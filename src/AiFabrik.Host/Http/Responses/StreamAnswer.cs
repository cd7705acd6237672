using System.IO.Pipelines;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Http.Requests;

namespace AiFabrik.Host.Http.Responses;

/// <summary>
/// Step 8 as server-sent events (WHATWG HTML, 9.2): a chunk per token whose text is certain, flushed as soon as nothing more waits;
/// a comment line while nothing comes; usage if asked for; [DONE].
/// </summary>
internal static class StreamAnswer
{
    /// <summary>Writes the stream. Returns when the answer or the client has ended.</summary>
    public static async Task RunAsync(HttpContext http, AnswerWriter writer, AnswerKind kind, RequestFields fields, Generation generation, RequestMemory memory)
    {
        var pipe = http.Response.BodyWriter;
        Start(http, writer, kind, fields, kind == AnswerKind.Text ? memory.Echo : default);
        await pipe.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        var heartbeat = TimeSpan.FromSeconds(fields.Limits.HeartbeatSeconds);
        // Only the wait for the first token can be long (queue, prefill). Waits between tokens must not allocate.
        var more = await BeatAsync(generation.WaitAsync(http.RequestAborted).AsTask(), pipe, heartbeat).ConfigureAwait(false);
        for (; more; more = await generation.WaitAsync(http.RequestAborted).ConfigureAwait(false))
        {
            var failed = Drain(generation, writer, kind, fields);
            var flushed = await pipe.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            if (failed || flushed.IsCompleted) break;
        }
        if (http.RequestAborted.IsCancellationRequested) return;
        if (fields.IncludeUsage) UsageChunk(writer, generation);
        writer.Output.Raw("data: [DONE]\n\n"u8);
        await pipe.FlushAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Waits, and says so on the wire from time to time.</summary>
    private static async ValueTask<bool> BeatAsync(Task<bool> waiting, PipeWriter pipe, TimeSpan heartbeat)
    {
        while (await Task.WhenAny(waiting, Task.Delay(heartbeat)).ConfigureAwait(false) != waiting)
        {
            pipe.Write(": keep-alive\n\n"u8);
            await pipe.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        return await waiting.ConfigureAwait(false);
    }

    private static void Start(HttpContext http, AnswerWriter writer, AnswerKind kind, RequestFields fields, ReadOnlySpan<byte> echo)
    {
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        for (var choice = 0; choice < fields.Choices; choice++)
        {
            if (kind == AnswerKind.Chat)
            {
                OpenChoice(writer, choice);
                writer.Output.Raw("\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"u8);
                CloseChoice(writer, fields, default);
            }
            else if (!echo.IsEmpty)
            {
                OpenChoice(writer, choice);
                writer.Output.Raw("\"text\":"u8).Text(echo).Raw(",\"logprobs\":null,"u8);
                CloseChoice(writer, fields, default);
            }
        }
    }

    /// <summary>Writes what has come. True: a choice failed and the stream is over.</summary>
    private static bool Drain(Generation generation, AnswerWriter writer, AnswerKind kind, RequestFields fields)
    {
        while (generation.TryRead(out var e))
        {
            if (e.Finish == FinishReason.Error)
            {
                writer.Output.Raw("data: "u8);
                ErrorWriter.Object(writer.Output, new(ApiErrorKind.Internal, null, "The model failed while it answered. Nothing was kept; try again."));
                writer.Output.Raw("\n\n"u8);
                return true;
            }
            if (e.Finish == FinishReason.Cancelled) return true;
            Chunk(writer, kind, fields, in e);
        }
        return false;
    }

    public static void Chunk(AnswerWriter writer, AnswerKind kind, RequestFields fields, in GenerationEvent e)
    {
        var showsToken = fields.Logprobs && e.Token >= 0;
        if (e.Text.Length > 0 || showsToken)
        {
            OpenChoice(writer, e.Choice);
            writer.Output.Raw(kind == AnswerKind.Chat ? "\"delta\":{\"content\":"u8 : "\"text\":"u8).Text(e.Text);
            writer.Output.Raw(kind == AnswerKind.Chat ? "},\"logprobs\":"u8 : ",\"logprobs\":"u8);
            if (showsToken) Logprobs(writer, kind, in e);
            else writer.Output.Raw("null"u8);
            writer.Output.Raw(","u8);
            CloseChoice(writer, fields, default);
        }
        if (e.Finish == FinishReason.None) return;
        OpenChoice(writer, e.Choice);
        writer.Output.Raw(kind == AnswerKind.Chat ? "\"delta\":{},\"logprobs\":null,"u8 : "\"text\":\"\",\"logprobs\":null,"u8);
        CloseChoice(writer, fields, FinishNames.Of(e.Finish));
    }

    private static void Logprobs(AnswerWriter writer, AnswerKind kind, in GenerationEvent e)
    {
        var token = new AnswerToken { Choice = e.Choice, Token = e.Token, Logprob = e.Logprob, TopLogprobs = e.TopLogprobs, Text = e.Text };
        if (kind == AnswerKind.Chat)
        {
            writer.Output.Raw("{\"content\":["u8);
            writer.ChatLogprob(in token);
            writer.Output.Raw("],\"refusal\":null}"u8);
            return;
        }
        writer.Output.Raw("{\"tokens\":["u8);
        writer.TokenText(e.Token);
        writer.Output.Raw("],\"token_logprobs\":["u8).Number(e.Logprob).Raw("],\"top_logprobs\":["u8);
        writer.TopLogprobMap(in token);
        writer.Output.Raw("],\"text_offset\":["u8).Number((long)writer.TextOffsets[e.Choice]).Raw("]}"u8);
        writer.TextOffsets[e.Choice] += AnswerWriter.Characters(e.Text);
    }

    private static void OpenChoice(AnswerWriter writer, int choice)
    {
        writer.Output.Raw("data: "u8);
        writer.Head(isChunk: true);
        writer.Output.Raw("\"choices\":[{\"index\":"u8).Number((long)choice).Raw(","u8);
    }

    private static void CloseChoice(AnswerWriter writer, RequestFields fields, ReadOnlySpan<byte> finish)
    {
        writer.FinishReason(finish);
        writer.Output.Raw(fields.IncludeUsage ? "}],\"usage\":null}\n\n"u8 : "}]}\n\n"u8);
    }

    private static void UsageChunk(AnswerWriter writer, Generation generation)
    {
        writer.Output.Raw("data: "u8);
        writer.Head(isChunk: true);
        writer.Output.Raw("\"choices\":[],"u8);
        writer.Usage(generation.PromptTokens, generation.CompletionTokens);
        writer.Output.Raw("}\n\n"u8);
    }

    private static void Write(this PipeWriter pipe, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(pipe.GetSpan(bytes.Length));
        pipe.Advance(bytes.Length);
    }
}

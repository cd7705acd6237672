using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Http.Requests;
using AiFabrik.Host.Http.Responses;

namespace AiFabrik.Host.Http.Endpoints;

/// <summary>
/// POST /v1/chat/completions and POST /v1/completions. The way of a request:
/// 1 receive (Kestrel, wiping pool) · 2 gate (comes with accounts) · 3 read: the body goes into the request's arena, fields are checked ·
/// 4 render and tokenize · 5 hold (comes with accounts) · 6 enqueue, bounded · 7 prefill, decode, sample (the engine's thread) ·
/// 8 write, straight into the response's pipe · 9 settle (comes with accounts) · 10 zero, in <c>finally</c>, however it ended.
/// </summary>
internal sealed class GenerationEndpoint(ServedModel model, RequestMemoryPool memories, HttpLimits limits)
{
    /// <summary>Tokens of a text completion whose request names no limit (OpenAI's default).</summary>
    private const int TextMaxTokensDefault = 16;

    public Task ChatAsync(HttpContext http) => HandleAsync(http, AnswerKind.Chat);

    public Task TextAsync(HttpContext http) => HandleAsync(http, AnswerKind.Text);

    private async Task HandleAsync(HttpContext http, AnswerKind kind)
    {
        if (!memories.TryRent(out var memory))
        {
            await ErrorWriter.WriteAsync(http, new JsonOutput(), QueueFull()).ConfigureAwait(false);
            return;
        }
        Generation? generation = null;
        try
        {
            // 3
            var error = await BodyReader.ReadAsync(http, memory, limits).ConfigureAwait(false);
            if (http.RequestAborted.IsCancellationRequested) return;
            if (!error.IsError) error = Read(memory, kind);
            // 4
            if (!error.IsError) error = kind == AnswerKind.Chat ? PromptBuilder.Chat(model, memory) : PromptBuilder.Text(model, memory);
            // 6
            if (!error.IsError) error = Submit(memory, kind, out generation);
            if (error.IsError)
            {
                await ErrorWriter.WriteAsync(http, memory.Output, error, Detail(error, memory)).ConfigureAwait(false);
                return;
            }
            // 7, 8
            await AnswerAsync(http, kind, memory, generation!).ConfigureAwait(false);
        }
        finally
        {
            // 10
            generation?.Dispose();
            memories.Return(memory);
        }
    }

    /// <summary>What a template said when it refused is content: it goes into the answer and nowhere else.</summary>
    private static ReadOnlySpan<byte> Detail(ApiError error, RequestMemory memory) =>
        error.Kind == ApiErrorKind.TemplateRefused ? memory.Template.ErrorText : default;

    private ApiError Read(RequestMemory memory, AnswerKind kind)
    {
        var fields = memory.Fields;
        var error = JsonFaults.Check(memory.BodyBytes, limits);
        if (error.IsError) return error;
        error = (kind == AnswerKind.Chat ? CompletionFields.Chat : CompletionFields.Text).Read(memory.BodyBytes, fields);
        if (error.IsError) return error;
        if (!fields.HasModel) return ApiError.Missing("model");
        if (!fields.Model.Of(memory.BodyBytes).SequenceEqual(model.IdUtf8)) return ModelsEndpoint.NotFound(model);
        if (kind == AnswerKind.Chat && fields.TopLogprobs > 0 && !fields.Logprobs) return ApiError.Invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
        if (fields.IncludeUsage && !fields.Stream) return ApiError.Invalid("stream_options", "'stream_options' is allowed only when 'stream' is true.");
        if (fields.MaxTokens is { } most && fields.MinTokens > most) return ApiError.Invalid("min_tokens", "'min_tokens' must not be above 'max_tokens'.");
        return VocabularyError(fields);
    }

    private ApiError VocabularyError(RequestFields fields)
    {
        var vocabulary = model.Loaded.Program.VocabSize;
        foreach (var id in fields.BiasTokens.AsSpan(0, fields.BiasCount))
            if (id >= vocabulary) return ApiError.Invalid("logit_bias", $"Invalid value for 'logit_bias': token ids must be below {vocabulary}.");
        foreach (var id in fields.StopTokens.AsSpan(0, fields.StopTokenCount))
            if (id >= vocabulary) return ApiError.Invalid("stop_token_ids", $"Invalid value for 'stop_token_ids': token ids must be below {vocabulary}.");
        return ApiError.None;
    }

    private ApiError Submit(RequestMemory memory, AnswerKind kind, out Generation? generation)
    {
        var fields = memory.Fields;
        generation = null;
        var room = model.Engine.ContextLen - memory.TokenCount;
        var maxTokens = Math.Min(room, fields.MaxTokens ?? (kind == AnswerKind.Chat ? room : TextMaxTokensDefault));
        if (!fields.Stream && !AnswerLog.Fits((long)maxTokens * fields.Choices, fields.TopLogprobs, model.TokenBytesMax))
            return ApiError.Invalid("max_tokens", "An answer of this size has to be streamed: set 'stream' to true, or lower 'max_tokens', 'n' or 'top_logprobs'.");
        Span<LogitBias> biases = stackalloc LogitBias[fields.BiasCount];
        for (var i = 0; i < fields.BiasCount; i++) biases[i] = new(fields.BiasTokens[i], fields.BiasValues[i]);
        Span<Range> stops = stackalloc Range[fields.StopStringCount];
        for (var i = 0; i < fields.StopStringCount; i++)
        {
            var stop = PromptBuilder.Unescape(memory, fields.StopStrings[i]);
            stops[i] = stop.Start..(stop.Start + stop.Length);
        }
        var status = model.Engine.TrySubmit(new GenerationRequest
        {
            Prompt = memory.Prompt,
            MaxTokens = maxTokens,
            MinTokens = Math.Min(fields.MinTokens, maxTokens),
            N = fields.Choices,
            Sampling = Sampling(fields),
            LogitBias = biases,
            StopTokenIds = fields.StopTokens.AsSpan(0, fields.StopTokenCount),
            StopBytes = memory.Body.Bytes(0, memory.Body.Used),
            StopStrings = stops,
            IgnoreEos = fields.IgnoreEos,
            Logprobs = fields.Logprobs,
            TopLogprobs = fields.TopLogprobs,
        }, out generation);
        biases.Clear();
        return status switch
        {
            SubmitStatus.Ok => ApiError.None,
            SubmitStatus.QueueFull => QueueFull(),
            SubmitStatus.Draining => new(ApiErrorKind.Draining, null, "The server is shutting down and takes no more requests."),
            SubmitStatus.PromptTooLong => new(ApiErrorKind.ContextLengthExceeded, kind == AnswerKind.Chat ? "messages" : "prompt", $"This model's maximum context length is {model.Engine.ContextLen} tokens."),
            SubmitStatus.NeverFits => ApiError.Invalid("n", "The request is beyond this server's limits ('aifabrik doctor' prints them)."),
            _ => new(ApiErrorKind.Internal, null, "The model stopped after an error. Restart the server."),
        };
    }

    private static SamplingParameters Sampling(RequestFields fields) => new()
    {
        Temperature = fields.Temperature,
        TopK = fields.TopK,
        TopP = fields.TopP,
        MinP = fields.MinP,
        TypicalP = fields.TypicalP,
        RepetitionPenalty = fields.RepetitionPenalty,
        PresencePenalty = fields.PresencePenalty,
        FrequencyPenalty = fields.FrequencyPenalty,
        Seed = fields.Seed is { } seed ? unchecked((ulong)seed) : null,
    };

    private static async Task AnswerAsync(HttpContext http, AnswerKind kind, RequestMemory memory, Generation generation)
    {
        var fields = memory.Fields;
        memory.Writer.Begin(kind, memory.Echo);
        memory.Output.Attach(http.Response.BodyWriter);
        if (fields.Stream)
        {
            await StreamAnswer.RunAsync(http, memory.Writer, kind, fields, generation, memory).ConfigureAwait(false);
            return;
        }
        var (complete, error) = await WholeAnswer.CollectAsync(generation, memory.Log, http.RequestAborted).ConfigureAwait(false);
        if (error.IsError) await ErrorWriter.WriteAsync(http, memory.Output, error).ConfigureAwait(false);
        if (!complete) return;
        http.Response.ContentType = "application/json";
        WholeAnswer.Write(memory.Writer, kind, fields, memory.Log, generation, memory.Echo);
        await http.Response.BodyWriter.FlushAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private static ApiError QueueFull() => new(ApiErrorKind.QueueFull, null, "The server is busy: its queue is full. Try again shortly.");
}

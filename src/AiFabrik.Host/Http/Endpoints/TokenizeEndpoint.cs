using AiFabrik.Host.Http.Requests;
using AiFabrik.Host.Http.Responses;

namespace AiFabrik.Host.Http.Endpoints;

/// <summary>POST /v1/tokenize: the ids that a prompt or a chat would have. POST /v1/detokenize: the text of ids. Nothing runs on the model.</summary>
internal sealed class TokenizeEndpoint(ServedModel model, RequestMemoryPool memories, HttpLimits limits)
{
    public Task TokenizeAsync(HttpContext http) => HandleAsync(http, TokenizeFields.Tokenize, Tokenize);

    public Task DetokenizeAsync(HttpContext http) => HandleAsync(http, TokenizeFields.Detokenize, Detokenize);

    private async Task HandleAsync(HttpContext http, FieldTable table, Func<RequestMemory, HttpContext, ApiError> answer)
    {
        if (!memories.TryRent(out var memory))
        {
            await ErrorWriter.WriteAsync(http, new JsonOutput(), new(ApiErrorKind.QueueFull, null, "The server is busy. Try again shortly.")).ConfigureAwait(false);
            return;
        }
        try
        {
            var error = await BodyReader.ReadAsync(http, memory, limits).ConfigureAwait(false);
            if (http.RequestAborted.IsCancellationRequested) return;
            if (!error.IsError) error = JsonFaults.Check(memory.BodyBytes, limits);
            if (!error.IsError) error = table.Read(memory.BodyBytes, memory.Fields);
            if (!error.IsError && memory.Fields.HasModel && !memory.Fields.Model.Of(memory.BodyBytes).SequenceEqual(model.IdUtf8)) error = ModelsEndpoint.NotFound(model);
            if (!error.IsError) error = answer(memory, http);
            if (error.IsError) await ErrorWriter.WriteAsync(http, memory.Output, error).ConfigureAwait(false);
            else await http.Response.BodyWriter.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            memories.Return(memory);
        }
    }

    private ApiError Tokenize(RequestMemory memory, HttpContext http)
    {
        if (!memory.Fields.HasMessages && memory.Fields.PromptKind == PromptKind.None) return ApiError.Missing("prompt");
        var error = memory.Fields.HasMessages ? PromptBuilder.Chat(model, memory) : PromptBuilder.Plain(model, memory);
        if (error.IsError) return error;
        var output = Begin(memory, http).Raw("{\"count\":"u8).Number((long)memory.TokenCount);
        output.Raw(",\"max_model_len\":"u8).Number((long)model.Engine.ContextLen).Raw(",\"tokens\":["u8);
        for (var i = 0; i < memory.TokenCount; i++)
        {
            if (i > 0) output.Raw(","u8);
            output.Number((long)memory.Tokens[i]);
        }
        output.Raw("]}"u8);
        return ApiError.None;
    }

    private ApiError Detokenize(RequestMemory memory, HttpContext http)
    {
        if (memory.Fields.PromptKind == PromptKind.None) return ApiError.Missing("tokens");
        var error = PromptBuilder.Ids(model, memory, "tokens", allowEmpty: true);
        if (error.IsError) return error;
        var output = Begin(memory, http).Raw("{\"prompt\":\""u8);
        var decoder = model.Tokenizer.CreateDecoder();
        Span<byte> text = stackalloc byte[512];
        for (var i = 0; i < memory.TokenCount; i++)
            if (decoder.TryAppend(memory.Tokens[i], text, out var written)) output.TextInside(text[..written]);
        if (decoder.TryFlush(text, out var rest)) output.TextInside(text[..rest]);
        text.Clear();
        decoder.Reset();
        output.Raw("\"}"u8);
        return ApiError.None;
    }

    private static JsonOutput Begin(RequestMemory memory, HttpContext http)
    {
        http.Response.ContentType = "application/json";
        memory.Output.Attach(http.Response.BodyWriter);
        return memory.Output;
    }
}

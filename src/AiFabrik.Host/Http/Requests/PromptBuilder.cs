using System.Text.Json;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Http.Requests;

/// <summary>Step 4 of a request's way: from the body's ranges to token ids, in the request's own memory.</summary>
internal static class PromptBuilder
{
    /// <summary>Renders the chat template over the body and tokenizes what it made. Control tokens come from the template's text alone.</summary>
    public static ApiError Chat(ServedModel model, RequestMemory memory)
    {
        if (!memory.Fields.HasMessages) return ApiError.Missing("messages");
        if (model.Templates is not { } templates) return new(ApiErrorKind.Unsupported, "messages", "This model has no chat template. Use /v1/completions.");
        var options = new TemplateOptions { BosText = model.BosText, EosText = model.EosText, Now = DateTime.Now };
        if (!templates.TryGet(null, memory.Fields.HasTools, out var template)) return new(ApiErrorKind.Unsupported, "messages", "This model has no default chat template.");
        var status = template.Render(memory.BodyBytes, in options, memory.Template);
        if (status != TemplateStatus.Ok) return Refusal(status, memory);
        var ok = model.Tokenizer.TryEncode(memory.Template.Text, memory.Template.Runs, model.ControlFor(template), memory.Tokenizer, memory.Tokens, out var count);
        return Counted(model, memory, ok, count, "messages");
    }

    /// <summary>A text completion's prompt: text (a BOS in front where the model wants one) or ids.</summary>
    public static ApiError Text(ServedModel model, RequestMemory memory)
    {
        if (memory.Fields.PromptKind == PromptKind.None) return ApiError.Missing("prompt");
        if (memory.Fields.PromptKind == PromptKind.TokenIds) return Ids(model, memory, "prompt");
        var text = Unescape(memory, memory.Fields.Prompt);
        memory.PromptText = text;
        var used = 0;
        if (model.Tokenizer is { AddsBos: true, BosId: { } bos }) memory.Tokens[used++] = bos;
        var ok = model.Tokenizer.TryEncode(text.Of(memory.Body.Bytes(0, memory.Body.Used)), memory.Tokenizer, memory.Tokens[used..], out var count);
        return Counted(model, memory, ok, count + used, "prompt");
    }

    /// <summary>Unescapes a raw string of the body behind it.</summary>
    public static BodyRange Unescape(RequestMemory memory, BodyRange raw)
    {
        memory.Body.TryAllocate(raw.Length, out var at, alignment: 1);
        var length = JsonStrings.Unescape(memory.Body.Bytes(raw.Start, raw.Length), memory.Body.Bytes(at, raw.Length));
        return new(at, length);
    }

    /// <summary>A text's own ids, nothing added.</summary>
    public static ApiError Plain(ServedModel model, RequestMemory memory)
    {
        var text = Unescape(memory, memory.Fields.Prompt);
        var ok = model.Tokenizer.TryEncode(text.Of(memory.Body.Bytes(0, memory.Body.Used)), memory.Tokenizer, memory.Tokens, out var count);
        return Counted(model, memory, ok, count, "prompt", allowEmpty: true);
    }

    /// <summary>An array of token ids.</summary>
    public static ApiError Ids(ServedModel model, RequestMemory memory, string param, bool allowEmpty = false)
    {
        var reader = new Utf8JsonReader(memory.Fields.Prompt.Of(memory.BodyBytes));
        reader.Read();
        var count = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            FieldParsers.Integer(ref reader, param, 0, int.MaxValue, out var id);
            if (id >= model.Tokenizer.VocabSize) return ApiError.Invalid(param, $"Invalid value for '{param}': token ids must be below {model.Tokenizer.VocabSize}.");
            if (count == memory.Tokens.Length) return TooLong(model, param);
            memory.Tokens[count++] = (int)id;
        }
        return Counted(model, memory, true, count, param, allowEmpty);
    }

    private static ApiError Counted(ServedModel model, RequestMemory memory, bool fits, int count, string param, bool allowEmpty = false)
    {
        if (!fits || count >= model.Engine.ContextLen) return TooLong(model, param);
        if (count == 0 && !allowEmpty) return ApiError.Invalid(param, $"Invalid value for '{param}': the prompt is empty.");
        memory.TokenCount = count;
        return ApiError.None;
    }

    private static ApiError TooLong(ServedModel model, string param) =>
        new(ApiErrorKind.ContextLengthExceeded, param, $"This model's maximum context length is {model.Engine.ContextLen} tokens, prompt and answer together. Please shorten the {param}.");

    private static ApiError Refusal(TemplateStatus status, RequestMemory memory) => status switch
    {
        TemplateStatus.Refused => new(ApiErrorKind.TemplateRefused, "messages", "The model's chat template refuses these messages."),
        TemplateStatus.InvalidRequest => ApiError.Invalid("messages", "The chat request is contradictory or incomplete."),
        TemplateStatus.LimitExceeded => ApiError.Invalid("messages", "Rendering these messages would exceed the chat template's limits."),
        _ => new(ApiErrorKind.TemplateRefused, "messages", "The model's chat template cannot render these messages."),
    };
}

using System.Text.Json;

namespace AiFabrik.Host.Http.Requests;

/// <summary>The fields of POST /v1/chat/completions and POST /v1/completions (OpenAI's API reference; the last group is vLLM's extensions).</summary>
internal static class CompletionFields
{
    private static readonly FieldTable.Row[] Shared =
    [
        new("model", Model),
        new("stream", static (ref r, f, n) => FieldParsers.Bool(ref r, n, out f.Stream)),
        new("stream_options", StreamOptions),
        new("max_tokens", static (ref r, f, n) => Limit(ref r, f, n)),
        new("n", static (ref r, f, n) => Int(ref r, n, 1, f.Limits.ChoicesMax, out f.Choices)),
        new("seed", Seed),
        new("stop", FieldParsers.Stop),
        new("temperature", static (ref r, f, n) => FieldParsers.Number(ref r, n, 0, 2, out f.Temperature)),
        new("top_p", static (ref r, f, n) => FieldParsers.Number(ref r, n, 0, 1, out f.TopP)),
        new("presence_penalty", static (ref r, f, n) => FieldParsers.Number(ref r, n, -2, 2, out f.PresencePenalty)),
        new("frequency_penalty", static (ref r, f, n) => FieldParsers.Number(ref r, n, -2, 2, out f.FrequencyPenalty)),
        new("logit_bias", FieldParsers.LogitBias),
        new("top_k", TopK),
        new("min_p", static (ref r, f, n) => FieldParsers.Number(ref r, n, 0, 1, out f.MinP)),
        new("typical_p", static (ref r, f, n) => FieldParsers.Number(ref r, n, 0, 1, out f.TypicalP)),
        new("repetition_penalty", RepetitionPenalty),
        new("min_tokens", static (ref r, f, n) => Int(ref r, n, 0, int.MaxValue, out f.MinTokens)),
        new("ignore_eos", static (ref r, f, n) => FieldParsers.Bool(ref r, n, out f.IgnoreEos)),
        new("stop_token_ids", FieldParsers.StopTokens),
    ];

    /// <summary>POST /v1/chat/completions.</summary>
    public static readonly FieldTable Chat = new([
        .. Shared,
        new("messages", Messages),
        new("max_completion_tokens", static (ref r, f, n) => Limit(ref r, f, n)),
        new("logprobs", static (ref r, f, n) => FieldParsers.Bool(ref r, n, out f.Logprobs)),
        new("top_logprobs", static (ref r, f, n) => Int(ref r, n, 0, f.Limits.TopLogprobsMax, out f.TopLogprobs)),
        new("response_format", ResponseFormat),
        new("tools", Tools),
        new("tool_choice", ToolChoice),
    ]);

    /// <summary>POST /v1/completions.</summary>
    public static readonly FieldTable Text = new([
        .. Shared,
        new("prompt", Prompt),
        new("echo", static (ref r, f, n) => FieldParsers.Bool(ref r, n, out f.Echo)),
        new("logprobs", TextLogprobs),
        new("best_of", BestOf),
        new("suffix", static (ref r, f, n) => new(ApiErrorKind.Unsupported, n, "'suffix' is not supported: this model completes text at its end only.")),
    ]);

    private static ApiError Int(ref Utf8JsonReader reader, string name, long low, long high, out int value)
    {
        var error = FieldParsers.Integer(ref reader, name, low, high, out var number);
        value = (int)number;
        return error;
    }

    public static ApiError Model(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.String) return ApiError.WrongType(name, "a string");
        fields.Model = FieldParsers.RawString(ref reader);
        fields.HasModel = true;
        return ApiError.None;
    }

    public static ApiError Messages(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return ApiError.WrongType(name, "an array of messages");
        var start = (int)reader.TokenStartIndex;
        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject) return ApiError.WrongType($"messages[{count}]", "an object");
            var error = Message(ref reader, count++);
            if (error.IsError) return error;
        }
        if (count == 0) return ApiError.Invalid(name, "Invalid value for 'messages': at least one message is needed.");
        fields.Messages = new(start, (int)reader.BytesConsumed - start);
        fields.HasMessages = true;
        return ApiError.None;
    }

    /// <summary>A message needs a role that is a string; contents are strings, parts of type text, or null.</summary>
    private static ApiError Message(ref Utf8JsonReader reader, int index)
    {
        var hasRole = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isRole = reader.ValueTextEquals("role"u8);
            var isContent = reader.ValueTextEquals("content"u8);
            reader.Read();
            if (isRole)
            {
                if (reader.TokenType != JsonTokenType.String) return ApiError.WrongType($"messages[{index}].role", "a string");
                hasRole = true;
            }
            else if (isContent && reader.TokenType == JsonTokenType.StartArray)
            {
                var error = Parts(ref reader, index);
                if (error.IsError) return error;
            }
            else if (isContent && reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
            {
                return ApiError.WrongType($"messages[{index}].content", "a string or an array of content parts");
            }
            else
            {
                reader.Skip();
            }
        }
        return hasRole ? ApiError.None : ApiError.Missing($"messages[{index}].role");
    }

    private static ApiError Parts(ref Utf8JsonReader reader, int message)
    {
        for (var part = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; part++)
        {
            if (reader.TokenType != JsonTokenType.StartObject) return ApiError.WrongType($"messages[{message}].content[{part}]", "an object");
            var isText = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                reader.Read();
                if (isType) isText = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("text"u8);
                reader.Skip();
            }
            if (!isText) return new(ApiErrorKind.Unsupported, $"messages[{message}].content[{part}].type", "Only content parts of type 'text' are supported by this model.");
        }
        return ApiError.None;
    }

    private static ApiError Prompt(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            fields.Prompt = FieldParsers.RawString(ref reader);
            fields.PromptKind = PromptKind.Text;
            return ApiError.None;
        }
        if (reader.TokenType != JsonTokenType.StartArray) return ApiError.WrongType(name, "a string or an array of token ids");
        var start = (int)reader.TokenStartIndex;
        reader.Read();
        if (reader.TokenType == JsonTokenType.String) return SinglePromptOf(ref reader, fields, name);
        while (reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.StartArray) return new(ApiErrorKind.Unsupported, name, "One prompt per request: send a string or an array of token ids.");
            var error = FieldParsers.Integer(ref reader, name, 0, int.MaxValue, out _);
            if (error.IsError) return error;
            reader.Read();
        }
        fields.Prompt = new(start, (int)reader.BytesConsumed - start);
        fields.PromptKind = PromptKind.TokenIds;
        return ApiError.None;
    }

    /// <summary>["text"]: what many clients send for one prompt.</summary>
    private static ApiError SinglePromptOf(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        fields.Prompt = FieldParsers.RawString(ref reader);
        fields.PromptKind = PromptKind.Text;
        reader.Read();
        return reader.TokenType == JsonTokenType.EndArray ? ApiError.None : new(ApiErrorKind.Unsupported, name, "One prompt per request: send a string or an array of token ids.");
    }

    private static ApiError Limit(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        var error = Int(ref reader, name, 1, int.MaxValue, out var value);
        if (!error.IsError) fields.MaxTokens = fields.MaxTokens is { } other ? Math.Min(other, value) : value;
        return error;
    }

    private static ApiError Seed(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        var error = FieldParsers.Integer(ref reader, name, long.MinValue, long.MaxValue, out var value);
        fields.Seed = value;
        return error;
    }

    /// <summary>0 and −1 both mean "no limit" in the field's APIs.</summary>
    private static ApiError TopK(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        var error = Int(ref reader, name, -1, int.MaxValue, out var value);
        fields.TopK = Math.Max(0, value);
        return error;
    }

    private static ApiError RepetitionPenalty(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        var error = FieldParsers.Number(ref reader, name, 0.01, 10, out fields.RepetitionPenalty);
        return error;
    }

    private static ApiError TextLogprobs(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        fields.Logprobs = true;
        return Int(ref reader, name, 0, fields.Limits.TopLogprobsMax, out fields.TopLogprobs);
    }

    private static ApiError BestOf(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        var error = Int(ref reader, name, 1, fields.Limits.ChoicesMax, out var value);
        return error.IsError || value == 1 ? error : new(ApiErrorKind.Unsupported, name, "'best_of' above 1 is not supported; use 'n'.");
    }

    private static ApiError StreamOptions(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return ApiError.WrongType(name, "an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isUsage = reader.ValueTextEquals("include_usage"u8);
            reader.Read();
            if (!isUsage) { reader.Skip(); continue; }
            if (reader.TokenType == JsonTokenType.Null) continue;
            var error = FieldParsers.Bool(ref reader, "stream_options.include_usage", out fields.IncludeUsage);
            if (error.IsError) return error;
        }
        return ApiError.None;
    }

    private static ApiError ResponseFormat(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return ApiError.WrongType(name, "an object");
        var isText = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            reader.Read();
            if (isType) isText = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("text"u8);
            reader.Skip();
        }
        return isText ? ApiError.None : new(ApiErrorKind.Unsupported, "response_format.type", "'response_format' may only be {\"type\":\"text\"} here.");
    }

    private static ApiError Tools(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return ApiError.WrongType(name, "an array");
        var range = FieldParsers.RawValue(ref reader);
        fields.HasTools = range.Length > 2;
        return ApiError.None;
    }

    private static ApiError ToolChoice(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType == JsonTokenType.String && (reader.ValueTextEquals("auto"u8) || reader.ValueTextEquals("none"u8))) return ApiError.None;
        reader.Skip();
        return new(ApiErrorKind.Unsupported, name, "'tool_choice' may only be 'auto' or 'none' here.");
    }
}

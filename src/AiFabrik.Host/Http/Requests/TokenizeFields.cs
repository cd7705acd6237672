using System.Text.Json;

namespace AiFabrik.Host.Http.Requests;

/// <summary>The fields of POST /v1/tokenize and POST /v1/detokenize (vLLM's shapes).</summary>
internal static class TokenizeFields
{
    public static readonly FieldTable Tokenize = new(
        new("model", CompletionFields.Model),
        new("prompt", Prompt),
        new("messages", CompletionFields.Messages));

    public static readonly FieldTable Detokenize = new(
        new("model", CompletionFields.Model),
        new("tokens", Tokens));

    private static ApiError Prompt(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.String) return ApiError.WrongType(name, "a string");
        fields.Prompt = FieldParsers.RawString(ref reader);
        fields.PromptKind = PromptKind.Text;
        return ApiError.None;
    }

    private static ApiError Tokens(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return ApiError.WrongType(name, "an array of token ids");
        var start = (int)reader.TokenStartIndex;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var error = FieldParsers.Integer(ref reader, name, 0, int.MaxValue, out _);
            if (error.IsError) return error;
        }
        fields.Prompt = new(start, (int)reader.BytesConsumed - start);
        fields.PromptKind = PromptKind.TokenIds;
        return ApiError.None;
    }
}

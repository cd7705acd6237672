using System.Text.Json;

namespace AiFabrik.Host.Http.Requests;

/// <summary>How single values are read: type and bounds, with an error that names the field. No value ever becomes a string.</summary>
internal static class FieldParsers
{
    public static ApiError Bool(ref Utf8JsonReader reader, string name, out bool value)
    {
        value = reader.TokenType == JsonTokenType.True;
        return value || reader.TokenType == JsonTokenType.False ? ApiError.None : ApiError.WrongType(name, "a boolean");
    }

    /// <summary>A number between two finite bounds. "NaN" and "Infinity" are no JSON numbers; 1e999 is out of bounds.</summary>
    public static ApiError Number(ref Utf8JsonReader reader, string name, double low, double high, out float value)
    {
        value = 0;
        if (reader.TokenType != JsonTokenType.Number) return ApiError.WrongType(name, "a number");
        if (!reader.TryGetDouble(out var number) || !double.IsFinite(number) || number < low || number > high) return ApiError.OutOfRange(name, low, high);
        value = (float)number;
        return ApiError.None;
    }

    public static ApiError Integer(ref Utf8JsonReader reader, string name, long low, long high, out long value)
    {
        value = 0;
        if (reader.TokenType != JsonTokenType.Number) return ApiError.WrongType(name, "an integer");
        if (!TryGetInteger(ref reader, out value)) return new(ApiErrorKind.InvalidValue, name, FormattableString.Invariant($"Invalid value for '{name}': must be an integer between {low} and {high}."));
        return value < low || value > high
            ? new(ApiErrorKind.InvalidValue, name, FormattableString.Invariant($"Invalid value for '{name}': must be between {low} and {high}."))
            : ApiError.None;
    }

    /// <summary>Integers, also those written as 1.0 or 1e3, as JavaScript clients may.</summary>
    private static bool TryGetInteger(ref Utf8JsonReader reader, out long value)
    {
        if (reader.TryGetInt64(out value)) return true;
        if (!reader.TryGetDouble(out var number) || Math.Abs(number) > 9e15 || number != Math.Floor(number)) return false;
        value = (long)number;
        return true;
    }

    public static ApiError Stop(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType == JsonTokenType.String) return StopString(ref reader, fields, name);
        if (reader.TokenType != JsonTokenType.StartArray) return ApiError.WrongType(name, "a string or an array of strings");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String) return ApiError.WrongType(name, "a string or an array of strings");
            var error = StopString(ref reader, fields, name);
            if (error.IsError) return error;
        }
        return ApiError.None;
    }

    private static ApiError StopString(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        var range = RawString(ref reader);
        if (range.Length == 0) return ApiError.Invalid(name, $"Invalid value for '{name}': a stop string must not be empty.");
        if (range.Length > fields.Limits.StopStringBytesMax) return ApiError.Invalid(name, $"Invalid value for '{name}': a stop string may have {fields.Limits.StopStringBytesMax} bytes at most.");
        if (fields.StopStringCount == fields.Limits.StopStringsMax) return ApiError.Invalid(name, $"Invalid value for '{name}': {fields.Limits.StopStringsMax} stop strings at most.");
        fields.StopStrings[fields.StopStringCount++] = range;
        return ApiError.None;
    }

    public static ApiError StopTokens(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return ApiError.WrongType(name, "an array of token ids");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var error = Integer(ref reader, name, 0, int.MaxValue, out var id);
            if (error.IsError) return error;
            if (fields.StopTokenCount == fields.Limits.StopTokensMax) return ApiError.Invalid(name, $"Invalid value for '{name}': {fields.Limits.StopTokensMax} token ids at most.");
            fields.StopTokens[fields.StopTokenCount++] = (int)id;
        }
        return ApiError.None;
    }

    /// <summary>An object from token id to bias, −100 to 100.</summary>
    public static ApiError LogitBias(ref Utf8JsonReader reader, RequestFields fields, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return ApiError.WrongType(name, "an object from token id to bias");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!System.Buffers.Text.Utf8Parser.TryParse(reader.ValueSpan, out int id, out var used) || used != reader.ValueSpan.Length || id < 0)
                return ApiError.Invalid(name, $"Invalid value for '{name}': every key must be a token id.");
            reader.Read();
            var error = Number(ref reader, name, -100, 100, out var bias);
            if (error.IsError) return error;
            if (fields.BiasCount == fields.Limits.LogitBiasMax) return ApiError.Invalid(name, $"Invalid value for '{name}': {fields.Limits.LogitBiasMax} entries at most.");
            fields.BiasTokens[fields.BiasCount] = id;
            fields.BiasValues[fields.BiasCount++] = bias;
        }
        return ApiError.None;
    }

    /// <summary>Where the reader's string stands in the body, without its quotes.</summary>
    public static BodyRange RawString(ref Utf8JsonReader reader) => new((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);

    /// <summary>Where the reader's value stands in the body, whole; leaves the reader at its end.</summary>
    public static BodyRange RawValue(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new(start, (int)reader.BytesConsumed - start);
    }
}

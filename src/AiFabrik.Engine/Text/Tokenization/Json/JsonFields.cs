using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Text.Tokenization.Regex;
using AiFabrik.Engine.Text.Tokenization.Steps;

namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>Typed access to the fields of a component in tokenizer.json.</summary>
internal static class JsonFields
{
    internal static bool IsMissing(JsonElement e, string name) =>
        e.ValueKind != JsonValueKind.Object || !e.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null;

    internal static string String(JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String
            ? v.GetString()!
            : throw new RefusedException($"The tokenizer file lacks the text '{name}' where it must stand.");

    internal static byte[] Utf8(JsonElement e, string name) => Encoding.UTF8.GetBytes(String(e, name));

    internal static bool Bool(JsonElement e, string name, bool otherwise)
    {
        if (IsMissing(e, name)) return otherwise;
        return e.GetProperty(name).ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new RefusedException($"In the tokenizer file '{name}' is neither true nor false."),
        };
    }

    internal static int Int(JsonElement e, string name, int max) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var i) && i >= 0 && i <= max
            ? i
            : throw new RefusedException($"In the tokenizer file '{name}' is not a number from 0 to {max}.");

    internal static JsonElement.ArrayEnumerator Array(JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Array
            ? v.EnumerateArray()
            : throw new RefusedException($"The tokenizer file lacks the list '{name}' where it must stand.");

    /// <summary>A pattern field: <c>{"String":…}</c> or <c>{"Regex":…}</c>.</summary>
    internal static Pattern Pattern(JsonElement e)
    {
        if (!IsMissing(e, "pattern"))
        {
            var pattern = e.GetProperty("pattern");
            if (!IsMissing(pattern, "String")) return Tokenization.Steps.Pattern.OfLiteral(Utf8(pattern, "String"));
            if (!IsMissing(pattern, "Regex"))
            {
                return RegexProgram.TryCompile(String(pattern, "Regex"), out var program, out var error)
                    ? Tokenization.Steps.Pattern.OfRegex(program)
                    : throw new RefusedException(error);
            }
        }

        throw new RefusedException("A pattern in the tokenizer file is neither a String nor a Regex.");
    }
}

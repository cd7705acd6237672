using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace AiFabrik.Host.Commands.Model;

/// <summary>Lines of JSON on standard input. These commands are tools at somebody's desk: their input is that person's own.</summary>
internal static class JsonLines
{
    public static IEnumerable<JsonElement> Read()
    {
        using var reader = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        var number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (line.Length == 0) continue;
            JsonElement element;
            try
            {
                using var document = JsonDocument.Parse(line);
                element = document.RootElement.Clone();
            }
            catch (JsonException)
            {
                throw new CommandFailure($"Line {number} of the input is not valid JSON.");
            }
            if (element.ValueKind != JsonValueKind.Object) throw new CommandFailure($"Line {number} of the input is not a JSON object.");
            yield return element;
        }
    }

    /// <summary>"text", or "bytes" in base64.</summary>
    public static bool TryText(JsonElement line, [NotNullWhen(true)] out byte[]? text)
    {
        text = null;
        if (line.TryGetProperty("text", out var value) && value.ValueKind == JsonValueKind.String) text = Encoding.UTF8.GetBytes(value.GetString()!);
        else if (line.TryGetProperty("bytes", out value) && value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes)) text = bytes;
        return text is not null;
    }

    public static bool Flag(JsonElement line, string name) => line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>"ids": an array of token ids.</summary>
    public static bool TryIds(JsonElement line, [NotNullWhen(true)] out int[]? ids)
    {
        ids = null;
        if (!line.TryGetProperty("ids", out var value) || value.ValueKind != JsonValueKind.Array) return false;
        var list = new List<int>();
        foreach (var id in value.EnumerateArray())
        {
            if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out var number)) return false;
            list.Add(number);
        }
        ids = [.. list];
        return true;
    }
}

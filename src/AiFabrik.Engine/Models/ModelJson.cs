using System.Text.Json;

namespace AiFabrik.Engine.Models;

/// <summary>Reads the JSON files of a model, bounded in size and depth.</summary>
internal static class ModelJson
{
    /// <summary>Depth of config.json and its like.</summary>
    public const int DepthMax = 32;

    /// <summary>The document of a file; <see cref="ModelFormatException"/> with one sentence if it cannot be read.</summary>
    public static JsonDocument Read(string path, int bytesMax)
    {
        if (!FileBytes.TryMap(path, out var file, out var error)) throw new ModelFormatException(error);
        using (file)
        {
            if (file.LengthBytes > bytesMax) throw new ModelFormatException($"{path} is larger than {bytesMax} bytes.");
            return Parse(path, file.Bytes(0, (int)file.LengthBytes));
        }
    }

    /// <summary>The document in <paramref name="json"/>.</summary>
    public static JsonDocument Parse(string name, ReadOnlySpan<byte> json)
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = DepthMax });
            CheckTexts(document.RootElement);
            return document;
        }
        catch (InvalidOperationException)
        {
            document?.Dispose();
            throw new ModelFormatException($"{name} holds a text that is not valid Unicode.");
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"{name} is not valid JSON (line {e.LineNumber + 1}).");
        }
    }

    /// <summary>Decodes every text once, so that nobody meets an invalid one later: <see cref="InvalidOperationException"/> if there is one.</summary>
    private static void CheckTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray()) CheckTexts(item);
                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    CheckTexts(property.Value);
                }
                break;
        }
    }
}

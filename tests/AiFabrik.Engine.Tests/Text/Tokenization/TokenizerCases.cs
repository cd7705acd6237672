using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Tokenization;

/// <summary>Reads the golden tokenizer cases and compares.</summary>
internal static class TokenizerCases
{
    private static readonly Lazy<Dictionary<string, byte[]>> Texts = new(LoadTexts);

    internal static string Golden { get; } = Environment.GetEnvironmentVariable("AIFABRIK_GOLDEN") is { Length: > 0 } root ? root : Path.Combine(TestsFolder(), "golden");

    internal static string Folder => Path.Combine(Golden, "tokenizers");

    /// <summary>Where the seven real tokenizers lie, or null.</summary>
    internal static string? RealFolder
    {
        get
        {
            var folder = Environment.GetEnvironmentVariable("AIFABRIK_TOKENIZERS") is { Length: > 0 } named ? named : Path.Combine(TestsFolder(), ".cache", "tokenizers");
            return Directory.Exists(folder) ? folder : null;
        }
    }

    internal static string TestsFolder()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (Directory.Exists(Path.Combine(at.FullName, "tests", "golden"))) return Path.Combine(at.FullName, "tests");
        }

        throw new DirectoryNotFoundException("tests/golden");
    }

    internal static Tokenizer LoadJson(string folder)
    {
        var config = Path.Combine(folder, "tokenizer_config.json");
        return Load(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")), File.Exists(config) ? File.ReadAllBytes(config) : []);
    }

    internal static Tokenizer Load(byte[] json, byte[]? config = null) =>
        Tokenizer.TryLoadJson(json, config, out var tokenizer, out var error) ? tokenizer : throw new InvalidDataException(error);

    internal static Tokenizer LoadGguf(string path)
    {
        Assert.True(GgufFile.TryOpen(path, out var file, out var error), error);
        using (file)
        {
            return Tokenizer.TryLoadGguf(file.Metadata, out var tokenizer, out error) ? tokenizer : throw new InvalidDataException(error);
        }
    }

    internal static int[] Encode(Tokenizer tokenizer, ReadOnlySpan<byte> text, bool control = false, bool addSpecials = false)
    {
        using var scratch = new TokenizerScratch();
        var ids = new int[text.Length + 16];
        while (true)
        {
            var fits = control || (addSpecials && control)
                ? tokenizer.TryEncodeTrusted(text, addSpecials, scratch, ids, out var count)
                : addSpecials ? tokenizer.TryEncodeWithSpecials(text, scratch, ids, out count) : tokenizer.TryEncode(text, scratch, ids, out count);
            if (fits) return ids[..count];
            Assert.True(count > ids.Length);
            ids = new int[count];
        }
    }

    /// <summary>Decodes id by id; no piece may end inside a character.</summary>
    internal static byte[] Decode(Tokenizer tokenizer, IEnumerable<int> ids, bool raw = false)
    {
        var decoder = tokenizer.CreateDecoder(rawBytes: raw);
        var output = new byte[decoder.BytesPerCallMax];
        var text = new MemoryStream();
        foreach (var id in ids)
        {
            Assert.True(decoder.TryAppend(id, output, out var written));
            Assert.True(raw || System.Text.Unicode.Utf8.IsValid(output.AsSpan(0, written)));
            text.Write(output, 0, written);
        }

        Assert.True(decoder.TryFlush(output, out var last));
        text.Write(output, 0, last);
        return text.ToArray();
    }

    internal static string Sha256(ReadOnlySpan<int> ids)
    {
        Assert.True(BitConverter.IsLittleEndian);
        return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(ids)));
    }

    /// <summary>Compares one row; returns what is wrong, or null.</summary>
    internal static string? Check(Tokenizer tokenizer, JsonElement row)
    {
        if (row.TryGetProperty("decode", out var decode))
        {
            var got = Decode(tokenizer, Ints(decode));
            var wanted = Encoding.UTF8.GetBytes(row.GetProperty("text").GetString()!);
            return got.AsSpan().SequenceEqual(wanted) ? null : $"{row.GetRawText()[..Math.Min(200, row.GetRawText().Length)]} decodes to {JsonSerializer.Serialize(Encoding.UTF8.GetString(got))}";
        }

        var text = row.TryGetProperty("t", out var name) ? Texts.Value[name.GetString()!] : Encoding.UTF8.GetBytes(row.GetProperty("text").GetString()!);
        var ids = Encode(tokenizer, text, Flag(row, "control"), Flag(row, "add_special_tokens"));
        if (row.TryGetProperty("ids", out var expected))
            return ids.AsSpan().SequenceEqual(Ints(expected)) ? null : $"{row.GetRawText()[..Math.Min(300, row.GetRawText().Length)]} gives {string.Join(',', ids.Take(60))}";
        return ids.Length == row.GetProperty("n").GetInt32() && Sha256(ids) == row.GetProperty("sha256").GetString()
            ? null
            : $"{row.GetRawText()} gives {ids.Length}: {string.Join(',', ids.Take(20))}";
    }

    internal static IEnumerable<JsonElement> Rows(string path)
    {
        foreach (var line in File.ReadLines(path)) yield return JsonDocument.Parse(line).RootElement;
    }

    internal static bool Flag(JsonElement row, string name) => row.TryGetProperty(name, out var value) && value.GetBoolean();

    internal static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];

    /// <summary>The base file of a facet case with its patch.</summary>
    internal static byte[] Patched(JsonElement row)
    {
        var root = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Folder, "facets", $"base-{row.GetProperty("base").GetString()}.json")))!.AsObject();
        foreach (var change in row.GetProperty("patch").EnumerateObject())
        {
            if (change.Name != "model")
            {
                root[change.Name] = JsonNode.Parse(change.Value.GetRawText());
                continue;
            }

            foreach (var field in change.Value.EnumerateObject()) root["model"]!.AsObject()[field.Name] = JsonNode.Parse(field.Value.GetRawText());
        }

        return JsonSerializer.SerializeToUtf8Bytes(root);
    }

    internal static byte[] Text(string name) => Texts.Value[name];

    internal static IEnumerable<byte[]> AllTexts() => Texts.Value.Values;

    private static Dictionary<string, byte[]> LoadTexts()
    {
        var texts = new Dictionary<string, byte[]>();
        foreach (var row in Rows(Path.Combine(Folder, "texts.jsonl")))
        {
            byte[] text;
            if (row.TryGetProperty("text", out var plain)) text = Encoding.UTF8.GetBytes(plain.GetString()!);
            else if (row.TryGetProperty("bytes", out var bytes)) text = bytes.GetBytesFromBase64();
            else text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(row.GetProperty("repeat")[0].GetString(), row.GetProperty("repeat")[1].GetInt32())));
            texts.Add(row.GetProperty("n").GetString()!, text);
        }

        return texts;
    }
}

using System.Runtime.CompilerServices;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Steps;

namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>Reads tokenizer.json and tokenizer_config.json.</summary>
internal static class TokenizerJson
{
    /// <summary>Largest file that is read.</summary>
    internal const int FileBytesMax = 512 << 20;

    internal static bool TryRead(ReadOnlySpan<byte> json, ReadOnlySpan<byte> config, [NotNullWhen(true)] out TokenizerParts? parts, out string error)
    {
        (parts, error) = (null, "");
        try
        {
            parts = Read(json, config);
            return true;
        }
        catch (RefusedException refused)
        {
            error = refused.Message;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException: a string that is not valid UTF-8 or has half a surrogate pair.
            error = "The tokenizer file is not valid JSON.";
        }

        return false;
    }

    private static TokenizerParts Read(ReadOnlySpan<byte> json, ReadOnlySpan<byte> config)
    {
        if (json.Length > FileBytesMax) throw new RefusedException($"The tokenizer file is larger than {FileBytesMax} bytes.");
        if (json.StartsWith("\uFEFF"u8)) json = json[3..];
        if (!System.Text.Unicode.Utf8.IsValid(json)) throw new JsonException();
        var small = new Dictionary<string, JsonElement>();
        ModelReader.Fields? fields = null;
        var scanner = new JsonScanner(json);
        if (!scanner.TryTake((byte)'{')) throw new RefusedException("The tokenizer file is not a JSON object.");
        if (!scanner.TryTake((byte)'}'))
        {
            do
            {
                var name = scanner.Name();
                if (name == "model") fields = ModelReader.ReadFields(ref scanner);
                else small[name] = scanner.Element();
            }
            while (scanner.TakesAnother((byte)'}'));
        }

        if (!scanner.IsAtEnd()) throw new JsonException();
        if (fields is not { } model) throw new RefusedException("The tokenizer file has no model.");
        return Assemble(model, small, config);
    }

    private static TokenizerParts Assemble(ModelReader.Fields fields, Dictionary<string, JsonElement> small, ReadOnlySpan<byte> config)
    {
        var normalizers = new List<Normalizer>();
        ComponentReader.Normalizers(small.GetValueOrDefault("normalizer"), normalizers);
        var steps = new List<PreTokenizer>();
        ComponentReader.PreTokenizers(small.GetValueOrDefault("pre_tokenizer"), steps);
        var preTokenizers = ComponentReader.Finish(steps, out var isByteLevel, out var unmaps);
        var decoder = ComponentReader.Decoder(small.GetValueOrDefault("decoder"));
        var (before, after) = (new List<int>(), new List<int>());
        ComponentReader.PostProcessor(small.GetValueOrDefault("post_processor"), before, after);
        var spellings = fields.Vocab!;
        var added = ReadAdded(small.GetValueOrDefault("added_tokens"), spellings);
        var model = ModelReader.Build(fields, isByteLevel);
        var byId = new Dictionary<int, byte[]>();
        foreach (var token in added) byId[token.Id] = token.Content;
        var size = spellings.Count;
        foreach (var token in added) size = Math.Max(size, token.Id + 1);
        foreach (var id in before.Concat(after))
        {
            if (id >= size) throw new RefusedException("The tokenizer's template has an id that is not a token.");
        }

        var parts = new TokenizerParts
        {
            Model = model, VocabSize = size, Added = added, Normalizers = [.. normalizers], PreTokenizers = preTokenizers, Unmaps = unmaps, Decoder = decoder,
            Spellings = spellings, OtherSpellings = byId,
            Before = [.. before], After = [.. after],
        };
        ReadConfig(config, parts, added, spellings);
        return parts;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static List<AddedToken> ReadAdded(JsonElement e, Spellings spellings)
    {
        var tokens = new List<AddedToken>();
        if (e.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return tokens;
        if (e.ValueKind != JsonValueKind.Array) throw new RefusedException("The tokenizer's added_tokens are not a list.");
        if (e.GetArrayLength() == 0) return tokens;
        var contents = new byte[e.GetArrayLength()][];
        var n = 0;
        foreach (var item in e.EnumerateArray()) contents[n++] = JsonFields.Utf8(item, "content");
        var (inVocab, numbers) = FindInVocab(contents, spellings, out var vocabCount);
        var seen = new bool[contents.Length];
        var highest = -1;
        n = 0;
        foreach (var item in e.EnumerateArray())
        {
            var (content, number) = (contents[n], numbers[n]);
            n++;
            JsonFields.Int(item, "id", TokenizerParts.VocabMax - 1);
            if (content.Length > TokenizerParts.TokenBytesMax) throw new RefusedException($"An added token is longer than {TokenizerParts.TokenBytesMax} bytes.");
            if (content.Length == 0 || seen[number]) continue;
            seen[number] = true;
            // As in the reference: the id that the vocabulary gives, else the next free one, whatever the file says.
            var id = inVocab[number];
            if (id < 0) id = Math.Max(vocabCount, highest + 1);
            highest = Math.Max(highest, id);
            var isSpecial = JsonFields.Bool(item, "special", false);
            tokens.Add(new AddedToken(
                id, content, JsonFields.Bool(item, "single_word", false), JsonFields.Bool(item, "lstrip", false), JsonFields.Bool(item, "rstrip", false),
                JsonFields.Bool(item, "normalized", !isSpecial), isSpecial));
        }

        return tokens;
    }

    /// <summary>The vocabulary's id of each content, or -1; equal contents have one number, that of the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (int[] Ids, int[] Numbers) FindInVocab(byte[][] contents, Spellings spellings, out int vocabCount)
    {
        var text = new ByteList();
        var (longs, starts, ids, numbers) = (0, new int[contents.Length], new int[contents.Length], new int[contents.Length]);
        for (var i = 0; i < contents.Length; i++)
        {
            starts[i] = text.Count;
            contents[i].CopyTo(text.Reserve(contents[i].Length));
            text.Count += contents[i].Length;
            if (!PieceTable.IsShort(contents[i].Length)) longs++;
        }

        text.Reserve(PieceTable.SlackBytes);
        var table = new PieceTable(text.Data, contents.Length - longs, longs);
        for (var i = 0; i < contents.Length; i++) numbers[i] = table.Add(starts[i], contents[i].Length, i);
        Array.Fill(ids, -1);
        vocabCount = 0;
        for (var id = 0; id < spellings.Count; id++)
        {
            if (!spellings.Has(id)) continue;
            vocabCount++;
            var found = table.Find(spellings.Text, spellings.Starts[id], spellings.Lengths[id]);
            if (found >= 0) ids[found] = id;
        }

        return (ids, numbers);
    }

    private static void ReadConfig(ReadOnlySpan<byte> config, TokenizerParts parts, List<AddedToken> added, Spellings spellings)
    {
        if (config.IsEmpty)
        {
            parts.AddsBos = parts.Before.Length > 0;
            parts.AddsEos = parts.After.Length > 0;
            return;
        }

        var reader = new Utf8JsonReader(config);
        var root = JsonElement.ParseValue(ref reader);
        if (root.ValueKind != JsonValueKind.Object) throw new RefusedException("The tokenizer's configuration is not a JSON object.");
        (parts.BosText, parts.BosId) = Named(root, "bos_token", added, spellings);
        (parts.EosText, parts.EosId) = Named(root, "eos_token", added, spellings);
        parts.AddsBos = JsonFields.Bool(root, "add_bos_token", parts.Before.Length > 0) && parts.BosId is not null;
        parts.AddsEos = JsonFields.Bool(root, "add_eos_token", parts.After.Length > 0) && parts.EosId is not null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (byte[], int?) Named(JsonElement root, string name, List<AddedToken> added, Spellings spellings)
    {
        if (JsonFields.IsMissing(root, name)) return ([], null);
        var value = root.GetProperty(name);
        var text = value.ValueKind == JsonValueKind.String ? Encoding.UTF8.GetBytes(value.GetString()!) : JsonFields.Utf8(value, "content");
        var token = added.Find(t => t.Content.AsSpan().SequenceEqual(text));
        if (token is not null) return (text, token.Id);
        for (var id = 0; id < spellings.Count; id++)
        {
            if (spellings.Has(id) && spellings[id].SequenceEqual(text)) return (text, id);
        }

        return (text, null);
    }
}

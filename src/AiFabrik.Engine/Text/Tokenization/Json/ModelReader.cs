using System.Runtime.CompilerServices;
using System.Text.Json;
using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Steps;

namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>The vocabulary as it is read: spellings one after the other.</summary>
internal sealed class Spellings
{
    internal byte[] Text = [];
    internal int[] Starts = [], Lengths = [];

    internal int Count => Starts.Length;

    internal bool Has(int id) => (uint)id < (uint)Count && Starts[id] >= 0;

    internal ReadOnlySpan<byte> this[int id] => Text.AsSpan(Starts[id], Lengths[id]);
}

/// <summary>The model of tokenizer.json: BPE. Reads the big lists without strings, in one pass.</summary>
internal static class ModelReader
{
    /// <summary>What the file says about the model.</summary>
    internal sealed class Fields
    {
        internal Spellings? Vocab;
        internal MergeList? Merges;
        internal byte[]? Unknown;
        internal bool IgnoresMerges, FusesUnknown, FallsBack;
    }

    internal static Fields ReadFields(ref JsonScanner json)
    {
        if (json.Peek() != '{') throw new RefusedException("The tokenizer file has no model.");
        json.Take((byte)'{');
        var fields = new Fields();
        string? type = null;
        if (json.TryTake((byte)'}')) throw Incomplete();
        do
        {
            var name = json.Name();
            // Lists of other models have other forms: they are refused by the model's name.
            if (name == "vocab" && json.Peek() == '{') fields.Vocab = ReadVocab(ref json);
            else if (name == "merges" && json.Peek() == '[') fields.Merges = MergeList.Read(ref json);
            else if (name is "vocab" or "merges") json.Skip();
            else SetField(fields, name, json.Element(), ref type);
        }
        while (json.TakesAnother((byte)'}'));

        // Old files leave the type out; only BPE has merges.
        if (type is not null and not "BPE") throw RefusedException.Unsupported($"the model '{type}'");
        return fields.Vocab is null || fields.Merges is null ? throw Incomplete() : fields;
    }

    private static RefusedException Incomplete() => RefusedException.Unsupported("a model without vocabulary or merges");

    private static void SetField(Fields fields, string name, JsonElement value, ref string? type)
    {
        switch (name)
        {
            case "type": type = value.ValueKind == JsonValueKind.String ? value.GetString() : ""; break;
            case "unk_token": fields.Unknown = value.ValueKind == JsonValueKind.String ? System.Text.Encoding.UTF8.GetBytes(value.GetString()!) : null; break;
            case "ignore_merges": fields.IgnoresMerges = value.ValueKind == JsonValueKind.True; break;
            case "fuse_unk": fields.FusesUnknown = value.ValueKind == JsonValueKind.True; break;
            case "byte_fallback": fields.FallsBack = value.ValueKind == JsonValueKind.True; break;
            case "dropout" when value.ValueKind == JsonValueKind.Number && value.GetDouble() != 0: throw RefusedException.Unsupported("dropout");
            case "continuing_subword_prefix" or "end_of_word_suffix" when value.ValueKind == JsonValueKind.String && value.GetString()!.Length > 0:
                throw RefusedException.Unsupported($"the model option '{name}'");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Spellings ReadVocab(ref JsonScanner json)
    {
        var text = new ByteList();
        var (ids, starts, count, highest) = (new int[1024], new int[1024], 0, -1);
        json.Take((byte)'{');
        if (!json.TryTake((byte)'}'))
        {
            do
            {
                if (count == ids.Length)
                {
                    Array.Resize(ref ids, count * 2);
                    Array.Resize(ref starts, count * 2);
                }

                starts[count] = text.Count;
                if (json.String(text) > TokenizerParts.TokenBytesMax) throw new RefusedException($"A token of the vocabulary is longer than {TokenizerParts.TokenBytesMax} bytes.");
                json.Take((byte)':');
                if (!json.TryTakeInt(out var id) || id >= TokenizerParts.VocabMax)
                    throw new RefusedException($"The tokenizer's vocabulary has an id that is not from 0 to {TokenizerParts.VocabMax - 1}.");
                ids[count++] = id;
                highest = Math.Max(highest, id);
            }
            while (json.TakesAnother((byte)'}'));
        }

        if (highest >= TokenizerParts.IdsMin + ((long)TokenizerParts.IdsPerToken * count))
            throw new RefusedException($"The tokenizer's vocabulary has {count} tokens but ids up to {highest}: for so few, ids must be below {TokenizerParts.IdsMin + (TokenizerParts.IdsPerToken * count)}.");
        text.Reserve(PieceTable.SlackBytes);
        var spellings = new Spellings { Text = text.Data, Starts = new int[highest + 1], Lengths = new int[highest + 1] };
        Array.Fill(spellings.Starts, -1);
        for (var i = 0; i < count; i++)
        {
            spellings.Starts[ids[i]] = starts[i];
            spellings.Lengths[ids[i]] = (i + 1 < count ? starts[i + 1] : text.Count) - starts[i];
        }

        return spellings;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static BpeModel Build(Fields fields, bool isByteLevel)
    {
        var spellings = fields.Vocab!;
        var pieces = isByteLevel ? Unmap(spellings) : spellings;
        var (shorts, longs) = (0, 0);
        for (var id = 0; id < pieces.Count; id++)
        {
            if (!pieces.Has(id) || pieces.Lengths[id] == 0) continue;
            if (PieceTable.IsShort(pieces.Lengths[id])) shorts++;
            else longs++;
        }

        var table = new PieceTable(pieces.Text, shorts, longs);
        var areDistinct = true;
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces.Has(id) && pieces.Lengths[id] > 0) areDistinct &= table.Add(pieces.Starts[id], pieces.Lengths[id], id) == id;
        }

        var unknown = fields.Unknown is null ? -1 : Find(spellings, fields.Unknown);
        if (fields.Unknown is not null && unknown < 0) throw new RefusedException("The tokenizer's unknown token is not in its vocabulary.");
        if (fields.FallsBack && isByteLevel) throw RefusedException.Unsupported("byte fallback together with ByteLevel");
        var model = new BpeModel
        {
            Kind = isByteLevel ? SymbolKind.Bytes : SymbolKind.Characters,
            Pieces = table,
            TokenCount = pieces.Count,
            ByteSymbols = isByteLevel ? ByteSymbols(table) : [],
            IgnoreMerges = fields.IgnoresMerges,
            UnknownId = unknown,
            FusesUnknown = fields.FusesUnknown,
            FallbackIds = fields.FallsBack ? Fallback(spellings) : [],
        };
        BpeBuilder.Complete(model, fields.Merges!.Resolve(table, areDistinct ? pieces : null, isByteLevel), pieces.Starts, pieces.Lengths);
        return model;
    }

    /// <summary>Byte-level spellings as the bytes that they stand for; those that stand for none can't be matched and are left out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static Spellings Unmap(Spellings spellings)
    {
        var raw = new Spellings { Text = new byte[spellings.Text.Length], Starts = new int[spellings.Count], Lengths = new int[spellings.Count] };
        var used = 0;
        for (var id = 0; id < spellings.Count; id++)
        {
            var length = spellings.Has(id) && System.Text.Unicode.Utf8.IsValid(spellings[id]) ? ByteAlphabet.TryUnmap(spellings[id], raw.Text.AsSpan(used)) : -1;
            (raw.Starts[id], raw.Lengths[id]) = (length < 0 ? -1 : used, Math.Max(length, 0));
            used += raw.Lengths[id];
        }

        return raw;
    }

    internal static int[] ByteSymbols(PieceTable table)
    {
        var symbols = new int[256];
        var one = new byte[1 + PieceTable.SlackBytes];
        for (var b = 0; b < 256; b++)
        {
            one[0] = (byte)b;
            symbols[b] = table.Find(one, 0, 1);
        }

        return symbols;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int[] Fallback(Spellings spellings)
    {
        var ids = new int[256];
        Array.Fill(ids, -1);
        for (var id = 0; id < spellings.Count; id++)
        {
            // The reference spells the byte in upper case.
            if (spellings.Has(id) && DecoderSteps.ByteOf(spellings[id]) is var b and >= 0 && !spellings[id][3..5].ContainsAnyInRange((byte)'a', (byte)'f')) ids[b] = id;
        }

        return ids;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Find(Spellings spellings, byte[] text)
    {
        for (var id = 0; id < spellings.Count; id++)
        {
            if (spellings.Has(id) && spellings[id].SequenceEqual(text)) return id;
        }

        return -1;
    }
}

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

/// <summary>The model of tokenizer.json: BPE. Reads the big lists token by token, without strings.</summary>
internal static class ModelReader
{
    internal const int MergesMax = 1 << 23;

    /// <summary>Where the big lists lie in the file, and the small fields.</summary>
    internal struct Fields
    {
        internal (int Start, int Length) Vocab, Merges;
        internal byte[]? Unknown;
        internal bool IgnoresMerges, FusesUnknown, FallsBack;
    }

    internal static Fields ReadFields(ReadOnlySpan<byte> json, ref Utf8JsonReader reader)
    {
        var fields = new Fields();
        if (reader.TokenType != JsonTokenType.StartObject) throw new RefusedException("The tokenizer file has no model.");
        string? type = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var value = reader;
            reader.Skip();
            var range = (start, (int)reader.BytesConsumed - start);
            switch (name)
            {
                case "type": type = value.TokenType == JsonTokenType.String ? value.GetString() : ""; break;
                case "vocab": fields.Vocab = range; break;
                case "merges": fields.Merges = range; break;
                case "unk_token": fields.Unknown = value.TokenType == JsonTokenType.String ? System.Text.Encoding.UTF8.GetBytes(value.GetString()!) : null; break;
                case "ignore_merges": fields.IgnoresMerges = value.TokenType == JsonTokenType.True; break;
                case "fuse_unk": fields.FusesUnknown = value.TokenType == JsonTokenType.True; break;
                case "byte_fallback": fields.FallsBack = value.TokenType == JsonTokenType.True; break;
                case "dropout" when value.TokenType == JsonTokenType.Number && value.GetDouble() != 0: throw RefusedException.Unsupported("dropout");
                case "continuing_subword_prefix" or "end_of_word_suffix" when value.TokenType == JsonTokenType.String && value.GetString()!.Length > 0:
                    throw RefusedException.Unsupported($"the model option '{name}'");
            }
        }

        // Old files leave the type out; only BPE has merges.
        if (type is not null and not "BPE") throw RefusedException.Unsupported($"the model '{type}'");
        if (fields.Vocab.Length == 0 || fields.Merges.Length == 0) throw RefusedException.Unsupported("a model without vocabulary or merges");
        return fields;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static Spellings ReadVocab(ReadOnlySpan<byte> json)
    {
        // No string stands for more bytes than it is written with.
        var text = GC.AllocateUninitializedArray<byte>(json.Length + PieceTable.SlackBytes);
        var entries = new List<(int Id, int Start, int Length)>(1 << 15);
        var list = new JsonList(json);
        if (list.Peek() != '{') throw new RefusedException("The tokenizer's vocabulary is not an object.");
        list.Take();
        var (used, highest) = (0, -1);
        while (list.Peek() == '"')
        {
            var length = list.TakeString(text.AsSpan(used));
            list.Peek();
            if (!list.TryTakeInt(out var id) || id >= TokenizerParts.VocabMax)
                throw new RefusedException($"The tokenizer's vocabulary has an id that is not from 0 to {TokenizerParts.VocabMax - 1}.");
            if (length > TokenizerParts.TokenBytesMax) throw new RefusedException($"A token of the vocabulary is longer than {TokenizerParts.TokenBytesMax} bytes.");
            entries.Add((id, used, length));
            highest = Math.Max(highest, id);
            used += length;
        }

        Array.Resize(ref text, used + PieceTable.SlackBytes);
        var spellings = new Spellings { Text = text, Starts = new int[highest + 1], Lengths = new int[highest + 1] };
        Array.Fill(spellings.Starts, -1);
        foreach (var (id, start, length) in entries) (spellings.Starts[id], spellings.Lengths[id]) = (start, length);
        return spellings;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static BpeModel Build(ReadOnlySpan<byte> json, in Fields fields, Spellings spellings, bool isByteLevel)
    {
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
            Merges = ReadMerges(json.Slice(fields.Merges.Start, fields.Merges.Length), table, areDistinct ? pieces : null, isByteLevel),
            TokenCount = pieces.Count,
            ByteSymbols = isByteLevel ? ByteSymbols(table) : [],
            IgnoreMerges = fields.IgnoresMerges,
            UnknownId = unknown,
            FusesUnknown = fields.FusesUnknown,
            FallbackIds = fields.FallsBack ? Fallback(spellings) : [],
        };
        BpeBuilder.Complete(model, pieces.Starts, pieces.Lengths);
        BpeBuilder.FindSpaceBorders(model, id => (pieces.Starts[id], pieces.Lengths[id]));
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static MergeTable ReadMerges(ReadOnlySpan<byte> json, PieceTable pieces, Spellings? distinct, bool isByteLevel)
    {
        var list = new JsonList(json);
        if (list.Peek() != '[') throw new RefusedException("The tokenizer's merges are not a list.");
        list.Take();
        var pairs = new List<(int Left, int Right, int Symbol)>(1 << 15);
        var symbol = -1;
        var pair = new byte[TokenizerParts.TokenBytesMax * 2 + 64];
        var raw = new byte[pair.Length + PieceTable.SlackBytes];
        while (list.Peek() is not ((byte)']' or 0))
        {
            if (pairs.Count >= MergesMax) throw new RefusedException($"The tokenizer has more than {MergesMax} merges.");
            var (left, total) = ReadPair(ref list, pair);
            var (leftLength, rightLength) = (left, total - left);
            if (isByteLevel)
            {
                leftLength = ByteAlphabet.TryUnmap(pair.AsSpan(0, left), raw);
                rightLength = leftLength < 0 ? -1 : ByteAlphabet.TryUnmap(pair.AsSpan(left, total - left), raw.AsSpan(leftLength));
            }
            else
            {
                pair.AsSpan(0, total).CopyTo(raw);
            }

            // A symbol that no byte-level text has can't come up, so its merges never happen.
            if (rightLength < 0)
            {
                pairs.Add((-1, -1, -1));
                continue;
            }

            // Files mostly list merges in the order of what they give: that or the next one, or it has to be looked up.
            var both = raw.AsSpan(0, leftLength + rightLength);
            if (distinct is null || !(IsSpelled(distinct, symbol, both) || IsSpelled(distinct, ++symbol, both))) symbol = pieces.Find(raw, 0, both.Length);
            var symbols = (pieces.Find(raw, 0, leftLength), pieces.Find(raw, leftLength, rightLength), symbol);
            if (symbols.Item1 < 0 || symbols.Item2 < 0 || symbols.Item3 < 0) throw new RefusedException("The tokenizer merges tokens that are not in its vocabulary.");
            pairs.Add(symbols);
        }

        var table = new MergeTable(pairs.Count);
        for (var rank = 0; rank < pairs.Count; rank++)
        {
            if (pairs[rank].Left >= 0) table.Set(pairs[rank].Left, pairs[rank].Right, rank, pairs[rank].Symbol);
        }

        return table;
    }

    private static bool IsSpelled(Spellings spellings, int id, ReadOnlySpan<byte> text) => spellings.Has(id) && spellings.Lengths[id] > 0 && spellings[id].SequenceEqual(text);

    /// <summary>A merge: a string with one space, or a pair. Returns the lengths of the left part and of both.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (int Left, int Total) ReadPair(ref JsonList list, byte[] to)
    {
        var kind = list.Peek();
        if (kind == '"')
        {
            var length = list.TakeString(to);
            var space = length < 0 ? -1 : to.AsSpan(0, length).IndexOf((byte)' ');
            if (space < 0 || to.AsSpan(space + 1, length - space - 1).Contains((byte)' ')) throw Malformed();
            to.AsSpan(space + 1, length - space - 1).CopyTo(to.AsSpan(space));
            return (space, length - 1);
        }

        if (kind != '[') throw Malformed();
        list.Take();
        if (list.Peek() != '"') throw Malformed();
        var left = list.TakeString(to.AsSpan(0, to.Length / 2));
        if (left < 0 || list.Peek() != '"') throw Malformed();
        var right = list.TakeString(to.AsSpan(left, to.Length / 2));
        if (right < 0 || list.Peek() != ']') throw Malformed();
        list.Take();
        return (left, left + right);
    }

    private static RefusedException Malformed() => new("The tokenizer has a merge that is not a pair of tokens.");
}

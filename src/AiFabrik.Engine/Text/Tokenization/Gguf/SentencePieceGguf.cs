using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Json;
using AiFabrik.Engine.Text.Tokenization.Steps;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Gguf;

/// <summary>
/// SentencePiece BPE: two neighbours merge if their text is a piece, the best score first. Spaces are U+2581 and stay in
/// the text; user-defined pieces are found first, in the text after spaces are replaced.
/// </summary>
internal static class SentencePieceGguf
{
    private const int Normal = 1, UserDefined = 4, ByteType = 6;
    private static readonly byte[] Space = [0xE2, 0x96, 0x81];

    internal static TokenizerParts Read(GgufMetadata metadata)
    {
        var spellings = TokenizerGguf.ReadSpellings(metadata);
        var types = TokenizerGguf.ReadTypes(metadata, spellings.Count);
        if (!metadata.TryGetFloats("tokenizer.ggml.scores", out var scores) || scores.Length != spellings.Count)
            throw new RefusedException("The vocabulary has not as many scores as tokens (tokenizer.ggml.scores).");
        if (metadata.TryGetBool("tokenizer.ggml.remove_extra_whitespaces", out var removes) && removes) throw RefusedException.Unsupported("removal of extra spaces");
        var hasPrefix = !metadata.TryGetBool("tokenizer.ggml.add_space_prefix", out var prefix) || prefix;
        var normalizers = new List<Normalizer>();
        if (hasPrefix) normalizers.Add(new PrependNormalizer(Space));
        normalizers.Add(new ReplaceNormalizer(Pattern.OfLiteral(" "u8.ToArray()), Space));
        var decoder = new DecoderSteps();
        decoder.TryAddReplace(Pattern.OfLiteral(Space), " "u8.ToArray());
        decoder.TryAddByteFallback();
        decoder.Fuse();
        if (hasPrefix) decoder.TryAddStrip(" "u8.ToArray(), 1, 0);
        return new TokenizerParts
        {
            Model = Model(spellings, types, scores, TokenizerGguf.Id(metadata, "tokenizer.ggml.unknown_token_id", spellings.Count) ?? Array.IndexOf(types, 2)),
            VocabSize = spellings.Count,
            Spellings = spellings,
            Added = TokenizerGguf.Added(spellings, types, true),
            SpellingsAreNormalized = true,
            Normalizers = [.. normalizers],
            Decoder = decoder,
        };
    }

    private static BpeModel Model(Spellings spellings, int[] types, ReadOnlySpan<float> scores, int unknownId)
    {
        var table = Pieces(spellings, types, out var starts, out var lengths);
        var fallback = new int[256];
        Array.Fill(fallback, -1);
        var hasFallback = false;
        for (var id = 0; id < types.Length; id++)
        {
            var b = types[id] == ByteType && spellings.Has(id) ? DecoderSteps.ByteOf(spellings[id]) : -1;
            if (b < 0) continue;
            fallback[b] = id;
            hasFallback = true;
        }

        var model = new BpeModel
        {
            Kind = SymbolKind.SentencePiece, Pieces = table, TokenCount = spellings.Count,
            UnknownId = unknownId, FusesUnknown = true, FallbackIds = hasFallback ? fallback : [],
        };
        BpeBuilder.Complete(model, Merges(table, spellings, types, scores), starts, lengths);
        return model;
    }

    private static bool IsPiece(Spellings spellings, int[] types, int id) =>
        types[id] is Normal or UserDefined && spellings.Has(id) && spellings.Lengths[id] > 0;

    /// <summary>All pieces, and beyond them the characters that occur in pieces but are none: they can still merge.</summary>
    private static PieceTable Pieces(Spellings spellings, int[] types, out int[] starts, out int[] lengths)
    {
        var (shorts, longs) = (0, 0);
        var characters = new Dictionary<int, int>();
        for (var id = 0; id < types.Length; id++)
        {
            if (!IsPiece(spellings, types, id)) continue;
            if (PieceTable.IsShort(spellings.Lengths[id])) shorts++;
            else longs++;
            for (var at = 0; at < spellings.Lengths[id];)
            {
                characters.TryAdd(Utf8Text.Decode(spellings[id], at, out var length), spellings.Starts[id] + at);
                at += length;
            }
        }

        var table = new PieceTable(spellings.Text, shorts + characters.Count, longs);
        (starts, lengths) = (new int[types.Length + characters.Count], new int[types.Length + characters.Count]);
        for (var id = 0; id < types.Length; id++)
        {
            if (!IsPiece(spellings, types, id)) continue;
            (starts[id], lengths[id]) = (spellings.Starts[id], spellings.Lengths[id]);
            table.Add(starts[id], lengths[id], id);
        }

        var symbol = types.Length;
        foreach (var start in characters.Values)
        {
            var length = Utf8Text.Length(spellings.Text[start]);
            if (table.Add(start, length, symbol) != symbol) continue;
            (starts[symbol], lengths[symbol]) = (start, length);
            symbol++;
        }

        return table;
    }

    private static MergeRules Merges(PieceTable table, Spellings spellings, int[] types, ReadOnlySpan<float> scores)
    {
        // Equal scores are equal ranks: the leftmost pair goes first.
        var order = scores.ToArray();
        if (order.Any(float.IsNaN)) throw new RefusedException("The vocabulary has a score that is not a number.");
        Array.Sort(order);
        Array.Reverse(order);
        var rankOf = new Dictionary<float, int>();
        foreach (var score in order) rankOf.TryAdd(score, rankOf.Count);
        var pairs = new List<(int Left, int Right, int Symbol)>();
        for (var id = 0; id < types.Length; id++)
        {
            if (!IsPiece(spellings, types, id)) continue;
            var (start, length) = (spellings.Starts[id], spellings.Lengths[id]);
            if (length > BpeBuilder.TokenSymbolsMax * 4) throw RefusedException.Unsupported("a piece of more than 2048 bytes");
            for (var cut = Utf8Text.Length(spellings.Text[start]); cut < length; cut += Utf8Text.Length(spellings.Text[start + cut]))
            {
                var (left, right) = (table.Find(spellings.Text, start, cut), table.Find(spellings.Text, start + cut, length - cut));
                if (left >= 0 && right >= 0) pairs.Add((left, right, id));
            }
        }

        var rules = new MergeRules(pairs.Count) { Ranks = new int[pairs.Count] };
        for (var i = 0; i < pairs.Count; i++)
        {
            (rules.Left[i], rules.Right[i], rules.Symbol[i]) = pairs[i];
            rules.Ranks[i] = rankOf[scores[pairs[i].Symbol]];
        }

        return rules;
    }
}

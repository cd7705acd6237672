using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Json;
using AiFabrik.Engine.Text.Tokenization.Steps;

namespace AiFabrik.Engine.Text.Tokenization.Gguf;

/// <summary>Reads the vocabulary in a GGUF file: byte-level BPE (model "gpt2") and SentencePiece BPE (model "llama").</summary>
internal static class TokenizerGguf
{
    private const int Unknown = 2, Control = 3, UserDefined = 4;

    internal static bool TryRead(GgufMetadata metadata, [NotNullWhen(true)] out TokenizerParts? parts, out string error)
    {
        (parts, error) = (null, "");
        try
        {
            var model = Text(metadata, "tokenizer.ggml.model") ?? throw new RefusedException("The file has no tokenizer (tokenizer.ggml.model).");
            parts = model switch
            {
                "gpt2" => ByteLevel(metadata),
                "llama" => SentencePieceGguf.Read(metadata),
                _ => throw RefusedException.Unsupported($"the model '{model}'"),
            };
            SetEnds(metadata, parts);
            return true;
        }
        catch (RefusedException refused)
        {
            error = refused.Message;
            return false;
        }
    }

    /// <summary>The tokens' spellings; ill-formed ones can't occur in text and are left out.</summary>
    internal static Spellings ReadSpellings(GgufMetadata metadata)
    {
        if (!metadata.TryGetStrings("tokenizer.ggml.tokens", out var tokens)) throw new RefusedException("The file has no vocabulary (tokenizer.ggml.tokens).");
        if (tokens.Count > TokenizerParts.VocabMax) throw new RefusedException($"The vocabulary has more than {TokenizerParts.VocabMax} tokens.");
        long total = PieceTable.SlackBytes;
        for (var id = 0; id < tokens.Count; id++)
        {
            if (tokens[id].Length > TokenizerParts.TokenBytesMax) throw new RefusedException($"A token of the vocabulary is longer than {TokenizerParts.TokenBytesMax} bytes.");
            total += tokens[id].Length;
        }

        if (total > TokenizerJson.FileBytesMax) throw new RefusedException($"The vocabulary is larger than {TokenizerJson.FileBytesMax} bytes.");
        var spellings = new Spellings { Text = new byte[total], Starts = new int[tokens.Count], Lengths = new int[tokens.Count] };
        var used = 0;
        for (var id = 0; id < tokens.Count; id++)
        {
            var isValid = System.Text.Unicode.Utf8.IsValid(tokens[id]);
            (spellings.Starts[id], spellings.Lengths[id]) = (isValid ? used : -1, isValid ? tokens[id].Length : 0);
            if (!isValid) continue;
            tokens[id].CopyTo(spellings.Text.AsSpan(used));
            used += tokens[id].Length;
        }

        return spellings;
    }

    internal static int[] ReadTypes(GgufMetadata metadata, int count)
    {
        var types = new int[count];
        Array.Fill(types, 1);
        if (!metadata.TryGetInt32s("tokenizer.ggml.token_type", out var read)) return types;
        if (read.Length != count) throw new RefusedException("The vocabulary has not as many token types as tokens.");
        read.CopyTo(types);
        return types;
    }

    /// <summary>Control and unknown tokens are special; user-defined ones are looked for always.</summary>
    internal static List<AddedToken> Added(Spellings spellings, int[] types, bool userDefinedIsNormalized)
    {
        var added = new List<AddedToken>();
        for (var id = 0; id < types.Length; id++)
        {
            if (types[id] is not (Unknown or Control or UserDefined) || !spellings.Has(id) || spellings.Lengths[id] == 0) continue;
            var isUser = types[id] == UserDefined;
            added.Add(new AddedToken(id, spellings[id].ToArray(), false, false, false, isUser && userDefinedIsNormalized, !isUser));
        }

        return added;
    }

    internal static string? Text(GgufMetadata metadata, string key) =>
        metadata.TryGetString(key, out var value) ? Encoding.UTF8.GetString(value) : null;

    internal static int? Id(GgufMetadata metadata, string key, int count)
    {
        if (!metadata.TryGetUInt32(key, out var id)) return null;
        return id < count ? (int)id : throw new RefusedException($"'{key}' is not a token of the vocabulary.");
    }

    private static TokenizerParts ByteLevel(GgufMetadata metadata)
    {
        var name = Text(metadata, "tokenizer.ggml.pre");
        if (PreTokenizerPresets.Find(name) is not { } preset) throw RefusedException.Unsupported($"the pre-tokenizer '{name}'");
        var spellings = ReadSpellings(metadata);
        var types = ReadTypes(metadata, spellings.Count);
        var added = Added(spellings, types, false);
        // Only what the tokens between are merged from: added tokens are no pieces of the model.
        var pieces = new Spellings { Text = spellings.Text, Starts = [.. spellings.Starts], Lengths = [.. spellings.Lengths] };
        foreach (var token in added) (pieces.Starts[token.Id], pieces.Lengths[token.Id]) = (-1, 0);
        var raw = ModelReader.Unmap(pieces);
        var steps = new List<PreTokenizer>();
        ComponentReader.PreTokenizers(JsonDocument.Parse(preset.Json).RootElement, steps);
        var preTokenizers = ComponentReader.Finish(steps, out _, out var unmaps);
        var decoder = new DecoderSteps();
        decoder.TryAddByteLevel();
        return new TokenizerParts
        {
            Model = Model(metadata, raw, preset.IgnoresMerges),
            VocabSize = spellings.Count,
            Spellings = spellings,
            Added = added,
            Normalizers = preset.Composes ? [new UnicodeNormalizer(true, false)] : [],
            PreTokenizers = preTokenizers,
            Unmaps = unmaps,
            Decoder = decoder,
        };
    }

    private static BpeModel Model(GgufMetadata metadata, Spellings pieces, bool ignoresMerges)
    {
        var shorts = pieces.Lengths.Count(PieceTable.IsShort);
        var table = new PieceTable(pieces.Text, shorts, pieces.Count - shorts);
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces.Has(id) && pieces.Lengths[id] > 0) table.Add(pieces.Starts[id], pieces.Lengths[id], id);
        }

        var model = new BpeModel
        {
            Kind = SymbolKind.Bytes, Pieces = table, TokenCount = pieces.Count, ByteSymbols = ModelReader.ByteSymbols(table), IgnoreMerges = ignoresMerges,
        };
        BpeBuilder.Complete(model, Merges(metadata, table), pieces.Starts, pieces.Lengths);
        return model;
    }

    private static MergeRules Merges(GgufMetadata metadata, PieceTable table)
    {
        if (!metadata.TryGetStrings("tokenizer.ggml.merges", out var merges)) throw new RefusedException("The file has no merges (tokenizer.ggml.merges).");
        if (merges.Count > MergeList.MergesMax) throw new RefusedException($"The tokenizer has more than {MergeList.MergesMax} merges.");
        var rules = new MergeRules(merges.Count);
        var raw = new byte[(TokenizerParts.TokenBytesMax * 2) + PieceTable.SlackBytes];
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var merge = merges[rank];
            var space = merge.Length > TokenizerParts.TokenBytesMax || !System.Text.Unicode.Utf8.IsValid(merge) ? -1 : merge[1..].IndexOf((byte)' ') + 1;
            if (space <= 0) throw new RefusedException("The tokenizer has a merge that is not a pair of tokens.");
            var left = ByteAlphabet.TryUnmap(merge[..space], raw);
            var right = left < 0 ? -1 : ByteAlphabet.TryUnmap(merge[(space + 1)..], raw.AsSpan(left));
            if (right < 0)
            {
                // A symbol that no byte-level text has can't come up, so its merges never happen.
                (rules.Left[rank], rules.Right[rank], rules.Symbol[rank]) = (-1, -1, -1);
                continue;
            }

            var (l, r, both) = (table.Find(raw, 0, left), table.Find(raw, left, right), table.Find(raw, 0, left + right));
            if (l < 0 || r < 0 || both < 0) throw new RefusedException("The tokenizer merges tokens that are not in its vocabulary.");
            (rules.Left[rank], rules.Right[rank], rules.Symbol[rank]) = (l, r, both);
        }

        return rules;
    }

    private static void SetEnds(GgufMetadata metadata, TokenizerParts parts)
    {
        parts.BosId = Id(metadata, "tokenizer.ggml.bos_token_id", parts.VocabSize);
        parts.EosId = Id(metadata, "tokenizer.ggml.eos_token_id", parts.VocabSize);
        if (parts.BosId is { } bos && parts.TryGetToken(bos, out var text)) parts.BosText = text.ToArray();
        if (parts.EosId is { } eos && parts.TryGetToken(eos, out text)) parts.EosText = text.ToArray();
        // Absent: SentencePiece files mean true, byte-level ones false.
        var isSentencePiece = parts.Model.Kind == SymbolKind.SentencePiece;
        var addsBos = metadata.TryGetBool("tokenizer.ggml.add_bos_token", out var add) ? add : isSentencePiece;
        parts.AddsBos = addsBos && parts.BosId is not null;
        parts.AddsEos = metadata.TryGetBool("tokenizer.ggml.add_eos_token", out add) && add && parts.EosId is not null;
        if (parts.AddsBos) parts.Before = [parts.BosId!.Value];
        if (parts.AddsEos) parts.After = [parts.EosId!.Value];
    }
}

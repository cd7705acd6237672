using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>Completes a model that has its pieces and merges: which tokens merging reaches, and which merges it can ever use.</summary>
internal static class BpeBuilder
{
    /// <summary>Tokens of more symbols are never taken as whole pieces, and long pieces then merge with a heap.</summary>
    internal const int TokenSymbolsMax = 512;
    private const int TokensPerTask = 4096;

    private static ReadOnlySpan<byte> Space => [0xE2, 0x96, 0x81];

    /// <summary>
    /// Finds out what merging each token's own text gives. A token that this does not reach can't come out of merging at
    /// all; of one that it does reach, only the last merge ever makes it, wherever it stands: other merges into it are
    /// dropped.
    /// </summary>
    /// <param name="start">Where each piece lies in the table's text; length 0: no piece.</param>
    internal static void Complete(BpeModel model, MergeRules rules, int[] start, int[] length)
    {
        model.IndexCharacters(start, length);
        model.IdsTell = !MergesStandIns(model, rules);
        if (model.IdsTell && MergeTree.TryBuild(rules, model.Atoms(start, length)) is { } tree)
        {
            (model.Tree, model.Merges, model.IsReachable) = (tree, tree.Merges, tree.IsReachable);
        }
        else
        {
            model.Merges = rules.ToTable();
            MergeAll(model, start, length);
        }

        FindSpaceBorders(model, start, length);
    }

    /// <summary>For merges in any order: merges each token.</summary>
    private static void MergeAll(BpeModel model, int[] start, int[] length)
    {
        var tokens = model.TokenCount;
        var reachable = new bool[tokens];
        var (left, right) = (new int[tokens], new int[tokens]);
        var tooLong = false;
        Parallel.For(0, (tokens + TokensPerTask - 1) / TokensPerTask, () => new BpeScratch(), (task, _, scratch) =>
        {
            var end = Math.Min(tokens, (task + 1) * TokensPerTask);
            if (!MergeTokens(model, scratch, task * TokensPerTask, end, start, length, reachable, left, right)) tooLong = true;
            return scratch;
        }, _ => { });
        model.IsReachable = reachable;
        if (!tooLong && model.IdsTell) Prune(model, reachable, left, right);
    }

    /// <summary>Merges some tokens' text; false if one of them is too long for that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool MergeTokens(BpeModel model, BpeScratch scratch, int from, int to, int[] start, int[] length, bool[] reachable, int[] left, int[] right)
    {
        var allFit = true;
        for (var id = from; id < to; id++)
        {
            if (length[id] == 0) continue;
            var n = 0;
            if (length[id] <= TokenSymbolsMax * 4)
            {
                scratch.EnsureSymbols(length[id] + 1);
                n = model.Symbols(scratch, model.Pieces.Text, start[id], length[id]);
            }

            if (length[id] > TokenSymbolsMax * 4 || n > TokenSymbolsMax)
            {
                allFit = false;
            }
            else if (Merger.MergeSmall(model.Merges, scratch, scratch.Symbols.AsSpan(0, n)) == 1 && scratch.Small[0] == id)
            {
                reachable[id] = true;
                (left[id], right[id]) = n > 1 ? (scratch.LastLeft, scratch.LastRight) : (-1, -1);
            }
        }

        return allFit;
    }

    /// <summary>Finds out where a U+2581 can be a hard border.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FindSpaceBorders(BpeModel model, int[] start, int[] length)
    {
        if (model.Kind == SymbolKind.Bytes || model.IgnoreMerges) return;
        var text = model.Pieces.Text;
        var probe = new byte[PieceTable.SlackBytes + 3];
        Space.CopyTo(probe);
        if (model.Pieces.Find(probe, 0, 3) < 0) return;
        var joins = new bool[256];
        if (model.Tree is { } tree)
        {
            for (var id = 0; id < model.TokenCount; id++)
            {
                if (tree.TryGetParts(id, out var left, out _) && Joins(text.AsSpan(start[id], length[id]), length[left], out var last)) joins[last] = true;
            }

            model.JoinsSpaceAfter = joins;
            return;
        }

        var both = new byte[TokenizerParts.TokenBytesMax * 2];
        for (var place = 0; place < model.Merges.Places; place++)
        {
            if (!model.Merges.TryGetPair(place, out var left, out var right)) continue;
            if (length[left] == 0 || length[right] == 0) return;
            text.AsSpan(start[left], length[left]).CopyTo(both);
            text.AsSpan(start[right], length[right]).CopyTo(both.AsSpan(length[left]));
            if (Joins(both.AsSpan(0, length[left] + length[right]), length[left], out var last)) joins[last] = true;
        }

        model.JoinsSpaceAfter = joins;
    }

    /// <summary>Whether a U+2581 starts the right part and does not end the left one, and the byte before it.</summary>
    private static bool Joins(ReadOnlySpan<byte> text, int leftLength, out byte last)
    {
        last = text[leftLength - 1];
        return text[leftLength..].StartsWith(Space) && !text[..leftLength].EndsWith(Space);
    }

    /// <summary>Whether merges use or make the tokens that stand for bytes or for unknown characters; their text is not what they stand for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool MergesStandIns(BpeModel model, MergeRules rules)
    {
        if (model.FallbackIds.Length == 0 && model.UnknownId < 0) return false;
        var standIns = new bool[model.TokenCount];
        foreach (var id in model.FallbackIds) standIns[Math.Max(id, 0)] |= id >= 0;
        if (model.UnknownId >= 0) standIns[model.UnknownId] = true;
        for (var i = 0; i < rules.Count; i++)
        {
            if (IsStandIn(rules.Left[i]) || IsStandIn(rules.Right[i]) || IsStandIn(rules.Symbol[i])) return true;
        }

        return false;

        bool IsStandIn(int symbol) => (uint)symbol < (uint)standIns.Length && standIns[symbol];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Prune(BpeModel model, bool[] reachable, int[] left, int[] right)
    {
        var merges = new MergeTable(reachable.Length);
        for (var id = 0; id < reachable.Length; id++)
        {
            if (reachable[id] && right[id] >= 0) merges.Set(left[id], right[id], model.Merges.Rank(left[id], right[id]), id);
        }

        model.Merges = merges;
    }
}

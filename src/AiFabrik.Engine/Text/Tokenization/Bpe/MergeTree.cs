using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>
/// For each token that merging can give: the merge that makes it. That is one and the same wherever the token comes up,
/// as everything within it merges as it would alone. It exists for merges as training writes them down, each after those
/// that make its parts.
/// </summary>
internal sealed class MergeTree
{
    private const int Atom = -1;
    private readonly int[] _left, _right, _rank;

    private MergeTree(bool[] isReachable, int mergeCount)
    {
        IsReachable = isReachable;
        (_left, _right, _rank) = (new int[isReachable.Length], new int[isReachable.Length], new int[isReachable.Length]);
        Array.Fill(_rank, Atom);
        Merges = new MergeTable(Math.Min(mergeCount, isReachable.Length));
    }

    /// <summary>Whether merging a token's own text gives that token.</summary>
    internal bool[] IsReachable { get; }

    /// <summary>The merges that ever happen.</summary>
    internal MergeTable Merges { get; }

    /// <summary>The two tokens that become this one; false for one that is not merged.</summary>
    internal bool TryGetParts(int id, out int left, out int right)
    {
        (left, right) = (_left[id], _right[id]);
        return _rank[id] != Atom;
    }

    /// <summary>
    /// Goes through the merges in their order. Null if one comes before those that make its parts, or twice.
    /// </summary>
    /// <param name="isAtom">Tokens that are symbols of the text itself; becomes <see cref="IsReachable"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static MergeTree? TryBuild(MergeRules rules, bool[] isAtom)
    {
        if (rules.Ranks is not null) return null;
        var tree = new MergeTree(isAtom, rules.Count);
        var (reachable, wanted) = (tree.IsReachable, new bool[isAtom.Length]);
        for (var rank = 0; rank < rules.Count; rank++)
        {
            var (left, right, symbol) = (rules.Left[rank], rules.Right[rank], rules.Symbol[rank]);
            if (left < 0) continue;
            if (!reachable[left] || !reachable[right])
            {
                // Parts that never come up, unless a later merge makes them.
                wanted[left] |= !reachable[left];
                wanted[right] |= !reachable[right];
                continue;
            }

            if (!tree.StayApart(left, right)) continue;
            if (reachable[symbol] || wanted[symbol]) return null;
            reachable[symbol] = true;
            (tree._left[symbol], tree._right[symbol], tree._rank[symbol]) = (left, right, rank);
            tree.Merges.Set(left, right, rank, symbol);
        }

        return tree;
    }

    /// <summary>
    /// Whether two tokens side by side come out of merging the text of both, before they merge with each other. Time runs
    /// backwards: of the two at the border the one made last is taken apart, and what stood there before must not have had
    /// a merge of a lower rank. (Among equal ranks the left one goes first.)
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal bool StayApart(int left, int right)
    {
        while (true)
        {
            var (leftRank, rightRank) = (_rank[left], _rank[right]);
            int limit;
            if (leftRank > rightRank)
            {
                left = _right[left];
                limit = leftRank;
            }
            else
            {
                if (rightRank == Atom) return true;
                right = _left[right];
                limit = rightRank + 1;
            }

            if (Merges.Rank(left, right) < limit) return false;
        }
    }

    /// <summary>Whether two neighbours are what merging gives for the text of both.</summary>
    internal bool AreFinal(int left, int right) => Merges.Rank(left, right) == MergeTable.NoMerge && StayApart(left, right);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>
/// For each token that merging can give: the merge that makes it. That is one and the same wherever the token comes up,
/// as everything within it merges as it would alone. Found without merging, from the merges in their order.
/// </summary>
/// <remarks>
/// A token's time is the highest rank among the merges that make it and its parts. Merging goes through the times in
/// their order; mostly a token's time is the rank of its own merge, but where its merge is listed before those of its
/// parts, it happens as soon as the parts are there.
/// </remarks>
internal sealed class MergeTree
{
    private const int Atom = -1;
    private readonly Node[] _nodes;

    // For the few merges of which only merging can tell whether they happen.
    private readonly List<int> _symbols = [];
    private readonly BpeScratch _scratch = new();
    private MergeTable? _all;

    private MergeTree(bool[] isReachable, int mergeCount)
    {
        IsReachable = isReachable;
        _nodes = new Node[isReachable.Length];
        Array.Fill(_nodes, new Node { Rank = Atom, Time = Atom });
        Merges = new MergeTable(Math.Min(mergeCount, isReachable.Length));
    }

    private enum Border
    {
        /// <summary>A merge reaches over it.</summary>
        Crossed,

        /// <summary>The two tokens come to stand side by side.</summary>
        Kept,

        /// <summary>Two merges of one time: only merging can tell.</summary>
        Unknown,
    }

    /// <summary>Whether merging a token's own text gives that token.</summary>
    internal bool[] IsReachable { get; }

    /// <summary>The merges that ever happen.</summary>
    internal MergeTable Merges { get; }

    /// <summary>The two tokens that become this one; false for one that is not merged.</summary>
    internal bool TryGetParts(int id, out int left, out int right)
    {
        (left, right) = (_nodes[id].Left, _nodes[id].Right);
        return _nodes[id].Rank != Atom;
    }

    /// <summary>Goes through the merges in their order. Null if ranks are not places in the list, or a merge is listed twice.</summary>
    /// <param name="isAtom">Tokens that are symbols of the text itself; becomes <see cref="IsReachable"/>.</param>
    internal static MergeTree? TryBuild(MergeRules rules, bool[] isAtom)
    {
        if (rules.Ranks is not null) return null;
        var tree = new MergeTree(isAtom, rules.Count);
        var isWhole = tree.TryAddAll(rules);
        tree._all = null;
        return isWhole ? tree : null;
    }

    /// <summary>
    /// Whether two neighbours are what merging gives for the text of both. False: that can't be told from the tree.
    /// </summary>
    internal bool TryTellFinal(int left, int right, out bool isFinal)
    {
        isFinal = false;
        if (Merges.Rank(left, right) != MergeTable.NoMerge) return true;
        var border = Meet(left, right);
        isFinal = border == Border.Kept;
        return border != Border.Unknown;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryAddAll(MergeRules rules)
    {
        // Merges that wait for a part: chains that start at the part.
        var (first, next) = (new int[IsReachable.Length], new int[rules.Count]);
        Array.Fill(first, -1);
        var due = new Stack<int>();
        for (var rank = 0; rank < rules.Count; rank++)
        {
            if (rules.Left[rank] < 0) continue;
            due.Push(rank);
            while (due.TryPop(out var merge))
            {
                var (left, right, symbol) = (rules.Left[merge], rules.Right[merge], rules.Symbol[merge]);
                if (!IsReachable[left] || !IsReachable[right])
                {
                    var missing = IsReachable[left] ? right : left;
                    (next[merge], first[missing]) = (first[missing], merge);
                    continue;
                }

                if (IsReachable[symbol])
                {
                    // One merge makes a token, so others don't. The same one twice would count with its last rank.
                    if (_nodes[symbol].Left == left && _nodes[symbol].Right == right) return false;
                    continue;
                }

                if (!Happens(rules, left, right, merge != rank)) continue;
                IsReachable[symbol] = true;
                _nodes[symbol] = new Node { Left = left, Right = right, Rank = merge, Time = rank };
                Merges.Set(left, right, merge, symbol);
                for (var waits = first[symbol]; waits >= 0; waits = next[waits]) due.Push(waits);
            }
        }

        return true;
    }

    /// <summary>Whether the two parts of a merge come to stand side by side.</summary>
    /// <param name="isLate">Whether it waited for a part: then others that happen at the same time may not be known yet.</param>
    private bool Happens(MergeRules rules, int left, int right, bool isLate)
    {
        var border = isLate ? Border.Unknown : Meet(left, right);
        if (border != Border.Unknown) return border == Border.Kept;
        _all ??= rules.ToTable();
        _symbols.Clear();
        Expand(left);
        Expand(right);
        return Merger.MergeSmall(_all, _scratch, CollectionsMarshal.AsSpan(_symbols)) == 1 && _scratch.LastLeft == left && _scratch.LastRight == right;
    }

    /// <summary>The symbols of the text itself that a token is made of.</summary>
    private void Expand(int id)
    {
        var stack = new Stack<int>([id]);
        while (stack.TryPop(out var at))
        {
            if (!TryGetParts(at, out var left, out var right))
            {
                _symbols.Add(at);
                continue;
            }

            stack.Push(right);
            stack.Push(left);
        }
    }

    /// <summary>
    /// Whether two tokens come to stand side by side when the text of both is merged. Goes back in time: of the two at the
    /// border the one made last is taken apart, and what stood there before must not have merged earlier than that.
    /// (Of two places for one merge the left one goes first.)
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Border Meet(int left, int right)
    {
        while (true)
        {
            var (leftTime, rightTime) = (_nodes[left].Time, _nodes[right].Time);
            var isLeft = leftTime > rightTime;
            var last = isLeft ? left : right;
            var (time, isPlain) = (_nodes[last].Time, _nodes[last].Rank == _nodes[last].Time);
            if (time == Atom) return Border.Kept;
            if (leftTime == rightTime && !isPlain) return Border.Unknown;
            if (isLeft) left = _nodes[left].Right;
            else right = _nodes[right].Left;
            var rank = Merges.Rank(left, right);
            if (rank == MergeTable.NoMerge) continue;
            var crossed = Math.Max(rank, Math.Max(_nodes[left].Time, _nodes[right].Time));
            if (crossed < time) return Border.Crossed;
            if (crossed > time) continue;
            if (!isPlain) return Border.Unknown;
            if (!isLeft) return Border.Crossed;
        }
    }

    private struct Node
    {
        internal int Left, Right, Rank, Time;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>
/// Merges a piece's symbols by rank, among equal ranks the leftmost first, until no pair merges. Three ways to the same
/// result: a scan for short pieces; for long ones chunks of that, joined where the border is sound; and a heap.
/// </summary>
internal static class Merger
{
    /// <summary>Symbols in a chunk of a long piece. A power of two, as the merges of runs double.</summary>
    internal const int ChunkSymbols = 64;

    /// <summary>Longest piece of which a place and a rank fit one number.</summary>
    private const int LinkedSymbolsMax = 256;

    /// <summary>Work that chunks may take, for each symbol, before the heap does it.</summary>
    private const long BudgetPerSymbol = 48, BudgetLeast = 16384;

    /// <summary>
    /// Merges <paramref name="symbols"/> into scratch.Small[0..count) with the index of each token's first symbol in
    /// scratch.SmallFirst. Time grows with the square of the length, by an eighth of an instruction.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int MergeSmall(MergeTable table, BpeScratch scratch, ReadOnlySpan<int> symbols) =>
        symbols.Length <= LinkedSymbolsMax ? MergeLinked(table, scratch, symbols) : MergeMoved(table, scratch, symbols);

    /// <summary>Keeps every symbol in its place: keys are ranks with the place in the low bits, so that the least is the next merge.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int MergeLinked(MergeTable table, BpeScratch scratch, ReadOnlySpan<int> symbols)
    {
        var n = symbols.Length;
        if (n == 0) return 0;
        scratch.Work += n;
        // A symbol more, so that the last one has a successor, and whole vectors of keys.
        var lanes = (n + Vector256<int>.Count - 1) / Vector256<int>.Count * Vector256<int>.Count;
        scratch.EnsureSmall(lanes + 1);
        var ids = scratch.Small.AsSpan(0, n);
        var keys = scratch.SmallRanks.AsSpan(0, lanes);
        var merged = scratch.SmallMerged.AsSpan(0, n);
        var next = scratch.SmallNext.AsSpan(0, n + 1);
        var before = scratch.SmallFirst.AsSpan(0, n + 1);
        keys.Fill(int.MaxValue);
        for (var i = 0; i < n; i++)
        {
            ids[i] = symbols[i];
            next[i] = i + 1;
            before[i] = i - 1;
            if (i + 1 < n) keys[i] = Key(table.Rank(symbols[i], symbols[i + 1], out merged[i]), i);
        }

        while (true)
        {
            var least = Min(keys);
            if (least == int.MaxValue) break;
            scratch.Work += lanes / Vector256<int>.Count;
            var at = least & LinkedSymbolsMax - 1;
            var right = next[at];
            var after = next[right];
            (scratch.LastLeft, scratch.LastRight) = (ids[at], ids[right]);
            var id = ids[at] = merged[at];
            keys[right] = int.MaxValue;
            next[at] = after;
            before[after] = at;
            keys[at] = after < n ? Key(table.Rank(id, ids[after], out merged[at]), at) : int.MaxValue;
            var left = before[at];
            if (left >= 0) keys[left] = Key(table.Rank(ids[left], id, out merged[left]), left);
        }

        var count = 0;
        for (var i = 0; i < n; i = next[i])
        {
            ids[count] = ids[i];
            before[count++] = i;
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Key(int rank, int at) => rank == MergeTable.NoMerge ? int.MaxValue : rank * LinkedSymbolsMax | at;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Min(ReadOnlySpan<int> keys)
    {
        var least = Vector256.Create(keys);
        for (var at = Vector256<int>.Count; at + Vector256<int>.Count <= keys.Length; at += Vector256<int>.Count) least = Vector256.Min(least, Vector256.Create(keys[at..]));
        var four = Vector128.Min(least.GetLower(), least.GetUpper());
        var two = Vector128.Min(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.Min(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    /// <summary>The same for any length: what was merged moves together.</summary>
    private static int MergeMoved(MergeTable table, BpeScratch scratch, ReadOnlySpan<int> symbols)
    {
        var n = symbols.Length;
        scratch.Work += n;
        scratch.EnsureSmall(n + Vector<int>.Count);
        var ids = scratch.Small.AsSpan(0, n);
        var ranks = scratch.SmallRanks.AsSpan(0, n);
        var first = scratch.SmallFirst.AsSpan(0, n);
        symbols.CopyTo(ids);
        for (var i = 0; i < n; i++) first[i] = i;
        for (var i = 0; i + 1 < n; i++) ranks[i] = table.Rank(ids[i], ids[i + 1]);
        ranks[n - 1] = MergeTable.NoMerge;
        while (n > 1)
        {
            var best = IndexOfMin(ranks[..n], out var rank);
            if (rank == MergeTable.NoMerge) break;
            scratch.Work += n / 8;
            (scratch.LastLeft, scratch.LastRight) = (ids[best], ids[best + 1]);
            table.Rank(ids[best], ids[best + 1], out ids[best]);
            ids[(best + 2)..n].CopyTo(ids[(best + 1)..]);
            first[(best + 2)..n].CopyTo(first[(best + 1)..]);
            ranks[(best + 1)..n].CopyTo(ranks[best..]);
            n--;
            ranks[best] = best + 1 < n ? table.Rank(ids[best], ids[best + 1]) : MergeTable.NoMerge;
            if (best > 0) ranks[best - 1] = table.Rank(ids[best - 1], ids[best]);
        }

        return n;
    }

    /// <summary>
    /// Merges a long piece chunk by chunk into scratch.Tokens. A sequence of tokens is what merging gives exactly if each
    /// two neighbours are what merging gives for their own text, so only borders need a look. (Until a merge crosses a
    /// border, each side merges as it would alone, as the best of all pairs is the best of its side. The first merge that
    /// crosses would be the best of its two tokens too, and so happen there.) False: too much had to be done again.
    /// </summary>
    /// <param name="idsTell">Whether an id stands for the same symbols wherever it occurs.</param>
    /// <param name="tree">Tells of most borders without merging again, if there is one.</param>
    internal static bool TryMergeChunks(MergeTable table, MergeTree? tree, BpeScratch scratch, int symbolCount, bool idsTell, out int count)
    {
        scratch.EnsureTokens(symbolCount + ChunkSymbols);
        scratch.Chunks.Begin();
        var symbols = scratch.Symbols.AsSpan(0, symbolCount);
        var (tokens, first) = (scratch.Tokens, scratch.TokenFirst);
        var budget = BudgetLeast + (BudgetPerSymbol * symbolCount);
        count = 0;
        for (var from = 0; from < symbolCount;)
        {
            var to = Math.Min(from + ChunkSymbols, symbolCount);
            var start = from;
            var keep = count;
            for (var back = 1; ; back *= 2)
            {
                // Text that repeats itself merges as before.
                if (!scratch.Chunks.TryGet(symbols, start, to, out var ids, out var starts))
                {
                    budget -= (to - start) * (4L + (to - start) / ChunkSymbols);
                    if (budget < 0) return false;
                    var n = MergeSmall(table, scratch, symbols[start..to]);
                    ids = scratch.Small.AsSpan(0, n);
                    starts = scratch.SmallFirst.AsSpan(0, n);
                    scratch.Chunks.Keep(symbols, start, to, ids, starts);
                }

                ids.CopyTo(tokens.AsSpan(keep));
                for (var i = 0; i < starts.Length; i++) first[keep + i] = start + starts[i];
                count = keep + ids.Length;
                first[count] = to;
                if (keep == 0 || IsSound(table, tree, scratch, symbols, keep, idsTell)) break;
                keep = Math.Max(0, keep - back);
                start = first[keep];
            }

            // The last tokens may have been cut off by the chunk's end: the next chunk starts with them.
            from = to;
            if (to == symbolCount) break;
            for (var cut = 0; cut < 2 && count - 1 > keep && first[count - 1] - start >= ChunkSymbols / 2; cut++) from = first[--count];
        }

        return true;
    }

    /// <summary>Merges with a heap of pairs; for merges whose order chunks can't rely on. Results in scratch.Tokens.</summary>
    internal static int MergeHeap(MergeTable table, BpeScratch scratch, int n)
    {
        scratch.EnsureHeap(n);
        scratch.EnsureTokens(n);
        var (ids, next, before) = (scratch.Symbols, scratch.Next, scratch.Before);
        var heap = new Heap(scratch.Heap);
        for (var i = 0; i < n; i++)
        {
            next[i] = i + 1 < n ? i + 1 : -1;
            before[i] = i - 1;
            if (i + 1 < n) Consider(table, ids, ref heap, i, i + 1);
        }

        // A symbol that was merged into the one before it is marked by a link to itself.
        while (heap.TryPop(out var entry))
        {
            scratch.Work++;
            var (rank, at) = ((int)(entry >> 32), (int)(uint)entry);
            var right = next[at];
            if (right < 0 || right == at || table.Rank(ids[at], ids[right], out var merged) != rank) continue;
            ids[at] = merged;
            next[at] = next[right];
            if (next[at] >= 0) before[next[at]] = at;
            next[right] = right;
            if (next[at] >= 0) Consider(table, ids, ref heap, at, next[at]);
            if (before[at] >= 0) Consider(table, ids, ref heap, before[at], at);
        }

        var count = 0;
        for (var i = n > 0 ? 0 : -1; i >= 0; i = next[i])
        {
            scratch.Tokens[count] = ids[i];
            scratch.TokenFirst[count++] = i;
        }

        return count;
    }

    private static void Consider(MergeTable table, int[] ids, ref Heap heap, int left, int right)
    {
        var rank = table.Rank(ids[left], ids[right]);
        if (rank != MergeTable.NoMerge) heap.Push((ulong)(uint)rank << 32 | (uint)left);
    }

    /// <summary>Whether the token at <paramref name="at"/> and the one before it are what merging gives for their text.</summary>
    private static bool IsSound(MergeTable table, MergeTree? tree, BpeScratch scratch, ReadOnlySpan<int> symbols, int at, bool idsTell)
    {
        var (left, right) = (scratch.Tokens[at - 1], scratch.Tokens[at]);
        if (tree is not null && tree.TryTellFinal(left, right, out var isFinal)) return isFinal;
        if (idsTell && scratch.Chunks.TryGetBorder(left, right, out var isSound)) return isSound;
        var first = scratch.TokenFirst;
        var n = MergeSmall(table, scratch, symbols[first[at - 1]..first[at + 1]]);
        isSound = n == 2 && scratch.SmallFirst[1] == first[at] - first[at - 1];
        scratch.Chunks.KeepBorder(left, right, isSound);
        return isSound;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOfMin(ReadOnlySpan<int> values, out int min)
    {
        if (values.Length < Vector<int>.Count * 2)
        {
            var index = 0;
            min = values[0];
            for (var i = 1; i < values.Length; i++)
            {
                if (values[i] >= min) continue;
                min = values[i];
                index = i;
            }

            return index;
        }

        var least = new Vector<int>(values);
        var at = Vector<int>.Count;
        for (; at + Vector<int>.Count <= values.Length; at += Vector<int>.Count) least = Vector.Min(least, new Vector<int>(values[at..]));
        least = Vector.Min(least, new Vector<int>(values[^Vector<int>.Count..]));
        min = least[0];
        for (var i = 1; i < Vector<int>.Count; i++) min = Math.Min(min, least[i]);
        return values.IndexOf(min);
    }

    /// <summary>A binary heap of numbers in an array that is large enough: at most three entries for each symbol.</summary>
    private ref struct Heap(ulong[] items)
    {
        private readonly ulong[] _items = items;
        private int _count;

        internal void Push(ulong item)
        {
            var at = _count++;
            while (at > 0 && _items[(at - 1) / 2] > item)
            {
                _items[at] = _items[(at - 1) / 2];
                at = (at - 1) / 2;
            }

            _items[at] = item;
        }

        internal bool TryPop(out ulong item)
        {
            item = 0;
            if (_count == 0) return false;
            item = _items[0];
            var last = _items[--_count];
            var at = 0;
            while (true)
            {
                var child = at * 2 + 1;
                if (child >= _count) break;
                if (child + 1 < _count && _items[child + 1] < _items[child]) child++;
                if (_items[child] >= last) break;
                _items[at] = _items[child];
                at = child;
            }

            _items[at] = last;
            return true;
        }
    }
}

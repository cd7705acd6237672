using System.Numerics;
using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>
/// Merges a piece's symbols by rank, among equal ranks the leftmost first, until no pair merges. Three ways to the same
/// result: a scan for short pieces; for long ones chunks of that, joined where the border is sound; and a heap.
/// </summary>
internal static class Merger
{
    /// <summary>Symbols in a chunk of a long piece. A power of two, as the merges of runs double.</summary>
    internal const int ChunkSymbols = 128;

    /// <summary>
    /// Merges <paramref name="symbols"/> into scratch.Small[0..count) with the index of each token's first symbol in
    /// scratch.SmallFirst. Time grows with the square of the length, by an eighth of an instruction.
    /// </summary>
    internal static int MergeSmall(MergeTable table, BpeScratch scratch, ReadOnlySpan<int> symbols)
    {
        var n = symbols.Length;
        scratch.EnsureSmall(n + Vector<int>.Count);
        var ids = scratch.Small.AsSpan(0, n);
        var ranks = scratch.SmallRanks.AsSpan(0, n);
        var first = scratch.SmallFirst.AsSpan(0, n);
        symbols.CopyTo(ids);
        for (var i = 0; i < n; i++) first[i] = i;
        for (var i = 0; i + 1 < n; i++) ranks[i] = table.Rank(ids[i], ids[i + 1]);
        if (n > 0) ranks[n - 1] = MergeTable.NoMerge;
        while (n > 1)
        {
            var best = IndexOfMin(ranks[..n], out var rank);
            if (rank == MergeTable.NoMerge) break;
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
    /// Merges a long piece chunk by chunk into scratch.Tokens. Holds only where merges are ordered (a merge comes after
    /// all that make its parts): then a sequence of tokens is what merging gives exactly if each two neighbours are what
    /// merging gives for their own text, so only borders need a look. False: too much had to be done again.
    /// </summary>
    internal static bool TryMergeChunks(MergeTable table, BpeScratch scratch, int symbolCount, out int count)
    {
        scratch.EnsureTokens(symbolCount + ChunkSymbols);
        var symbols = scratch.Symbols.AsSpan(0, symbolCount);
        var (tokens, first) = (scratch.Tokens, scratch.TokenFirst);
        var budget = 4096 + (16L * symbolCount);
        var (copyOf, copyTo, copyCount) = (0, 0, 0);
        var sound = (Left: -2, Right: -2);
        count = 0;
        for (var from = 0; from < symbolCount;)
        {
            var to = Math.Min(from + ChunkSymbols, symbolCount);
            var start = from;
            var keep = count;
            var back = 1;
            while (true)
            {
                // Text that repeats itself merges as before. A chunk with tokens taken back is another text.
                if (back > 1 || copyTo - copyOf != to - start || !symbols[start..to].SequenceEqual(symbols[copyOf..copyTo]))
                {
                    budget -= to - start;
                    if (budget < 0) return false;
                    copyCount = MergeSmall(table, scratch, symbols[start..to]);
                    scratch.KeepChunk(copyCount);
                    (copyOf, copyTo) = (start, to);
                }

                Append(scratch, keep, copyCount, start, to);
                count = keep + copyCount;
                if (keep == 0 || (tokens[keep - 1], tokens[keep]) == sound) break;
                if (IsSound(table, scratch, symbols[first[keep - 1]..first[keep + 1]], first[keep] - first[keep - 1]))
                {
                    sound = (tokens[keep - 1], tokens[keep]);
                    break;
                }

                keep = Math.Max(0, keep - back);
                back *= 2;
                start = first[keep];
            }

            // The last token may have been cut off by the chunk's end: the next chunk starts with it.
            from = to;
            if (to < symbolCount && first[count - 1] - start >= ChunkSymbols / 2 && count - 1 > keep) from = first[--count];
        }

        return true;
    }

    private static void Append(BpeScratch scratch, int at, int n, int start, int end)
    {
        scratch.Chunk.AsSpan(0, n).CopyTo(scratch.Tokens.AsSpan(at));
        for (var i = 0; i < n; i++) scratch.TokenFirst[at + i] = start + scratch.ChunkFirst[i];
        scratch.TokenFirst[at + n] = end;
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

    /// <summary>Whether two tokens side by side, the first of <paramref name="leftSymbols"/> symbols, are what merging gives.</summary>
    private static bool IsSound(MergeTable table, BpeScratch scratch, ReadOnlySpan<int> both, int leftSymbols)
    {
        var n = MergeSmall(table, scratch, both);
        return n == 2 && scratch.SmallFirst[1] == leftSymbols;
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

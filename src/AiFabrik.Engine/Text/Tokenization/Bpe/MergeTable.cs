using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>
/// Pairs of symbols that merge → rank (lower merges first) and the symbol that they become. Most pairs that are asked for
/// don't merge: a byte for each slot tells that from memory that stays in the processor's cache.
/// </summary>
internal sealed class MergeTable
{
    internal const int NoMerge = int.MaxValue;
    private readonly Slot[] _slots;

    /// <summary>0: the slot is free; else some bits of its hash.</summary>
    private readonly byte[] _tags;
    private readonly int _shift;

    internal MergeTable(int count)
    {
        var bits = 4;
        while (1L << bits < count + count / 2L) bits++;
        _slots = new Slot[1 << bits];
        _tags = new byte[1 << bits];
        _shift = 64 - bits;
    }

    internal int Count { get; private set; }

    /// <summary>Adds or replaces a pair.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Set(int left, int right, int rank, int symbol)
    {
        var key = Key(left, right);
        var hash = Hash(key);
        var at = (int)(hash >> _shift);
        while (_tags[at] != 0 && _slots[at].Key != key) at = at + 1 & _tags.Length - 1;
        if (_tags[at] == 0) Count++;
        _tags[at] = Tag(hash);
        _slots[at] = new Slot { Key = key, Rank = rank, Symbol = symbol };
    }

    /// <summary>Rank of a pair, or <see cref="NoMerge"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Rank(int left, int right) => Rank(left, right, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Rank(int left, int right, out int symbol)
    {
        var key = Key(left, right);
        var hash = Hash(key);
        var tag = Tag(hash);
        var tags = _tags;
        for (var at = (int)(hash >> _shift); ; at = at + 1 & tags.Length - 1)
        {
            var found = tags[at];
            if (found == 0)
            {
                symbol = -1;
                return NoMerge;
            }

            if (found != tag) continue;
            ref var slot = ref _slots[at];
            if (slot.Key != key) continue;
            symbol = slot.Symbol;
            return slot.Rank;
        }
    }

    /// <summary>Number of places; some are free.</summary>
    internal int Places => _slots.Length;

    /// <summary>The pair at a place; false if that is free.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryGetPair(int place, out int left, out int right)
    {
        var key = _slots[place].Key;
        (left, right) = ((int)(key >> 32) - 2, (int)(uint)key - 2);
        return key != 0;
    }

    // Symbols are -1 (never merges) and up; two is added so that no key is 0.
    private static ulong Key(int left, int right) => (ulong)(uint)(left + 2) << 32 | (uint)(right + 2);

    private static ulong Hash(ulong key)
    {
        var h = key * 0x9E3779B97F4A7C15UL;
        return (h ^ h >> 32) * 0xD6E8FEB86659FD93UL;
    }

    private static byte Tag(ulong hash) => (byte)(hash | 1);

    private struct Slot
    {
        internal ulong Key;
        internal int Rank, Symbol;
    }
}

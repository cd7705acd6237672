using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>Pairs of symbols that merge → rank (lower merges first) and the symbol that they become.</summary>
internal sealed class MergeTable
{
    internal const int NoMerge = int.MaxValue;
    private readonly Slot[] _slots;
    private readonly int _shift;

    internal MergeTable(int count)
    {
        var bits = 4;
        while (1L << bits < count * 2L) bits++;
        _slots = new Slot[1 << bits];
        _shift = 64 - bits;
    }

    internal int Count { get; private set; }

    /// <summary>Adds or replaces a pair.</summary>
    internal void Set(int left, int right, int rank, int symbol)
    {
        var key = Key(left, right);
        var at = Hash(key) >> _shift;
        while (_slots[at].Key != 0 && _slots[at].Key != key) at = at + 1 & (ulong)(_slots.Length - 1);
        if (_slots[at].Key == 0) Count++;
        _slots[at] = new Slot { Key = key, Rank = rank, Symbol = symbol };
    }

    /// <summary>Rank of a pair, or <see cref="NoMerge"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Rank(int left, int right) => Rank(left, right, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Rank(int left, int right, out int symbol)
    {
        var key = Key(left, right);
        var slots = _slots;
        var at = Hash(key) >> _shift;
        while (true)
        {
            ref var slot = ref slots[at];
            if (slot.Key == key)
            {
                symbol = slot.Symbol;
                return slot.Rank;
            }

            if (slot.Key == 0)
            {
                symbol = -1;
                return NoMerge;
            }

            at = at + 1 & (ulong)(slots.Length - 1);
        }
    }

    /// <summary>Every pair: left, right, rank, symbol.</summary>
    internal IEnumerable<(int Left, int Right, int Rank, int Symbol)> Pairs()
    {
        foreach (var slot in _slots)
        {
            if (slot.Key != 0) yield return ((int)(slot.Key >> 32) - 2, (int)(uint)slot.Key - 2, slot.Rank, slot.Symbol);
        }
    }

    // Symbols are -1 (never merges) and up; two is added so that no key is 0.
    private static ulong Key(int left, int right) => (ulong)(uint)(left + 2) << 32 | (uint)(right + 2);

    private static ulong Hash(ulong key)
    {
        var h = key * 0x9E3779B97F4A7C15UL;
        return (h ^ h >> 32) * 0xD6E8FEB86659FD93UL;
    }

    private struct Slot
    {
        internal ulong Key;
        internal int Rank, Symbol;
    }
}

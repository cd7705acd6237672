using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>
/// Bytes of a piece → its symbol. Pieces of up to 15 bytes are keys themselves (two words, the length in the last
/// byte), longer ones are compared with the stored text. Buffers that are searched have <see cref="SlackBytes"/> after the piece.
/// </summary>
internal sealed class PieceTable
{
    internal const int SlackBytes = 16;
    private const int ShortBytesMax = 15;
    private readonly byte[] _text;
    private readonly Slot[] _short;
    private readonly LongSlot[] _long;
    private readonly int _shortShift, _longShift;
    private int _longest;

    /// <param name="text">Holds every piece; <see cref="SlackBytes"/> follow the last.</param>
    internal PieceTable(byte[] text, int shortCount, int longCount)
    {
        _text = text;
        _short = new Slot[Capacity(shortCount, out _shortShift)];
        _long = new LongSlot[Capacity(longCount, out _longShift)];
    }

    internal byte[] Text => _text;

    internal static bool IsShort(int length) => length <= ShortBytesMax;

    /// <summary>Adds a piece of <see cref="Text"/>; the first of equal ones stays. Returns the symbol that the piece now has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int Add(int start, int length, int symbol)
    {
        _longest = Math.Max(_longest, length);
        if (length <= ShortBytesMax)
        {
            Key(_text, start, length, out var low, out var high);
            var at = Hash(low, high) >> _shortShift;
            while (_short[at].Stored != 0)
            {
                if (_short[at].Low == low && _short[at].High == high) return _short[at].Stored - 1;
                at = at + 1 & (ulong)(_short.Length - 1);
            }

            _short[at] = new Slot { Low = low, High = high, Stored = symbol + 1 };
            return symbol;
        }

        var found = Find(_text, start, length);
        if (found >= 0) return found;
        var slot = LongHash(_text.AsSpan(start, length)) >> _longShift;
        while (_long[slot].Stored != 0) slot = slot + 1 & (ulong)(_long.Length - 1);
        _long[slot] = new LongSlot { Stored = symbol + 1, Start = start, Length = length };
        return symbol;
    }

    /// <summary>The symbol of a piece, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int Find(byte[] buffer, int start, int length)
    {
        if (length > _longest) return -1;
        if (length <= ShortBytesMax)
        {
            Key(buffer, start, length, out var low, out var high);
            var at = Hash(low, high) >> _shortShift;
            while (true)
            {
                ref var slot = ref _short[at];
                if (slot.Low == low && slot.High == high) return slot.Stored - 1;
                if (slot.Stored == 0) return -1;
                at = at + 1 & (ulong)(_short.Length - 1);
            }
        }

        var piece = buffer.AsSpan(start, length);
        var where = LongHash(piece) >> _longShift;
        while (_long[where].Stored != 0)
        {
            ref var slot = ref _long[where];
            if (slot.Length == length && piece.SequenceEqual(_text.AsSpan(slot.Start, length))) return slot.Stored - 1;
            where = where + 1 & (ulong)(_long.Length - 1);
        }

        return -1;
    }

    private static int Capacity(int count, out int shift)
    {
        var bits = 4;
        while (1L << bits < count + count / 2L) bits++;
        shift = 64 - bits;
        return 1 << bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Key(byte[] buffer, int start, int length, out ulong low, out ulong high)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(buffer.AsSpan(start, 16));
        low = words[0];
        high = words[1];
        if (length < 8)
        {
            low &= (1UL << length * 8) - 1;
            high = 0;
        }
        else
        {
            high &= (1UL << (length - 8) * 8) - 1;
        }

        high |= (ulong)length + 1 << 56;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hash(ulong low, ulong high)
    {
        var h = (low ^ high * 0x9E3779B97F4A7C15UL) * 0xD6E8FEB86659FD93UL;
        h ^= h >> 32;
        return h * 0xD6E8FEB86659FD93UL;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong LongHash(ReadOnlySpan<byte> piece)
    {
        var h = (ulong)piece.Length * 0x9E3779B97F4A7C15UL;
        while (piece.Length >= 8)
        {
            h = (h ^ MemoryMarshal.Read<ulong>(piece)) * 0xD6E8FEB86659FD93UL;
            h ^= h >> 29;
            piece = piece[8..];
        }

        foreach (var b in piece) h = (h ^ b) * 0x100000001B3UL;
        h ^= h >> 32;
        return h * 0xD6E8FEB86659FD93UL;
    }

    private struct Slot
    {
        internal ulong Low, High;

        /// <summary>The symbol plus one; 0: free.</summary>
        internal int Stored;
    }

    private struct LongSlot
    {
        internal int Stored, Start, Length;
    }
}

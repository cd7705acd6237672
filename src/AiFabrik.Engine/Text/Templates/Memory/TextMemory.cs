using System.Security.Cryptography;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// The bytes of all strings of one rendering, each with a mark beside it that tells whether the template wrote it
/// (1) or the request (0). An address names a chunk (high bits) and a place in it; chunks never move, so spans stay
/// good. The template's literals are chunk 0 and are not copied. Freed all at once, zeroed.
/// </summary>
internal sealed class TextMemory
{
    /// <summary>Bits of an address that name a place in a chunk: a string holds at most 16 MiB.</summary>
    private const int OffsetBits = 24;
    private const int OffsetMask = (1 << OffsetBits) - 1;
    public const int StringBytesMax = 1 << OffsetBits;
    private const int ChunksMax = 120;
    private const int FirstChunkBytes = 64 << 10;

    /// <summary>Chunks double up to this; only a longer string makes a larger one.</summary>
    private const int UsualChunkBytes = 1 << 20;

    /// <summary>Chunks beyond this sum are given back when a rendering ends; the rest is kept for the next one.</summary>
    private const int RetainedBytesMax = 16 << 20;

    private readonly byte[][] _bytes = new byte[ChunksMax][];
    private readonly byte[][] _trust = new byte[ChunksMax][];
    private readonly int[] _high = new int[ChunksMax];
    private int _chunk;
    private int _top;

    /// <summary>Bytes of all chunks, marks included.</summary>
    public long AllocatedBytes { get; private set; }

    public void SetLiterals(byte[] bytes, byte[] trust)
    {
        _bytes[0] = bytes;
        _trust[0] = trust;
    }

    public Span<byte> Bytes(int address, int length) =>
        _bytes[address >> OffsetBits].AsSpan(address & OffsetMask, length);

    public Span<byte> Trust(int address, int length) =>
        _trust[address >> OffsetBits].AsSpan(address & OffsetMask, length);

    /// <summary>Takes <paramref name="length"/> bytes; false if that goes beyond <paramref name="budgetBytes"/> in all.</summary>
    public bool TryAllocate(int length, long budgetBytes, out int address)
    {
        address = 0;
        if (_chunk == 0 || _bytes[_chunk].Length - _top < length)
        {
            if (!TryAdvance(length, budgetBytes)) return false;
        }

        address = (_chunk << OffsetBits) | _top;
        _top += length;
        if (_top > _high[_chunk]) _high[_chunk] = _top;
        return true;
    }

    /// <summary>Lengthens the newest allocation in place; false if it is not the newest or the chunk is full.</summary>
    public bool TryExtend(int address, int length, int newLength)
    {
        if (address >> OffsetBits != _chunk || (address & OffsetMask) + length != _top) return false;
        int top = (address & OffsetMask) + newLength;
        if (_chunk == 0 || top > _bytes[_chunk].Length) return false;
        _top = top;
        if (_top > _high[_chunk]) _high[_chunk] = _top;
        return true;
    }

    /// <summary>Gives the end of the newest allocation back.</summary>
    public void Shrink(int address, int length, int newLength)
    {
        if (address >> OffsetBits == _chunk && (address & OffsetMask) + length == _top && _chunk > 0)
            _top = (address & OffsetMask) + newLength;
    }

    public (int Chunk, int Top) Mark() => (_chunk, _top);

    /// <summary>Frees everything allocated since <paramref name="mark"/>; it is zeroed with the rest.</summary>
    public void Release((int Chunk, int Top) mark) => (_chunk, _top) = mark;

    /// <summary>Zeroes everything that was used and lets go of what exceeds the retained size.</summary>
    public void Clear()
    {
        long kept = 0;
        for (int i = 1; i < ChunksMax && _bytes[i] is { } chunk; i++)
        {
            CryptographicOperations.ZeroMemory(chunk.AsSpan(0, _high[i]));
            CryptographicOperations.ZeroMemory(_trust[i].AsSpan(0, _high[i]));
            _high[i] = 0;
            kept += chunk.Length;
            if (kept > RetainedBytesMax) Drop(i);
        }

        _bytes[0] = [];
        _trust[0] = [];
        _chunk = 0;
        _top = 0;
    }

    /// <summary>Whether nothing is left in any chunk: for tests.</summary>
    public bool IsZero()
    {
        for (int i = 1; i < ChunksMax && _bytes[i] is { } chunk; i++)
        {
            if (chunk.AsSpan().IndexOfAnyExcept((byte)0) >= 0 || _trust[i].AsSpan().IndexOfAnyExcept((byte)0) >= 0) return false;
        }

        return true;
    }

    private bool TryAdvance(int length, long budgetBytes)
    {
        int next = _chunk + 1;
        if (length > StringBytesMax || next >= ChunksMax) return false;
        if (_bytes[next] is { } old && old.Length < length)
        {
            CryptographicOperations.ZeroMemory(old.AsSpan(0, _high[next]));
            CryptographicOperations.ZeroMemory(_trust[next].AsSpan(0, _high[next]));
            _high[next] = 0;
            Drop(next);
        }

        if (_bytes[next] is null)
        {
            int previous = next == 1 ? FirstChunkBytes / 2 : _bytes[next - 1].Length;
            int size = Math.Max(length, Math.Min(UsualChunkBytes, 2 * previous));
            if (AllocatedBytes + (2L * size) > budgetBytes) size = length;
            if (AllocatedBytes + (2L * size) > budgetBytes) return false;
            _bytes[next] = GC.AllocateArray<byte>(size, pinned: true);
            _trust[next] = GC.AllocateArray<byte>(size, pinned: true);
            AllocatedBytes += 2L * size;
        }

        _chunk = next;
        _top = 0;
        return true;
    }

    private void Drop(int chunk)
    {
        AllocatedBytes -= 2L * _bytes[chunk].Length;
        _bytes[chunk] = null!;
        _trust[chunk] = null!;
    }
}

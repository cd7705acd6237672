using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// The items of all lists and dicts of one rendering, its scopes and its objects. Addresses as in
/// <see cref="TextMemory"/>: a chunk and a place in it, and chunks never move.
/// </summary>
internal sealed class CellMemory
{
    private const int OffsetBits = 21;
    private const int OffsetMask = (1 << OffsetBits) - 1;

    /// <summary>Cells of one allocation.</summary>
    public const int CellsMax = 1 << OffsetBits;
    private const int ChunksMax = 256;
    private const int FirstChunkCells = 4 << 10;

    /// <summary>Chunks double up to this; only a longer list makes a larger one.</summary>
    private const int UsualChunkCells = 64 << 10;
    private const int RetainedCellsMax = 512 << 10;

    private readonly Value[][] _cells = new Value[ChunksMax][];
    private readonly int[] _high = new int[ChunksMax];
    private int _chunk;
    private int _top;

    /// <summary>Bytes of all chunks.</summary>
    public long AllocatedBytes { get; private set; }

    public Span<Value> Cells(int address, int count) =>
        _cells[address >> OffsetBits].AsSpan(address & OffsetMask, count);

    public ref Value this[int address] => ref _cells[address >> OffsetBits][address & OffsetMask];

    /// <summary>Takes <paramref name="count"/> zeroed cells; false if that goes beyond <paramref name="budgetBytes"/> in all.</summary>
    public bool TryAllocate(int count, long budgetBytes, out int address)
    {
        address = 0;
        if (_chunk == 0 || _cells[_chunk].Length - _top < count)
        {
            if (!TryAdvance(count, budgetBytes)) return false;
        }

        address = (_chunk << OffsetBits) | _top;
        _top += count;
        if (_top > _high[_chunk]) _high[_chunk] = _top;
        Cells(address, count).Clear();
        return true;
    }

    /// <summary>Lengthens the newest allocation in place; false if it is not the newest or the chunk is full.</summary>
    public bool TryExtend(int address, int count, int newCount)
    {
        if (address >> OffsetBits != _chunk || (address & OffsetMask) + count != _top) return false;
        int top = (address & OffsetMask) + newCount;
        if (_chunk == 0 || top > _cells[_chunk].Length) return false;
        _top = top;
        if (_top > _high[_chunk]) _high[_chunk] = _top;
        return true;
    }

    /// <summary>Gives the end of the newest allocation back.</summary>
    public void Shrink(int address, int count, int newCount)
    {
        if (address >> OffsetBits == _chunk && (address & OffsetMask) + count == _top && _chunk > 0)
            _top = (address & OffsetMask) + newCount;
    }

    public (int Chunk, int Top) Mark() => (_chunk, _top);

    public void Release((int Chunk, int Top) mark) => (_chunk, _top) = mark;

    /// <summary>Zeroes everything that was used and lets go of what exceeds the retained size.</summary>
    public void Clear()
    {
        long kept = 0;
        for (int i = 1; i < ChunksMax && _cells[i] is { } chunk; i++)
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(chunk.AsSpan(0, _high[i])));
            _high[i] = 0;
            kept += chunk.Length;
            if (kept > RetainedCellsMax) Drop(i);
        }

        _chunk = 0;
        _top = 0;
    }

    /// <summary>Whether nothing is left in any chunk: for tests.</summary>
    public bool IsZero()
    {
        for (int i = 1; i < ChunksMax && _cells[i] is { } chunk; i++)
        {
            if (MemoryMarshal.AsBytes(chunk.AsSpan()).IndexOfAnyExcept((byte)0) >= 0) return false;
        }

        return true;
    }

    private bool TryAdvance(int count, long budgetBytes)
    {
        int next = _chunk + 1;
        if (count > CellsMax || next >= ChunksMax) return false;
        if (_cells[next] is { } old && old.Length < count)
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(old.AsSpan(0, _high[next])));
            _high[next] = 0;
            Drop(next);
        }

        if (_cells[next] is null)
        {
            int previous = next == 1 ? FirstChunkCells / 2 : _cells[next - 1].Length;
            int size = Math.Max(count, Math.Min(UsualChunkCells, 2 * previous));
            if (AllocatedBytes + ((long)size * Value.SizeBytes) > budgetBytes) size = count;
            if (AllocatedBytes + ((long)size * Value.SizeBytes) > budgetBytes) return false;
            _cells[next] = GC.AllocateArray<Value>(size, pinned: true);
            AllocatedBytes += (long)size * Value.SizeBytes;
        }

        _chunk = next;
        _top = 0;
        return true;
    }

    private void Drop(int chunk)
    {
        AllocatedBytes -= (long)_cells[chunk].Length * Value.SizeBytes;
        _cells[chunk] = null!;
    }
}

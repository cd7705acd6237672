using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AiFabrik.Compute.Memory;

/// <summary>
/// Memory for the content of one request: a bump allocator over one contiguous region outside the managed heap.
/// Handles are byte offsets, so that structures in it hold no references. <see cref="Reset"/> zeroes all that was used.
/// Not thread-safe: a request's steps come one after another.
/// </summary>
public sealed unsafe class ContentArena : IDisposable
{
    /// <summary>Alignment of every allocation unless asked otherwise: serves any primitive.</summary>
    public const int DefaultAlignment = 8;

    private byte* _memory;
    private int _highWater;

    public ContentArena(int capacityBytes)
    {
        CapacityBytes = capacityBytes;
        _memory = ContentMemory.Allocate((nuint)capacityBytes);
    }

    public int CapacityBytes { get; }

    /// <summary>Bytes handed out so far.</summary>
    public int Used { get; private set; }

    /// <summary>Takes <paramref name="bytes"/> zeroed bytes. False when the arena is full: the request is then too large.</summary>
    public bool TryAllocate(int bytes, out int offset, int alignment = DefaultAlignment)
    {
        offset = (Used + alignment - 1) & ~(alignment - 1);
        if (bytes < 0 || bytes > CapacityBytes - offset || offset < 0) { offset = 0; return false; }
        Used = offset + bytes;
        if (Used > _highWater) _highWater = Used;
        return true;
    }

    /// <summary>Lengthens the latest allocation in place. False if it isn't the latest or does not fit.</summary>
    public bool TryExtend(int offset, int oldBytes, int newBytes)
    {
        if (offset + oldBytes != Used || newBytes < oldBytes || newBytes > CapacityBytes - offset) return false;
        Used = offset + newBytes;
        if (Used > _highWater) _highWater = Used;
        return true;
    }

    /// <summary>The bytes at a handle.</summary>
    public Span<byte> Bytes(int offset, int length)
    {
        ObjectDisposedException.ThrowIf(_memory == null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offset + (uint)length, (uint)CapacityBytes, nameof(length));
        return new Span<byte>(_memory + offset, length);
    }

    /// <summary>The values at a handle.</summary>
    public Span<T> Values<T>(int offset, int count) where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(Bytes(offset, checked(count * Unsafe.SizeOf<T>())));

    /// <summary>Gives back, zeroed, everything taken since <see cref="Used"/> was <paramref name="mark"/>.</summary>
    public void Release(int mark)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)mark, (uint)Used, nameof(mark));
        ContentMemory.Zero(_memory + mark, (nuint)(_highWater - mark));
        Used = _highWater = mark;
    }

    /// <summary>Zeroes all that was used and starts over.</summary>
    public void Reset() => Release(0);

    public void Dispose()
    {
        if (_memory == null) return;
        Reset();
        ContentMemory.Free(_memory, (nuint)CapacityBytes);
        _memory = null;
        GC.SuppressFinalize(this);
    }

    ~ContentArena() => Dispose();
}

using System.Runtime.InteropServices;

namespace AiFabrik.Compute.Memory;

/// <summary>Zeroed memory outside the managed heap, of any size: what no array can hold. For weights; content lives in <see cref="ContentMemory"/>.</summary>
public sealed unsafe class AlignedMemory : IDisposable
{
    private byte* _block;
    private readonly byte* _memory;

    /// <summary>Takes <paramref name="lengthBytes"/> at a multiple of <paramref name="alignmentBytes"/>, a power of two; <see cref="OutOfMemoryException"/> if there is not as much.</summary>
    public AlignedMemory(long lengthBytes, int alignmentBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(alignmentBytes);
        LengthBytes = lengthBytes;
        _block = (byte*)NativeMemory.AllocZeroed(checked((nuint)lengthBytes + (nuint)alignmentBytes));
        _memory = (byte*)(((nint)_block + alignmentBytes - 1) & -(nint)alignmentBytes);
    }

    ~AlignedMemory() => Free();

    public long LengthBytes { get; }

    /// <summary>Where byte 0 lies, valid until disposed.</summary>
    public nint Address => (nint)_memory;

    /// <summary>The bytes [offset, offset + length); throws if they are not all there.</summary>
    public Span<byte> Bytes(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_block == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, LengthBytes - length);
        return new Span<byte>(_memory + offset, length);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(_block);
        _block = null;
    }
}

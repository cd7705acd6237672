using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>
/// One allocation on a device, for one purpose, zeroed when made and before it is freed. Copies and fills go straight to the driver:
/// ILGPU's own allocate a wrapper each, and on OpenCL copy the whole host buffer whatever the view. All of it is queued on one stream.
/// </summary>
internal sealed unsafe class DeviceArena : IDisposable
{
    /// <summary>Where each part begins: as strict as any load needs, and a GPU's memory transactions.</summary>
    public const int Alignment = 256;

    private readonly IlgpuDevice _device;
    private readonly MemoryBuffer1D<byte, Stride1D.Dense> _buffer;

    public DeviceArena(IlgpuDevice device, AcceleratorStream stream, long bytes)
    {
        _device = device;
        Stream = stream;
        LengthBytes = Math.Max(Align(bytes), Alignment);
        _buffer = device.Accelerator.Allocate1D<byte>(LengthBytes);
        Clear(0, LengthBytes);
    }

    public AcceleratorStream Stream { get; }

    public long LengthBytes { get; }

    /// <summary>Where the arena lies, for kernels and libraries that take addresses.</summary>
    public nint Address => _buffer.NativePtr;

    public static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    /// <summary><paramref name="count"/> values at a byte offset. Where there are none the view is of one, never read: ILGPU has no empty view at an arena's end.</summary>
    public ArrayView<T> View<T>(long offset, long count) where T : unmanaged
    {
        if (count == 0) (offset, count) = (0, 1);
        var bytes = count * Interop.SizeOf<T>();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + bytes, LengthBytes, nameof(count));
        return _buffer.View.BaseView.SubView(offset, bytes).Cast<T>();
    }

    /// <summary>Queues a copy from the host. The source must stay as it is until the stream is synchronised.</summary>
    public void Write(long offset, nint source, long bytes)
    {
        if (bytes == 0) return;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + bytes, LengthBytes, nameof(bytes));
        if (_device.IsHost) Buffer.MemoryCopy((void*)source, (byte*)_buffer.NativePtr + offset, bytes, bytes);
        else if (_device.IsCuda) CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.MemcpyAsync(_buffer.NativePtr + (nint)offset, source, (nint)bytes, Stream));
        else CLException.ThrowIfFailed(CLAPI.CurrentAPI.WriteBuffer(Stream, _buffer.NativePtr, false, (nint)offset, (nint)bytes, source));
    }

    /// <summary>Queues a copy to the host.</summary>
    public void Read(long offset, nint target, long bytes)
    {
        if (bytes == 0) return;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + bytes, LengthBytes, nameof(bytes));
        if (_device.IsHost) Buffer.MemoryCopy((byte*)_buffer.NativePtr + offset, (void*)target, bytes, bytes);
        else if (_device.IsCuda) CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.MemcpyAsync(target, _buffer.NativePtr + (nint)offset, (nint)bytes, Stream));
        else CLException.ThrowIfFailed(CLAPI.CurrentAPI.ReadBuffer(Stream, _buffer.NativePtr, false, (nint)offset, (nint)bytes, target));
    }

    /// <summary>Queues zeroes. Offset and length are multiples of 4.</summary>
    public void Clear(long offset, long bytes)
    {
        if (bytes == 0) return;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + bytes, LengthBytes, nameof(bytes));
        if (_device.IsHost) NativeMemory.Clear((byte*)_buffer.NativePtr + offset, (nuint)bytes);
        else if (_device.IsCuda) CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.Memset(_buffer.NativePtr + (nint)offset, 0, (nint)bytes, Stream));
        else CLException.ThrowIfFailed(CLAPI.CurrentAPI.FillBuffer(Stream, _buffer.NativePtr, 0u, (nint)offset, (nint)bytes));
    }

    /// <summary>Zeroes and frees the memory. A device that has failed does neither any more: its driver frees it with the context, when the process ends.</summary>
    public void Dispose()
    {
        if (_buffer.IsDisposed) return;
        try
        {
            Clear(0, LengthBytes);
            Stream.Synchronize();
            _buffer.Dispose();
        }
        catch (AcceleratorException)
        {
            // The owner must come to what is on the host's side, which can still be zeroed.
        }
    }
}

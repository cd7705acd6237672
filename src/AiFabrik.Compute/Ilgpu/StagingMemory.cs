using AiFabrik.Compute.Memory;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>Host memory that a device copies from and to: content memory (locked, not dumped), registered with the CUDA driver where that is the device.</summary>
internal sealed unsafe class StagingMemory : IDisposable
{
    private readonly bool _registered;

    public StagingMemory(IlgpuDevice device, long bytes)
    {
        LengthBytes = Math.Max(bytes, sizeof(long));
        Data = ContentMemory.Allocate((nuint)LengthBytes);
        // Unregistered memory works as well, only slower: the driver then copies through its own.
        _registered = device.IsCuda && CudaAPI.CurrentAPI.MemHostRegister((nint)Data, (nint)LengthBytes, MemHostRegisterFlags.CU_MEMHOSTREGISTER_PORTABLE) == CudaError.CUDA_SUCCESS;
    }

    ~StagingMemory() => Dispose();

    public byte* Data { get; private set; }

    public long LengthBytes { get; }

    public void Clear() => ContentMemory.Zero(Data, (nuint)LengthBytes);

    public void Dispose()
    {
        if (Data == null) return;
        if (_registered) _ = CudaAPI.CurrentAPI.MemHostUnregister((nint)Data);
        ContentMemory.Free(Data, (nuint)LengthBytes);
        Data = null;
        GC.SuppressFinalize(this);
    }
}

using Microsoft.Win32.SafeHandles;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>A non-blocking stream of the driver: it never waits for the default stream, which capture does not allow.</summary>
internal sealed class CudaStreamHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private CudaStreamHandle(nint handle) : base(true) => SetHandle(handle);

    /// <summary>The driver's handle.</summary>
    public nint Value => handle;

    /// <summary>Makes a stream in the current context.</summary>
    public static CudaStatus TryCreate(out CudaStreamHandle? stream)
    {
        stream = null;
        if (!CudaDriver.TryOpen(out CudaStatus status))
        {
            return status;
        }
        status = CudaDriver.StreamCreate(out nint made, CudaDriver.StreamNonBlocking);
        if (status == CudaStatus.Success)
        {
            stream = new CudaStreamHandle(made);
        }
        return status;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => CudaDriver.StreamDestroy(handle) == CudaStatus.Success;
}

/// <summary>An executable graph of the driver.</summary>
internal sealed class CudaGraphHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public CudaGraphHandle(nint handle) : base(true) => SetHandle(handle);

    /// <summary>The driver's handle.</summary>
    public nint Value => handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => CudaDriver.GraphExecDestroy(handle) == CudaStatus.Success;
}

/// <summary>A loaded module of the driver; its context must outlive it.</summary>
internal sealed class CudaModuleHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public CudaModuleHandle(nint handle) : base(true) => SetHandle(handle);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => CudaDriver.ModuleUnload(handle) == CudaStatus.Success;
}

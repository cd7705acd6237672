using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>
/// An opened device with its compiled kernels. One for each physical device and process: executors share it, since compiling takes
/// seconds. It lives until the process ends.
/// </summary>
internal sealed class IlgpuDevice
{
    /// <param name="loader">Where kernels come from; null: compiled for the accelerator.</param>
    public IlgpuDevice(string name, Accelerator accelerator, IKernelLoader? loader = null)
    {
        Name = name;
        Accelerator = accelerator;
        IsCuda = accelerator is CudaAccelerator;
        // Other loaders stand for a GPU: tests run the PTX that one would get.
        IsGpu = IsCuda || loader is not null || (accelerator.Device is CLDevice device && device.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_GPU));
        IsHost = accelerator.AcceleratorType == AcceleratorType.CPU;
        Kernels = new KernelSet(loader ?? new DeviceKernelLoader(accelerator));
    }

    /// <summary>"cuda:0", "opencl:0".</summary>
    public string Name { get; }

    public Accelerator Accelerator { get; }

    public bool IsCuda { get; }

    /// <summary>Device memory is the host's own: in tests of tiny shapes only.</summary>
    public bool IsHost { get; }

    /// <summary>True for GPUs: many small work-items. False for a processor behind OpenCL: few, each with much to do.</summary>
    public bool IsGpu { get; }

    public KernelSet Kernels { get; }

    public string Description => Accelerator.Name.Trim();

    /// <summary>Bytes that can still be allocated.</summary>
    public long FreeBytes => Accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : Accelerator.MemorySize;

    /// <summary>Bytes of one allocation at most.</summary>
    public long AllocationBytesMax =>
        Accelerator.Device is CLDevice device && device.GetDeviceInfo(CLDeviceInfoType.CL_DEVICE_MAX_MEM_ALLOC_SIZE, out long bytes) == CLError.CL_SUCCESS ? bytes : long.MaxValue;
}

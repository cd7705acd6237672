using AiFabrik.Compute.Ilgpu.Cuda;
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
    private readonly string? _target;
    private readonly Lazy<PtxCompiler> _compiler;
    private string? _kernelDirectory;
    private CudaKernels? _tensorKernels;
    private string? _tensorRefusal;

    /// <param name="loader">Where kernels come from; null: compiled for the accelerator.</param>
    public IlgpuDevice(string name, Accelerator accelerator, IKernelLoader? loader = null)
    {
        Name = name;
        Accelerator = accelerator;
        IsCuda = accelerator is CudaAccelerator;
        // Other loaders stand for a GPU: tests run the PTX that one would get.
        IsGpu = IsCuda || loader is not null || (accelerator.Device is CLDevice device && device.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_GPU));
        IsHost = accelerator.AcceleratorType == AcceleratorType.CPU;
        _target = accelerator.Device is CudaDevice { Architecture: { } architecture } ? CudaTarget.For(architecture) : null;
        _compiler = new Lazy<PtxCompiler>(() => new PtxCompiler(_target!, _kernelDirectory is null ? null : new PtxCache(_kernelDirectory)));
        Kernels = new KernelSet(loader ?? (_target is not null && CudaDriver.TryOpen(out _) ? new PtxKernelLoader(() => _compiler.Value) : new DeviceKernelLoader(accelerator)));
    }

    /// <summary>
    /// Held by an executor from its first launch of a step to its last: executors share kernels, and an OpenCL kernel holds the arguments of its next
    /// launch. Never contended where a process has one executor for a device.
    /// </summary>
    public Lock Gate { get; } = new();

    /// <summary>"cuda:0", "opencl:0".</summary>
    public string Name { get; }

    public Accelerator Accelerator { get; }

    public bool IsCuda { get; }

    /// <summary>Device memory is the host's own: in tests of tiny shapes only.</summary>
    public bool IsHost { get; }

    /// <summary>True for GPUs: many small work-items. False for a processor behind OpenCL: few, each with much to do.</summary>
    public bool IsGpu { get; }

    public KernelSet Kernels { get; }

    /// <summary>The tensor-core and vectorised kernels, once <see cref="LoadTensorKernels"/> has found that the device runs them.</summary>
    public CudaKernels? TensorKernels => _tensorKernels;

    /// <summary>Whether <see cref="LoadTensorKernels"/> may find them: plans of memory are made before it is called.</summary>
    public bool MayHaveTensorKernels => _target is not null && _tensorRefusal is null;

    public string Description => _tensorRefusal is null ? Accelerator.Name.Trim() : $"{Accelerator.Name.Trim()}, portable kernels only: {_tensorRefusal}";

    /// <summary>Keeps compiled CUDA kernels in a directory. Has an effect before the first kernel is loaded.</summary>
    public void UseKernelDirectory(string? directory)
    {
        lock (Gate) _kernelDirectory ??= directory;
    }

    /// <summary>
    /// Compiles or reads from disk, and loads, the kernels that only CUDA devices from sm_80 on run; once for all executors. Where the driver refuses
    /// them the portable ones serve, and <see cref="Description"/> says why. The accelerator must be bound to the thread.
    /// </summary>
    public void LoadTensorKernels(IProgress<double>? progress)
    {
        lock (Gate)
        {
            if (_tensorKernels is not null || !MayHaveTensorKernels) return;
            var status = CudaKernels.TryLoad(_compiler.Value, (done, all) => progress?.Report((double)done / all), out _tensorKernels);
            if (status != CudaStatus.Success) _tensorRefusal = CudaDriver.Describe(status).TrimEnd('.');
        }
    }

    /// <summary>Bytes that can still be allocated.</summary>
    public long FreeBytes => Accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : Accelerator.MemorySize;

    /// <summary>Bytes of one allocation at most.</summary>
    public long AllocationBytesMax =>
        Accelerator.Device is CLDevice device && device.GetDeviceInfo(CLDeviceInfoType.CL_DEVICE_MAX_MEM_ALLOC_SIZE, out long bytes) == CLError.CL_SUCCESS ? bytes : long.MaxValue;
}

using System.Reflection;
using System.Runtime.InteropServices;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>Results of driver calls that are told apart here; every other number is passed through (CUDA driver API, <c>CUresult</c>).</summary>
internal enum CudaStatus
{
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    NotInitialized = 3,
    NoDevice = 100,
    InvalidPtx = 218,
    UnsupportedPtxVersion = 222,
    NotReady = 600,
    LaunchOutOfResources = 701,
    StreamCaptureInvalidated = 901,
    GraphExecUpdateFailure = 910,

    /// <summary>Not the driver's: its library is not on this machine.</summary>
    LibraryMissing = -1,

    /// <summary>Not the driver's: it is older than CUDA 12.0, whose calls are used here.</summary>
    DriverTooOld = -2,
}

/// <summary>Function attributes (<c>CUfunction_attribute</c>).</summary>
internal enum CudaFunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedBytes = 1,
    ConstBytes = 2,
    LocalBytes = 3,
    Registers = 4,
    MaxDynamicSharedBytes = 8,
    PreferredSharedCarveout = 9,
}

/// <summary>Why an executable graph could not take over a newly captured one, and where (<c>CUgraphExecUpdateResultInfo</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaGraphUpdateInfo
{
    public int Result;
    public nint ErrorNode;
    public nint ErrorFromNode;
}

/// <summary>
/// The driver calls that ILGPU does not have: graphs and stream capture, function attributes, modules from PTX, launches, streams and events. The only
/// P/Invoke file for CUDA. Handles are the driver's own, as ILGPU gives them out; calls need a current context (<c>accelerator.Bind()</c>).
/// </summary>
/// <remarks>Source: CUDA Driver API 12. No call here throws where the library is absent as long as <see cref="TryOpen"/> said so first.</remarks>
internal static unsafe partial class CudaDriver
{
    /// <summary>The name that the resolver maps to the platform's library.</summary>
    private const string Library = "cuda-driver";

    /// <summary>The oldest driver interface that has every call below: CUDA 12.0.</summary>
    public const int DriverVersionMin = 12_000;

    public const uint StreamNonBlocking = 1;
    public const uint EventDisableTiming = 2;
    public const uint EventDefault = 0;

    /// <summary>Capture is not invalidated by other threads' calls: finalizers free memory whenever they like.</summary>
    public const int CaptureRelaxed = 2;

    private static readonly Lazy<CudaStatus> s_status = new(Open);

    /// <summary>Loads and initialises the driver once.</summary>
    /// <returns>True where calls can be made; else the reason is in <paramref name="status"/>.</returns>
    public static bool TryOpen(out CudaStatus status)
    {
        status = s_status.Value;
        return status == CudaStatus.Success;
    }

    /// <summary>One sentence for people on a status; holds no content.</summary>
    public static string Describe(CudaStatus status) => status switch
    {
        CudaStatus.Success => "The CUDA driver is ready.",
        CudaStatus.LibraryMissing => "The NVIDIA driver's library (libcuda.so.1 or nvcuda.dll) is not installed.",
        CudaStatus.DriverTooOld => "The NVIDIA driver is older than CUDA 12.0; install a newer one.",
        CudaStatus.NoDevice => "The NVIDIA driver finds no CUDA device.",
        CudaStatus.OutOfMemory => "The CUDA device has too little free memory.",
        CudaStatus.UnsupportedPtxVersion => "The NVIDIA driver is too old for this PTX; install a newer one.",
        _ => $"The CUDA driver reports error {(int)status}{Name(status)}.",
    };

    private static string Name(CudaStatus status)
    {
        if ((int)status <= 0 || s_status.Value == CudaStatus.LibraryMissing || GetErrorName((int)status, out byte* name) != CudaStatus.Success || name is null)
        {
            return "";
        }
        return " (" + Marshal.PtrToStringAnsi((nint)name) + ")";
    }

    private static CudaStatus Open()
    {
        if (!TryLoad(out nint library))
        {
            return CudaStatus.LibraryMissing;
        }
        NativeLibrary.SetDllImportResolver(typeof(CudaDriver).Assembly, Resolve);
        // The newest of the calls below: an old driver does not export it, and would otherwise fail in the middle of a step.
        if (!NativeLibrary.TryGetExport(library, "cuGraphExecUpdate_v2", out _))
        {
            return CudaStatus.DriverTooOld;
        }
        CudaStatus status = Init(0);
        if (status != CudaStatus.Success)
        {
            return status;
        }
        status = DriverGetVersion(out int version);
        return status != CudaStatus.Success ? status : version < DriverVersionMin ? CudaStatus.DriverTooOld : CudaStatus.Success;
    }

    private static bool TryLoad(out nint handle) => NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out handle);

    /// <summary>Other libraries of this assembly keep their usual way.</summary>
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library && TryLoad(out nint handle) ? handle : 0;

    [LibraryImport(Library, EntryPoint = "cuInit")]
    private static partial CudaStatus Init(uint flags);

    [LibraryImport(Library, EntryPoint = "cuDriverGetVersion")]
    public static partial CudaStatus DriverGetVersion(out int version);

    [LibraryImport(Library, EntryPoint = "cuGetErrorName")]
    private static partial CudaStatus GetErrorName(int status, out byte* name);

    // Modules and launches.

    /// <summary>Loads PTX text that ends in a zero byte; options may be null with a count of 0.</summary>
    [LibraryImport(Library, EntryPoint = "cuModuleLoadDataEx")]
    public static partial CudaStatus ModuleLoadData(out nint module, byte* image, uint optionCount, int* options, void** values);

    [LibraryImport(Library, EntryPoint = "cuModuleUnload")]
    public static partial CudaStatus ModuleUnload(nint module);

    [LibraryImport(Library, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    public static partial CudaStatus ModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    public static partial CudaStatus FunctionSetAttribute(nint function, CudaFunctionAttribute attribute, int value);

    [LibraryImport(Library, EntryPoint = "cuFuncGetAttribute")]
    public static partial CudaStatus FunctionGetAttribute(out int value, CudaFunctionAttribute attribute, nint function);

    [LibraryImport(Library, EntryPoint = "cuOccupancyMaxActiveBlocksPerMultiprocessor")]
    public static partial CudaStatus OccupancyMaxGroups(out int groups, nint function, int threads, nuint dynamicSharedBytes);

    [LibraryImport(Library, EntryPoint = "cuLaunchKernel")]
    public static partial CudaStatus LaunchKernel(nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint dynamicSharedBytes, nint stream, void** parameters, void** extra);

    // Streams and events.

    [LibraryImport(Library, EntryPoint = "cuStreamCreate")]
    public static partial CudaStatus StreamCreate(out nint stream, uint flags);

    [LibraryImport(Library, EntryPoint = "cuStreamDestroy_v2")]
    public static partial CudaStatus StreamDestroy(nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamSynchronize")]
    public static partial CudaStatus StreamSynchronize(nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamWaitEvent")]
    public static partial CudaStatus StreamWaitEvent(nint stream, nint @event, uint flags);

    [LibraryImport(Library, EntryPoint = "cuMemsetD8Async")]
    public static partial CudaStatus MemorySet(ulong address, byte value, nuint bytes, nint stream);

    /// <summary>Copies within the device.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoDAsync_v2")]
    public static partial CudaStatus MemoryCopy(ulong target, ulong source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuEventCreate")]
    public static partial CudaStatus EventCreate(out nint @event, uint flags);

    [LibraryImport(Library, EntryPoint = "cuEventDestroy_v2")]
    public static partial CudaStatus EventDestroy(nint @event);

    [LibraryImport(Library, EntryPoint = "cuEventRecord")]
    public static partial CudaStatus EventRecord(nint @event, nint stream);

    [LibraryImport(Library, EntryPoint = "cuEventSynchronize")]
    public static partial CudaStatus EventSynchronize(nint @event);

    /// <summary>Milliseconds between two recorded events.</summary>
    [LibraryImport(Library, EntryPoint = "cuEventElapsedTime")]
    public static partial CudaStatus EventElapsed(out float milliseconds, nint start, nint end);

    // Capture and graphs.

    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    public static partial CudaStatus StreamBeginCapture(nint stream, int mode);

    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    public static partial CudaStatus StreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial CudaStatus GraphInstantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuGraphExecUpdate_v2")]
    public static partial CudaStatus GraphExecUpdate(nint executable, nint graph, out CudaGraphUpdateInfo info);

    [LibraryImport(Library, EntryPoint = "cuGraphUpload")]
    public static partial CudaStatus GraphUpload(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    public static partial CudaStatus GraphLaunch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    public static partial CudaStatus GraphExecDestroy(nint executable);

    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    public static partial CudaStatus GraphDestroy(nint graph);
}

using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using AiFabrik.Compute.Ilgpu.Cuda;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>What <c>doctor</c> says of a device.</summary>
/// <param name="Name">"cuda:0", "opencl:0".</param>
/// <param name="Usable">False where it is refused.</param>
/// <param name="Detail">What it is, or why it is refused.</param>
public sealed record IlgpuDeviceInfo(string Name, bool Usable, string Detail);

/// <summary>
/// Finds and opens CUDA and OpenCL devices. ILGPU's own CPU accelerator is a debugger, a thousand times slower than PoCL, and is never
/// among them. CUDA is compiled with O1 (O2 has a known miscompile, ILGPU #846), OpenCL with O2 (O1 leaves generic pointers, which PoCL refuses).
/// </summary>
public static class IlgpuDevices
{
    private const string Cuda = "cuda", OpenCL = "opencl";

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, IlgpuDevice> Opened = [];
    private static Context? s_cuda, s_openCL;

    /// <summary>True for "cuda", "cuda:1", "opencl", "opencl:0" and so on.</summary>
    public static bool IsDeviceName(string name) => TryParse(name, out _, out _);

    /// <summary>True if there is a CUDA device that can be used.</summary>
    public static bool HasCuda => LibraryError(Cuda) is null && DevicesOf(Cuda).Count > 0;

    /// <summary>All devices, and a row for each kind of which there is none.</summary>
    public static IReadOnlyList<IlgpuDeviceInfo> List()
    {
        var rows = new List<IlgpuDeviceInfo>();
        foreach (var kind in (ReadOnlySpan<string>)[Cuda, OpenCL])
        {
            var error = LibraryError(kind);
            var devices = error is null ? DevicesOf(kind) : [];
            if (error is not null || devices.Count == 0) rows.Add(new(kind, false, error ?? NoDevice(kind)));
            for (var i = 0; i < devices.Count; i++)
            {
                var refusal = Refusal(devices[i]);
                rows.Add(new(string.Create(CultureInfo.InvariantCulture, $"{kind}:{i}"), refusal is null, refusal ?? Describe(devices[i])));
            }
        }
        return rows;
    }

    /// <summary>Opens a device, or gives the one that is open already.</summary>
    /// <exception cref="IlgpuException">There is none of that name, or it cannot be used.</exception>
    internal static IlgpuDevice Open(string name)
    {
        if (!TryParse(name, out var kind, out var index)) throw new IlgpuException($"'{name}' names no device: cuda, cuda:0, opencl or opencl:0 would.");
        lock (Gate)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"{kind}:{index}");
            if (Opened.TryGetValue(key, out var open)) return open;
            if (LibraryError(kind) is { } missing) throw new IlgpuException(missing);
            var devices = DevicesOf(kind);
            if (devices.Count == 0) throw new IlgpuException(NoDevice(kind));
            if (index >= devices.Count) throw new IlgpuException(string.Create(CultureInfo.InvariantCulture, $"There is no device {key}: the last is {kind}:{devices.Count - 1}."));
            if (Refusal(devices[index]) is { } refusal) throw new IlgpuException($"The device {key} cannot be used: {refusal}.");
            try
            {
                return Opened[key] = new IlgpuDevice(key, devices[index].CreateAccelerator(ContextOf(kind)));
            }
            catch (Exception e) when (e is not IlgpuException)
            {
                throw new IlgpuException($"The device {key} cannot be opened: {e.Message}", e);
            }
        }
    }

    private static bool TryParse(string name, out string kind, out int index)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        kind = colon < 0 ? name : name[..colon];
        index = 0;
        return kind is Cuda or OpenCL && (colon < 0 || int.TryParse(name.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out index));
    }

    /// <summary>Why a kind of device cannot be looked for; null if it can.</summary>
    private static string? LibraryError(string kind)
    {
        var names = kind == Cuda ? (OperatingSystem.IsWindows() ? ["nvcuda.dll"] : (string[])["libcuda.so.1", "libcuda.so"]) : OperatingSystem.IsWindows() ? ["OpenCL.dll"] : ["libOpenCL.so.1", "libOpenCL.so"];
        foreach (var name in names)
        {
            if (!NativeLibrary.TryLoad(name, out var handle)) continue;
            NativeLibrary.Free(handle);
            return null;
        }
        return kind == Cuda ? "There is no NVIDIA driver (libcuda) on this machine." : "There is no OpenCL library (libOpenCL) on this machine.";
    }

    private static string NoDevice(string kind) =>
        kind == Cuda ? "The NVIDIA driver finds no GPU, or is too old for this one." : "The OpenCL library finds no device: install the driver of your GPU, or PoCL.";

    private static List<Device> DevicesOf(string kind)
    {
        lock (Gate)
        {
            var context = ContextOf(kind);
            return [.. context.Devices.Where(device => device.AcceleratorType == (kind == Cuda ? AcceleratorType.Cuda : AcceleratorType.OpenCL))];
        }
    }

    private static Context ContextOf(string kind)
    {
        if (kind == Cuda) return s_cuda ??= Context.Create(builder => builder.Optimize(OptimizationLevel.O1).EnableAlgorithms().Cuda());
        if (s_openCL is not null) return s_openCL;
        var context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).EnableAlgorithms().OpenCL(_ => true));
        foreach (var device in context.Devices) AllowGenericAddresses(device);
        return s_openCL = context;
    }

    /// <summary>
    /// PoCL 3 reports no generic address space, which ILGPU wants of every device. At O2 our kernels have no generic pointers left, so it
    /// isn't needed; the property has no public setter.
    /// </summary>
    private static void AllowGenericAddresses(Device device)
    {
        if (device is not CLDevice cl || cl.Capabilities.GenericAddressSpace) return;
        var property = typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))!;
        property.SetValue(cl.Capabilities, true, BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Public, null, null, CultureInfo.InvariantCulture);
    }

    private static string? Refusal(Device device)
    {
        if (device is CLDevice cl && cl.CLStdVersion < CLBackend.MinimumVersion) return $"{cl.Name.Trim()} speaks OpenCL C {cl.CLStdVersion}, and {CLBackend.MinimumVersion} is needed";
        if (device is CudaDevice { Architecture: { } architecture } && architecture < CudaArchitecture.SM_60) return $"{device.Name} is of the architecture {architecture}, and sm_60 is needed";
        return null;
    }

    private static string Describe(Device device) =>
        string.Create(CultureInfo.InvariantCulture, $"{device.Name.Trim()}, {device.MemorySize / (double)(1L << 30):0.0} GiB, {device.NumMultiprocessors} multiprocessors, {Class(device)}");

    /// <summary>How exact it is, and whether it has tensor-core kernels.</summary>
    private static string Class(Device device)
    {
        if (device is not CudaDevice { Architecture: { } architecture }) return "class float16";
        return CudaTarget.For(architecture) is { } target
            ? $"tensor-core kernels for {target}, class bfloat16 (float16 for weights that they don't serve)"
            : "class float16, portable kernels only: the tensor-core kernels need sm_80";
    }
}

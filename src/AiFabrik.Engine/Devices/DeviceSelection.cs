using System.Globalization;
using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;

namespace AiFabrik.Engine.Devices;

/// <summary>A device that was asked for and cannot be had. The message is one sentence that says why.</summary>
public sealed class DeviceUnavailableException(string message) : Exception(message);

/// <summary>A row of <c>doctor</c>.</summary>
/// <param name="Name">What --device takes.</param>
/// <param name="Detail">What it is, or why it cannot be used.</param>
public sealed record DeviceRow(string Name, bool Usable, string Detail);

/// <summary>From <c>--device</c> to an executor.</summary>
public static class DeviceSelection
{
    /// <summary>More threads than any processor here has cores.</summary>
    public const int ThreadsMax = 1024;

    /// <summary>Opens the executor that <paramref name="device"/> names.</summary>
    /// <param name="threads">Threads of the host that compute; 0: all processors.</param>
    /// <param name="progress">Told the share of the weights that is prepared, 0 to 1, where that takes time.</param>
    /// <exception cref="DeviceUnavailableException">The device is unknown or not usable here, or cannot run the model.</exception>
    public static IExecutor Open(string device, int threads, TransformerProgram program, StepLimits limits, IProgress<double>? progress = null)
    {
        if (threads < 0 || threads > ThreadsMax) throw new DeviceUnavailableException($"The number of threads must be between 0 (all processors) and {ThreadsMax}.");
        return device switch
        {
            "auto" => OpenBest(threads, program, limits, progress),
            "cpu" => OpenNative(threads, program, limits, progress),
            "reference" => new ReferenceExecutor(program, limits, new ReferenceOptions { Threads = threads > 0 ? threads : Environment.ProcessorCount }),
            _ when IlgpuDevices.IsDeviceName(device) => OpenIlgpu(device, program, limits),
            _ => throw new DeviceUnavailableException($"The device '{device}' is unknown. Known are auto, cpu, cuda, cuda:0, opencl, opencl:0 and reference."),
        };
    }

    /// <summary>The first CUDA device where the model fits it, else the processor. Never OpenCL: it may be the same processor, slower.</summary>
    private static IExecutor OpenBest(int threads, TransformerProgram program, StepLimits limits, IProgress<double>? progress)
    {
        if (!IlgpuDevices.HasCuda) return OpenNative(threads, program, limits, progress);
        try
        {
            return OpenIlgpu("cuda:0", program, limits);
        }
        catch (DeviceUnavailableException)
        {
            // The executor's own description, printed at start, says what serves; doctor says why the GPU does not.
            return OpenNative(threads, program, limits, progress);
        }
    }

    private static NativeExecutor OpenNative(int threads, TransformerProgram program, StepLimits limits, IProgress<double>? progress)
    {
        try
        {
            return NativeExecutor.Create(program, limits, new NativeOptions { Threads = threads, Progress = progress });
        }
        catch (NativeModelException e)
        {
            throw new DeviceUnavailableException(e.Message);
        }
    }

    private static IlgpuExecutor OpenIlgpu(string device, TransformerProgram program, StepLimits limits)
    {
        try
        {
            return IlgpuExecutor.Create(device, program, limits);
        }
        catch (IlgpuException e)
        {
            throw new DeviceUnavailableException(e.Message);
        }
    }

    /// <summary>Bytes of a cached value on a device.</summary>
    public static int KvElementBytes(string device) => device == "reference" ? sizeof(float) : sizeof(ushort);

    /// <summary>Slots of a KV block that suit a device best.</summary>
    public static int BlockSize(string device) => device == "reference" ? SequenceRunnerBlockSize : NativeExecutor.PreferredBlockSize;

    private const int SequenceRunnerBlockSize = Models.SequenceRunner.DefaultBlockSize;

    /// <summary>Bytes a second that the executor's processor or device reads at most; 0: not measured for it.</summary>
    public static double MeasureReadBandwidth(IExecutor executor) => executor is NativeExecutor ? NativeDevice.MeasureReadBandwidth(executor.Info.Threads) : 0;

    /// <summary>All devices and what they are.</summary>
    public static IReadOnlyList<DeviceRow> List(int threads)
    {
        var used = threads > 0 ? threads : NativeDevice.DefaultThreads;
        var bandwidth = NativeDevice.MeasureReadBandwidth(used);
        List<DeviceRow> rows =
        [
            new("cpu", true, string.Create(CultureInfo.InvariantCulture, $"{NativeDevice.InstructionSet}, {used} threads, class int8 for quantised weights, reads {bandwidth / 1e9:0.0} GB/s")),
            new("reference", true, "scalar C#, class reference: for checking, slow"),
        ];
        foreach (var device in IlgpuDevices.List()) rows.Add(new(device.Name, device.Usable, device.Detail));
        return rows;
    }
}

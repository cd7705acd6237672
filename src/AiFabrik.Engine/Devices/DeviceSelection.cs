using System.Globalization;
using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;

namespace AiFabrik.Engine.Devices;

/// <summary>A device that was asked for and cannot be had. The message is one sentence that says why.</summary>
public sealed class DeviceUnavailableException(string message) : Exception(message);

/// <summary>What a device reaches at most, measured; 0: not measured for it.</summary>
/// <param name="BytesPerSecond">Of memory: a processor's reads, a GPU's copies within its memory (read and written).</param>
/// <param name="MatrixOperationsPerSecond">Of a GPU's tensor cores, bf16 with fp32 sums.</param>
public readonly record struct DeviceLimits(double BytesPerSecond, double MatrixOperationsPerSecond);

/// <summary>A row of <c>doctor</c>.</summary>
/// <param name="Name">What --device takes.</param>
/// <param name="Detail">What it is, or why it cannot be used.</param>
public sealed record DeviceRow(string Name, bool Usable, string Detail);

/// <summary>What an executor on a device may use and whom it tells.</summary>
public sealed record DeviceOptions
{
    /// <summary>The data directory, where compiled kernels are kept between starts; null: nothing is kept.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Told how far loading and warming up have come, 0 … 1.</summary>
    public IProgress<double>? Progress { get; init; }

    /// <summary>Told, in a sentence, what is slower than it might be.</summary>
    public Action<string>? Notice { get; init; }
}

/// <summary>From <c>--device</c> to an executor.</summary>
public static class DeviceSelection
{
    /// <summary>More threads than any processor here has cores.</summary>
    public const int ThreadsMax = 1024;

    /// <summary>Of compiled kernels, in the data directory.</summary>
    private const string KernelFolder = "kernels";

    /// <summary>Opens the executor that <paramref name="device"/> names.</summary>
    /// <param name="threads">Threads of the host that compute; 0: all processors.</param>
    /// <exception cref="DeviceUnavailableException">The device is unknown or not usable here.</exception>
    public static IExecutor Open(string device, int threads, TransformerProgram program, StepLimits limits, DeviceOptions? options = null)
    {
        options ??= new DeviceOptions();
        if (threads < 0 || threads > ThreadsMax) throw new DeviceUnavailableException($"The number of threads must be between 0 (all processors) and {ThreadsMax}.");
        return device switch
        {
            "auto" => OpenBest(threads, program, limits, options),
            "cpu" => OpenNative(threads, program, limits),
            "reference" => new ReferenceExecutor(program, limits, new ReferenceOptions { Threads = threads > 0 ? threads : Environment.ProcessorCount }),
            _ when IlgpuDevices.IsDeviceName(device) => OpenIlgpu(device, program, limits, options),
            _ => throw new DeviceUnavailableException($"The device '{device}' is unknown. Known are auto, cpu, cuda, cuda:0, opencl, opencl:0 and reference."),
        };
    }

    /// <summary>The first CUDA device where the model fits it, else the processor. Never OpenCL: it may be the same processor, slower.</summary>
    private static IExecutor OpenBest(int threads, TransformerProgram program, StepLimits limits, DeviceOptions options)
    {
        if (!IlgpuDevices.HasCuda) return OpenNative(threads, program, limits);
        try
        {
            return OpenIlgpu("cuda:0", program, limits, options);
        }
        catch (DeviceUnavailableException)
        {
            // The executor's own description, printed at start, says what serves; doctor says why the GPU does not.
            return OpenNative(threads, program, limits);
        }
    }

    private static NativeExecutor OpenNative(int threads, TransformerProgram program, StepLimits limits) => NativeExecutor.Create(program, limits, new NativeOptions { Threads = threads });

    private static IlgpuExecutor OpenIlgpu(string device, TransformerProgram program, StepLimits limits, DeviceOptions options)
    {
        try
        {
            return IlgpuExecutor.Create(device, program, limits, new IlgpuOptions
            {
                KernelDirectory = options.DataDirectory is { } data ? Path.Combine(data, KernelFolder) : null, Progress = options.Progress, Notice = options.Notice,
            });
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

    /// <summary>Measures what an executor's results are held against.</summary>
    public static DeviceLimits MeasureLimits(IExecutor executor)
    {
        switch (executor)
        {
            case NativeExecutor:
                return new DeviceLimits(NativeDevice.MeasureReadBandwidth(executor.Info.Threads), 0);
            case IlgpuExecutor ilgpu:
                var (copy, matrix) = ilgpu.MeasureRates();
                return new DeviceLimits(copy, matrix);
            default:
                return default;
        }
    }

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

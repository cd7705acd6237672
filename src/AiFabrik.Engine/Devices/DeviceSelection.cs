using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;

namespace AiFabrik.Engine.Devices;

/// <summary>A device that was asked for and cannot be had. The message is one sentence that says why.</summary>
public sealed class DeviceUnavailableException(string message) : Exception(message);

/// <summary>From <c>--device</c> to an executor.</summary>
public static class DeviceSelection
{
    /// <summary>Opens the executor that <paramref name="device"/> names: auto, cpu, reference.</summary>
    /// <exception cref="DeviceUnavailableException">The device is unknown or not usable here.</exception>
    public static IExecutor Open(string device, int threads, TransformerProgram program, StepLimits limits) => device switch
    {
        "auto" or "cpu" => NativeExecutor.Create(program, limits, threads),
        "reference" => new ReferenceExecutor(program, limits, new ReferenceOptions { Threads = threads > 0 ? threads : Environment.ProcessorCount }),
        _ => throw new DeviceUnavailableException($"The device '{device}' is unknown. Known are auto, cpu and reference."),
    };

    /// <summary>Bytes of a cached value on a device.</summary>
    public static int KvElementBytes(string device) => device == "reference" ? 4 : 2;
}

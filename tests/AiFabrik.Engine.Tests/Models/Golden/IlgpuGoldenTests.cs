using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Golden;

/// <summary>The ILGPU executor on OpenCL. Skipped, and said so, where there is no OpenCL device.</summary>
public sealed class IlgpuGoldenTests : ExecutorGoldenTests
{
    /// <summary>A new executor; the warm-up would only compile what the check is about to compile.</summary>
    protected override IExecutor Create(TransformerProgram program, StepLimits limits)
    {
        var device = IlgpuDevices.List().FirstOrDefault(row => row.Usable && row.Name.StartsWith("opencl", StringComparison.Ordinal));
        if (device is null) Assert.Skip(IlgpuDevices.List().First(row => row.Name.StartsWith("opencl", StringComparison.Ordinal)).Detail);
        return IlgpuExecutor.Create(device.Name, program, limits, new IlgpuOptions { WarmUp = false });
    }
}

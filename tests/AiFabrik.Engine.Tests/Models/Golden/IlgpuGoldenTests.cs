using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Golden;

/// <summary>The ILGPU executor on OpenCL, within the bounds of float16. Skipped, and said so, where there is no OpenCL device.</summary>
public sealed class IlgpuGoldenTests
{
    public static TheoryData<string> Directories => [.. GoldenChecks.Directories];
    public static TheoryData<string> Twins => [.. GoldenChecks.Twins];
    public static TheoryData<string> TypeFiles => [.. GoldenChecks.TypeFiles];

    [Theory]
    [MemberData(nameof(Directories))]
    public void Every_directory_gives_the_logits_and_continuations_of_transformers(string name) => GoldenChecks.Directory(name, Create);

    [Theory]
    [MemberData(nameof(Twins))]
    public void Every_GGUF_twin_gives_the_logits_and_continuations_of_its_directory(string file) => GoldenChecks.Twin(file, Create);

    [Theory]
    [MemberData(nameof(TypeFiles))]
    public void Every_weight_type_gives_the_logits_of_its_dequantised_weights(string file) => GoldenChecks.Type(file, Create);

    [Fact]
    public void The_default_model_gives_the_logits_of_transformers() => SmolLm2Checks.Logits(Create);

    [Fact]
    public void The_default_model_gives_the_greedy_transcripts_of_transformers() => SmolLm2Checks.Greedy(Create);

    /// <summary>A new executor; the warm-up would only compile what the check is about to compile.</summary>
    private static IlgpuExecutor Create(TransformerProgram program, StepLimits limits)
    {
        var device = IlgpuDevices.List().FirstOrDefault(row => row.Usable && row.Name.StartsWith("opencl", StringComparison.Ordinal));
        if (device is null) Assert.Skip(IlgpuDevices.List().First(row => row.Name.StartsWith("opencl", StringComparison.Ordinal)).Detail);
        return IlgpuExecutor.Create(device.Name, program, limits, new IlgpuOptions { WarmUp = false });
    }
}

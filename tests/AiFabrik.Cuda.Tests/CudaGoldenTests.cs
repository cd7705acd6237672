using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Tests.Models.Golden;
using Xunit;

namespace AiFabrik.Cuda.Tests;

/// <summary>The golden models through the executor in CUDA mode: every kernel of every step is checked by the PTX machine.</summary>
public sealed class CudaGoldenTests
{
    /// <summary>Steps of each continuation: the machine executes a few million instructions a second.</summary>
    private const int StepsMax = 4;

    public static TheoryData<string> Directories => [.. GoldenChecks.Directories];
    public static TheoryData<string> TypeFiles => [.. GoldenChecks.TypeFiles];

    [Theory]
    [MemberData(nameof(Directories))]
    public void Every_directory_gives_the_logits_and_continuations_of_transformers(string name)
    {
        Standin.Require();
        GoldenChecks.Directory(name, Create, StepsMax);
        Standin.ExpectNoFaults();
    }

    [Theory]
    [MemberData(nameof(TypeFiles))]
    public void Every_weight_type_gives_the_logits_of_its_dequantised_weights(string file)
    {
        Standin.Require();
        GoldenChecks.Type(file, Create, StepsMax);
        Standin.ExpectNoFaults();
    }

    private static IlgpuExecutor Create(TransformerProgram program, StepLimits limits) => IlgpuExecutor.Create("cuda", program, limits, new IlgpuOptions { WarmUp = false });
}

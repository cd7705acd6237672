using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Golden;

/// <summary>What every executor must show: all golden models and the default model, within the bounds of the class that it states.</summary>
public abstract class ExecutorGoldenTests
{
    public static TheoryData<string> Directories => [.. GoldenChecks.Directories];
    public static TheoryData<string> Twins => [.. GoldenChecks.Twins];
    public static TheoryData<string> TypeFiles => [.. GoldenChecks.TypeFiles];

    /// <summary>Makes the executor, or skips the test and says why.</summary>
    protected abstract IExecutor Create(TransformerProgram program, StepLimits limits);

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
}

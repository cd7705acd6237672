using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Golden;

public sealed class ReferenceGoldenTests
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

    [Theory]
    [MemberData(nameof(Directories))]
    public void Fused_programs_give_the_same(string name) => GoldenChecks.Directory(name, CreateFused);

    [Fact]
    public void The_default_model_gives_the_logits_of_transformers() => SmolLm2Checks.Logits(Create);

    [Fact]
    public void The_default_model_gives_the_greedy_transcripts_of_transformers() => SmolLm2Checks.Greedy(Create);

    [Theory]
    [InlineData(512)]
    [InlineData(128)]
    public void The_default_model_gives_the_perplexity_of_transformers(int context) => SmolLm2Checks.Perplexity(Create, context);

    private static ReferenceExecutor Create(TransformerProgram program, StepLimits limits) => new(program, limits);

    private static ReferenceExecutor CreateFused(TransformerProgram program, StepLimits limits) => new(Fusion.Apply(program), limits);
}

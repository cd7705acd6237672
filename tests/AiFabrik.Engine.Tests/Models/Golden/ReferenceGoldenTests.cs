using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Golden;

/// <summary>The reference executor, and what it alone shows: that fusion changes nothing, and perplexity.</summary>
public sealed class ReferenceGoldenTests : ExecutorGoldenTests
{
    [Theory]
    [MemberData(nameof(Directories))]
    public void Fused_programs_give_the_same(string name) => GoldenChecks.Directory(name, (program, limits) => Create(Fusion.Apply(program), limits));

    [Theory]
    [InlineData(512)]
    [InlineData(128)]
    public void The_default_model_gives_the_perplexity_of_transformers(int context) => SmolLm2Checks.Perplexity(Create, context);

    protected override IExecutor Create(TransformerProgram program, StepLimits limits) => new ReferenceExecutor(program, limits);
}

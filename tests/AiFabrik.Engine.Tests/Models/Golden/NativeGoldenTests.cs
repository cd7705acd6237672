using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Tests.Models.Golden;

/// <summary>The native executor.</summary>
public sealed class NativeGoldenTests : ExecutorGoldenTests
{
    protected override IExecutor Create(TransformerProgram program, StepLimits limits) => NativeExecutor.Create(program, limits);
}

using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;

namespace AiFabrik.Engine.Tests.Models.Making;

/// <summary>All logits of a model after a token list.</summary>
internal static class Logits
{
    /// <summary>[tokens, vocabulary] of the model at <paramref name="path"/> on the reference executor.</summary>
    public static float[] Of(string path, params int[] tokens)
    {
        using var files = ModelFiles.Open(path);
        return Of(files, tokens, (program, limits) => new ReferenceExecutor(program, limits));
    }

    public static float[] Of(ModelFiles files, int[] tokens, Func<TransformerProgram, StepLimits, IExecutor> open)
    {
        var program = ArchitectureRegistry.Build(files.Config, files.Weights);
        using var executor = open(program, SequenceRunner.LimitsFor(program, tokens.Length));
        using var runner = new SequenceRunner(executor, program);
        var all = new float[tokens.Length * program.VocabSize];
        runner.Append(tokens, [.. Enumerable.Range(0, tokens.Length)], (position, logits) => logits.CopyTo(all.AsSpan(position * program.VocabSize)));
        return all;
    }
}

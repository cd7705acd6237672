using AiFabrik.Compute.Reference;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

public sealed class LogProbsTests
{
    private static readonly float[] Row = [MathF.Log(1), MathF.Log(4), MathF.Log(2), MathF.Log(4), MathF.Log(5)];

    [Fact]
    public void LogSumExp_does_not_overflow()
    {
        Assert.Equal(Math.Log(16), LogProbs.LogSumExp(Row), 1e-7);
        Assert.Equal(1000 + Math.Log(2), LogProbs.LogSumExp([1000, 1000, -1000]), 1e-9);
    }

    [Fact]
    public void A_token_has_the_logarithm_of_its_share() => Assert.Equal(Math.Log(2 / 16.0), LogProbs.Of(Row, 2), 1e-7);

    [Fact]
    public void The_best_come_first_and_equals_by_id()
    {
        int[] tokens = new int[4];
        var logProbs = new double[4];
        Assert.Equal(4, LogProbs.Top(Row, tokens, logProbs));
        Assert.Equal([4, 1, 3, 2], tokens);
        Assert.Equal(Math.Log(5 / 16.0), logProbs[0], 1e-7);
        Assert.Equal(Math.Log(2 / 16.0), logProbs[3], 1e-7);
        Assert.Equal(5, LogProbs.Top(Row, new int[9], new double[9]));
    }

    [Fact]
    public void Perplexity_scores_the_second_half_of_each_whole_chunk()
    {
        using var model = ModelFiles.Open(TestPaths.HuggingFace("llama-mqa"));
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        using var executor = new ReferenceExecutor(program, SequenceRunner.LimitsFor(program, 16));
        using var runner = new SequenceRunner(executor, program);
        var tokens = Enumerable.Range(0, 27).Select(i => i * 37 % 312).ToArray();
        var result = Perplexity.Measure(runner, tokens, 9);
        // Of 9 tokens, positions 5 to 8 are scored, three times.
        Assert.Equal(12, result.Scored);
        var expected = new double[3];
        for (var chunk = 0; chunk < 3; chunk++)
        {
            for (var scored = 5; scored < 9; scored++)
            {
                runner.Reset();
                var token = tokens[chunk * 9 + scored];
                runner.Append(tokens.AsSpan(chunk * 9, scored), [scored - 1], (_, logits) => expected[chunk] -= LogProbs.Of(logits, token) / 4);
            }
            Assert.Equal(expected[chunk], result.ChunkMeanNll[chunk], 1e-9);
        }
        Assert.Equal(expected.Average(), result.MeanNll, 1e-9);
        Assert.Equal(Math.Exp(result.MeanNll), result.Value);
        Assert.Throws<ArgumentException>(() => Perplexity.Measure(runner, tokens.AsSpan(0, 8), 9));
        Assert.Throws<ArgumentException>(() => Perplexity.Measure(runner, tokens, 17));
    }
}

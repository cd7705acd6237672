using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Tests.Scheduling;
using Xunit;

namespace AiFabrik.Engine.Tests.Sampling;

/// <summary>Drawing from the best few logits of a row gives what drawing from all of them gives.</summary>
public sealed class BestFewTests
{
    private const int Vocab = 3000;

    [Fact]
    public void The_same_seeds_give_the_same_tokens()
    {
        var random = new Random(11);
        using Sampler full = new(Vocab), few = new(Vocab);
        for (var round = 0; round < 3000; round++)
        {
            var logits = Row(random, round);
            var isGreedy = random.Next(6) == 0;
            var parameters = new SamplingParameters
            {
                Temperature = isGreedy ? 0 : 0.3f + 1.5f * random.NextSingle(), TopK = isGreedy ? random.Next(3) : random.Next(1, TopLogits.CountMax + 1),
                TopP = random.Next(2) == 0 ? 1 : random.NextSingle(), MinP = random.Next(3) == 0 ? random.NextSingle() * 0.3f : 0, TypicalP = random.Next(3) == 0 ? random.NextSingle() : 1,
            };
            var topCount = random.Next(21);
            TokenLogprob[] expectedTop = new TokenLogprob[topCount], top = new TokenLogprob[topCount];
            var input = new SamplingInput { Parameters = parameters, History = [1, 2], PromptLength = 1, Seed = (ulong)round, Choice = round % 3, Logprobs = round % 2 == 0 };
            var best = Best(logits, Math.Max(isGreedy ? 1 : parameters.TopK, topCount));
            var token = few.SampleTop(best, input, out var logprob, top, out var count);
            Assert.Equal(full.Sample(logits, input, out var expectedLogprob, expectedTop, out var expectedCount), token);
            Assert.Equal(expectedCount, count);
            if (!float.IsNaN(expectedLogprob)) Assert.Equal(expectedLogprob, logprob, 1e-5f);
            for (var i = 0; i < count; i++)
            {
                Assert.Equal(expectedTop[i].Token, top[i].Token);
                Assert.Equal(expectedTop[i].Logprob, top[i].Logprob, 1e-5f);
            }
        }
    }

    [Fact]
    public async Task An_engine_asks_for_the_best_few_only_where_they_are_enough()
    {
        using EngineHarness plain = new(), copying = new(copiesLogits: true);
        var drawn = new SamplingParameters { TopK = 7, TopP = 0.9f, Seed = 5 };
        (TestRequest Request, bool IsFew)[] requests =
        [
            (new TestRequest { Sampling = drawn }, true), (new TestRequest { Sampling = drawn, TopLogprobs = 20, N = 3 }, true), (new TestRequest { TopLogprobs = 3 }, true),
            (new TestRequest { Sampling = drawn with { TypicalP = 0.8f, MinP = 0.01f } }, true), (new TestRequest { Sampling = drawn with { TopK = 0 } }, false),
            (new TestRequest { Sampling = drawn with { TopK = 1000 } }, false), (new TestRequest { Sampling = drawn with { PresencePenalty = 1 } }, false),
            (new TestRequest { Sampling = drawn, Bias = [new LogitBias(3, 1)] }, false), (new TestRequest { TopLogprobs = 2, Bias = [new LogitBias(3, 1)] }, false),
        ];
        foreach (var (request, isFew) in requests)
        {
            var (top, full) = (copying.Executor.TopRows, copying.Executor.FullRows);
            var (expected, results) = (await plain.Run(request), await copying.Run(request));
            for (var i = 0; i < expected.Length; i++)
            {
                Assert.Equal(expected[i].Tokens, results[i].Tokens);
                Assert.Equal(expected[i].Text, results[i].Text);
                Assert.Equal(expected[i].Logprobs.Select(p => Math.Round(p, 4)), results[i].Logprobs.Select(p => Math.Round(p, 4)));
                Assert.Equal(expected[i].Top.SelectMany(t => t).Select(t => t.Token), results[i].Top.SelectMany(t => t).Select(t => t.Token));
            }
            Assert.Equal(isFew, copying.Executor.TopRows > top);
            Assert.Equal(!isFew, copying.Executor.FullRows > full);
        }
        Assert.Equal(0, plain.Executor.TopRows);
    }

    [Fact]
    public async Task Before_min_tokens_the_whole_row_is_needed_and_then_no_more()
    {
        using var harness = new EngineHarness(copiesLogits: true);
        var request = new TestRequest { MaxTokens = 12, MinTokens = 5, IgnoreEos = false, Sampling = new SamplingParameters { TopK = 4, Seed = 9 } };
        var result = await harness.Run(request);
        Assert.Equal(harness.Expected(request).Tokens, result[0].Tokens);
        Assert.Equal(5, harness.Executor.FullRows);
        Assert.Equal(result[0].Tokens.Count - 5, harness.Executor.TopRows);
    }

    private static float[] Row(Random random, int round) =>
    [
        .. Enumerable.Range(0, Vocab).Select(i => (round % 8) switch
        {
            0 => MathF.Round(random.NextSingle() * 6),
            1 => i % 500 == 3 ? random.NextSingle() : float.NegativeInfinity,
            2 when i % 11 == 0 => float.NaN,
            3 when i % 5 == 0 => -0f,
            4 when round % 64 == 4 => float.NegativeInfinity,
            _ => 8 * random.NextSingle() - 6,
        }),
    ];

    private static TopLogits Best(float[] logits, int k)
    {
        var order = Enumerable.Range(0, logits.Length).Where(i => logits[i] > float.NegativeInfinity).OrderByDescending(i => logits[i]).ThenBy(i => i).Take(k).ToArray();
        var largest = order.Length > 0 ? logits[order[0]] : float.NegativeInfinity;
        return new TopLogits(order, order.Select(i => logits[i]).ToArray(), largest, logits.Select(v => Math.Exp((double)v - largest)).Where(e => !double.IsNaN(e)).Sum());
    }
}

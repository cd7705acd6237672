using AiFabrik.Engine.Sampling;
using Xunit;

namespace AiFabrik.Engine.Tests.Sampling;

/// <summary>Partial selection against a full sort, over vocabularies of real size.</summary>
public sealed class LargeVocabularyTests
{
    [Theory]
    [InlineData(49_152, 6f, 0)]
    [InlineData(30_011, 1f, 0)]
    [InlineData(20_000, 0f, 0)]
    [InlineData(8_191, 8f, 3)]
    public void Selection_is_that_of_a_full_sort(int vocabSize, float spread, int decimals)
    {
        var random = new Random(vocabSize);
        var logits = new float[vocabSize];
        for (var i = 0; i < vocabSize; i++) logits[i] = (float)Math.Round(Math.Pow(random.NextDouble(), 3) * 2.5 * spread, decimals == 0 ? 6 : decimals);
        logits[random.Next(vocabSize)] = float.NegativeInfinity;
        logits[random.Next(vocabSize)] = float.NaN;
        SamplingParameters[] cases =
        [
            new() { TopK = 1 }, new() { TopK = 40 }, new() { TopK = 128 }, new() { TopK = 129 }, new() { TopK = 5000 }, new() { TopK = vocabSize },
            new() { TopP = 0.50003f }, new() { TopP = 0.95003f, Temperature = 0.3f }, new() { TopP = 0.999f }, new() { TopP = 1e-9f },
            new() { MinP = 0.05f }, new() { MinP = 1f }, new() { MinP = 1e-9f, Temperature = 2 },
            new() { TopK = 40, TopP = 0.90003f, MinP = 0.01f }, new() { TopP = 0.90003f, MinP = 0.01f }, new() { TopK = 500, TopP = 0.7f, TypicalP = 0.6f },
            new() { TypicalP = 0.3f },
        ];
        using var sampler = new Sampler(vocabSize);
        var actual = new double[vocabSize];
        foreach (var parameters in cases)
        {
            sampler.Probabilities((float[])logits.Clone(), new SamplingInput { Parameters = parameters, History = [0], PromptLength = 1 }, actual);
            var expected = Naive(logits, parameters);
            for (var id = 0; id < vocabSize; id++)
                Assert.True(Math.Abs(expected[id] - actual[id]) <= 1e-6, $"{parameters.TopK} {parameters.TopP} {parameters.MinP} {parameters.TypicalP}: {id} {expected[id]} {actual[id]}");
            // A token at the border may go either way by rounding, no more.
            Assert.InRange(Math.Abs(expected.Count(p => p > 0) - actual.Count(p => p > 0)), 0, 1 + expected.Count(p => p > 0) / 1000);
        }
    }

    private static double[] Naive(float[] logits, SamplingParameters parameters)
    {
        var list = Enumerable.Range(0, logits.Length).Where(i => logits[i] > float.NegativeInfinity).OrderByDescending(i => logits[i]).ThenBy(i => i).ToList();
        if (parameters.TopK > 0) list = list.Take(parameters.TopK).ToList();
        var max = logits[list[0]];
        double Weight(int i) => Math.Exp(((double)logits[i] - max) / parameters.Temperature);
        var sum = list.Sum(Weight);
        if (parameters.TopP < 1)
        {
            double reached = 0;
            var kept = list.TakeWhile((i, n) => { var isKept = n == 0 || reached < parameters.TopP * sum; reached += Weight(i); return isKept; }).ToList();
            list = kept;
        }
        if (parameters.MinP > 0) list = list.Where((i, n) => n == 0 || Weight(i) >= parameters.MinP).ToList();
        sum = list.Sum(Weight);
        if (parameters.TypicalP < 1)
        {
            var entropy = -list.Sum(i => Weight(i) / sum * Math.Log(Weight(i) / sum));
            double reached = 0;
            list = list.OrderBy(i => Math.Abs(-Math.Log(Weight(i) / sum) - entropy))
                .TakeWhile((i, n) => { var isKept = n == 0 || reached < parameters.TypicalP * sum; reached += Weight(i); return isKept; }).ToList();
            sum = list.Sum(Weight);
        }
        var result = new double[logits.Length];
        foreach (var i in list) result[i] = Weight(i) / sum;
        return result;
    }

    [Fact]
    public void Ties_go_to_the_lowest_id()
    {
        var logits = new float[100];
        Array.Fill(logits, -1f);
        logits[90] = logits[17] = logits[63] = 2f;
        Assert.Equal(17, LogitMath.ArgMax(logits));
        var keys = new ulong[3];
        Assert.Equal(3, LogitMath.CollectTop(logits, 3, keys));
        Assert.Equal([17, 63, 90], keys.Select(LogitMath.KeyToken));
        logits[3] = -0f;
        logits[2] = 0f;
        Assert.Equal(LogitMath.Key(logits[2], 5), LogitMath.Key(logits[3], 5));
    }

    [Fact]
    public void Nothing_left_but_the_banned_still_gives_a_token()
    {
        using var sampler = new Sampler(3);
        var token = sampler.Sample([1f, 2f, 3f], new SamplingInput { Parameters = new SamplingParameters { TopP = 0.5f }, History = [0], PromptLength = 1, Banned = [0, 1, 2] }, out _, [], out _);
        Assert.InRange(token, 0, 2);
        Assert.Equal(1, sampler.Sample([1f, float.NaN, float.NaN], new SamplingInput { Parameters = new SamplingParameters { TopK = 2 }, History = [0], PromptLength = 1, Bias = [new LogitBias(0, 1)] }, out _, [], out _) + 1);
    }
}

public sealed class CounterRandomTests
{
    /// <summary>Known answers of Random123 (kat_vectors).</summary>
    [Fact]
    public void Philox_gives_the_published_answers()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), CounterRandom.Philox(0, 0, 0, 0, 0, 0));
        const uint f = 0xffffffff;
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu), CounterRandom.Philox(f, f, f, f, f, f));
        Assert.Equal((0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u), CounterRandom.Philox(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
    }

    [Fact]
    public void Draws_are_uniform_and_depend_on_everything()
    {
        var sum = 0.0;
        for (var i = 0; i < 10_000; i++)
        {
            var u = CounterRandom.Uniform(1, 0, i);
            Assert.InRange(u, 0, 1 - 1e-16);
            sum += u;
        }
        Assert.Equal(0.5, sum / 10_000, 0.02);
        Assert.NotEqual(CounterRandom.Uniform(1, 0, 0), CounterRandom.Uniform(2, 0, 0));
        Assert.NotEqual(CounterRandom.Uniform(1, 0, 0), CounterRandom.Uniform(1, 1, 0));
        Assert.NotEqual(CounterRandom.Uniform(1, 0, 0), CounterRandom.Uniform(1UL << 40, 0, 0));
    }
}

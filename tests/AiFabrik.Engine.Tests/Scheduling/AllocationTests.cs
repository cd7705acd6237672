using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

public sealed class AllocationTests
{
    /// <summary>Bytes that the engine's thread allocated between two of its steps, while sequences decode and a reader is woken for each token.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_steady_decode_step_allocates_nothing(bool isDrawn)
    {
        // The least of several stretches: a method that is swapped for its optimised code allocates once, in one of them.
        const int from = 300, stretch = 200, stretches = 4;
        long before = 0, least = long.MaxValue;
        var step = 0;
        using var harness = new EngineHarness(contextLen: 2048, windows: [0, 64], onStep: _ =>
        {
            step++;
            if (step < from || (step - from) % stretch != 0) return;
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            if (step > from) least = Math.Min(least, allocated - before);
            before = allocated;
        });
        var sampling = isDrawn
            ? new SamplingParameters { Seed = 4, TopK = 30, TopP = 0.95f, MinP = 0.001f, TypicalP = 0.99f, RepetitionPenalty = 1.1f, PresencePenalty = 0.1f }
            : new SamplingParameters { Temperature = 0 };
        var request = new TestRequest { MaxTokens = 1200, IgnoreEos = true, Sampling = sampling, Stop = ["never in here"], TopLogprobs = isDrawn ? 5 : null };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Drain(harness.Submit(request)))));
        Assert.True(step > from + (stretch * stretches));
        Assert.Equal(0, least);
    }

    /// <summary>What a request allocates on its reader's side does not grow with its length.</summary>
    [Fact]
    public void Reading_allocates_nothing_per_token()
    {
        using var harness = new EngineHarness(new EngineOptions { RingEvents = 1500 }, contextLen: 2048);
        Assert.Equal(Allocations.Steady(() => Read(100)), Allocations.Steady(() => Read(1400)));

        void Read(int tokens)
        {
            using var generation = Submit(harness.Engine, tokens);
            while (generation.EndTimestamp == 0) Thread.Yield();
            var read = 0;
            while (read < tokens)
            {
                var wait = generation.WaitAsync();
                while (!wait.IsCompleted) Thread.Yield();
                Assert.True(wait.GetAwaiter().GetResult());
                while (generation.TryRead(out _)) read++;
            }
        }
    }

    private static Generation Submit(InferenceEngine engine, int tokens)
    {
        ReadOnlySpan<int> prompt = [5, 6];
        var status = engine.TrySubmit(new GenerationRequest { Prompt = prompt, MaxTokens = tokens, IgnoreEos = true, Sampling = new SamplingParameters { Temperature = 0 } }, out var generation);
        return status == SubmitStatus.Ok ? generation! : throw new InvalidOperationException(status.ToString());
    }

    private static async Task Drain(Generation generation)
    {
        using (generation)
            while (await generation.WaitAsync())
                while (generation.TryRead(out _)) { }
    }
}

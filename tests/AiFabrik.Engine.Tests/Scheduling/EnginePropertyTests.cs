using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

/// <summary>Thousands of random requests on engines that are too small for them. AIFABRIK_FUZZ_ITERATIONS: requests per engine.</summary>
public sealed class EnginePropertyTests
{
    private static int Iterations => int.TryParse(Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_ITERATIONS"), out var n) ? n : 600;

    [Theory]
    [InlineData(1, 4, 10, 0, 0)]
    [InlineData(2, 8, 9, 0, 0)]
    [InlineData(3, 3, 12, 40, 0)]
    [InlineData(4, 16, 30, 24, 60)]
    [InlineData(5, 1, 8, 0, 0)]
    public async Task Every_request_gives_what_it_gives_alone_and_leaves_nothing(int seed, int maxSequences, int blocks, int window, int originalContextLen)
    {
        using var harness = new EngineHarness(new EngineOptions
        {
            MaxSequences = maxSequences, MaxQueuedSequences = 12, MaxTokensPerStep = Math.Max(maxSequences, 40), MaxPrefillTokensWhileDecoding = 24, RingEvents = 6,
            StepsBeforePausedYields = 4, MaxUndrainedSequences = 8,
        }, contextLen: 128, windows: window == 0 ? [0] : [0, window], blocks: blocks, originalContextLen: originalContextLen);

        var readers = new List<Task<bool>>();
        var random = new Random(seed);
        for (var i = 0; i < Iterations; i++)
        {
            var request = Request(random);
            var manner = random.Next(10);
            SubmitStatus status;
            Generation? generation;
            while ((status = harness.TrySubmit(request, out generation)) == SubmitStatus.QueueFull) await Task.Yield();
            Assert.Equal(SubmitStatus.Ok, status);
            readers.Add(Task.Run(() => Read(harness, request, generation!, manner)));
        }
        var complete = await Task.WhenAll(readers);
        Assert.True(complete.Count(x => x) > Iterations / 2);
        await harness.AssertNothingLeft();
    }

    /// <summary>Reads to the end, or goes away at some time in some manner. True if it read to the end and all was right.</summary>
    private static async Task<bool> Read(EngineHarness harness, TestRequest request, Generation generation, int manner)
    {
        using (generation)
        {
            if (manner == 0) return false;
            var results = Enumerable.Range(0, request.N).Select(_ => new ChoiceResult()).ToArray();
            var events = 0;
            while (await generation.WaitAsync())
            {
                while (generation.TryRead(out var e))
                {
                    results[e.Choice].Add(e);
                    events++;
                    if (manner == 1 && events == 5) return false;
                    if (manner == 2 && events == 3) generation.Cancel();
                    if (manner == 3 && events % 7 == 0) break;
                }
                if (manner == 3) await Task.Delay(1);
            }
            if (results.Any(r => r.Finish == FinishReason.Cancelled)) return false;
            harness.AssertExpected(request, results);
            return true;
        }
    }

    private static TestRequest Request(Random random)
    {
        var prompt = new int[random.Next(5) == 0 ? random.Next(1, 127) : random.Next(1, 30)];
        for (var i = 0; i < prompt.Length; i++) prompt[i] = random.Next(FakeVocabulary.Size);
        string[] stops = ["ab", "cba", "é", "日本", "\uFFFDa", "stop", "bb a"];
        var maxTokens = random.Next(1, 60);
        return new TestRequest
        {
            Prompt = prompt, MaxTokens = maxTokens, N = random.Next(4) == 0 ? random.Next(2, 5) : 1, IgnoreEos = random.Next(2) == 0,
            Stop = random.Next(3) == 0 ? [stops[random.Next(stops.Length)], stops[random.Next(stops.Length)]] : [],
            StopTokenIds = random.Next(4) == 0 ? [random.Next(FakeVocabulary.Size)] : [],
            Bias = random.Next(4) == 0 ? [new LogitBias(random.Next(FakeVocabulary.Size), random.Next(-5, 5))] : [],
            TopLogprobs = random.Next(3) == 0 ? random.Next(6) : null,
            Sampling = random.Next(3) == 0 ? new SamplingParameters { Temperature = 0, RepetitionPenalty = random.Next(2) == 0 ? 1 : 1.2f } : new SamplingParameters
            {
                Seed = (ulong)random.NextInt64(), Temperature = random.NextSingle() * 2, TopK = random.Next(3) * 10, TopP = 0.5f + random.NextSingle(),
                MinP = random.Next(2) * 0.02f, TypicalP = random.Next(3) == 0 ? 0.8f : 1, PresencePenalty = random.NextSingle(), FrequencyPenalty = random.NextSingle(),
            },
        };
    }
}

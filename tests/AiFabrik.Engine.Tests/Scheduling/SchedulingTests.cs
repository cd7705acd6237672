using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

public sealed class SchedulingTests
{
    private static int[] Prompt(int seed, int length) => Enumerable.Range(0, length).Select(i => (int)(FakeModel.Mix(seed * 1000 + i, 7) % FakeVocabulary.Size)).ToArray();

    private static SamplingParameters Drawn(ulong seed) => new() { Seed = seed, TopP = 0.9f };

    [Fact]
    public async Task A_batch_of_sixteen_gives_what_each_gives_alone()
    {
        var requests = Enumerable.Range(0, 16).Select(i => new TestRequest
        {
            Prompt = Prompt(i, 1 + i * 5), MaxTokens = 60, IgnoreEos = true, Sampling = i % 2 == 0 ? new SamplingParameters { Temperature = 0 } : Drawn((ulong)i),
        }).ToArray();
        using var harness = new EngineHarness();
        var together = await Task.WhenAll(requests.Select(r => harness.Run(r)));
        Assert.True(harness.Executor.MostSequences > 1);
        for (var i = 0; i < requests.Length; i++)
        {
            harness.AssertExpected(requests[i], together[i]);
            Assert.Equal(together[i][0].Tokens, (await harness.Run(requests[i]))[0].Tokens);
        }
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task Greedy_requests_ask_for_the_best_token_only()
    {
        using var harness = new EngineHarness();
        await harness.Run(new TestRequest { MaxTokens = 20, IgnoreEos = true });
        Assert.Equal(0, harness.Executor.FullRows);
        await harness.Run(new TestRequest { MaxTokens = 20, IgnoreEos = true, TopLogprobs = 0 });
        Assert.Equal(20, harness.Executor.FullRows);
        await harness.Run(new TestRequest { MaxTokens = 20, MinTokens = 5 });
        Assert.Equal(25, harness.Executor.FullRows); // as long as eos is banned
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public async Task Prefill_in_chunks_gives_the_same(int tokensPerStep)
    {
        using var harness = new EngineHarness(new EngineOptions { MaxSequences = 1, MaxTokensPerStep = tokensPerStep });
        var request = new TestRequest { Prompt = Prompt(3, 150), MaxTokens = 10 };
        harness.AssertExpected(request, await harness.Run(request));
        Assert.True(harness.Executor.MostTokens <= tokensPerStep);
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task Decoding_keeps_its_pace_while_others_prefill()
    {
        var prefillWhileDecoding = new List<int>();
        using var go = new ManualResetEventSlim();
        using var harness = new EngineHarness(new EngineOptions { MaxTokensPerStep = 64, MaxPrefillTokensWhileDecoding = 24 }, contextLen: 1024, onStep: batch =>
        {
            go.Wait();
            var lengths = Enumerable.Range(0, batch.SequenceCount).Select(s => batch.QueryStart[s + 1] - batch.QueryStart[s]).ToArray();
            if (lengths[0] == 1 && lengths.Length > 1) prefillWhileDecoding.Add(lengths.Where(l => l > 1).Sum());
        });
        using var decoding = harness.Submit(new TestRequest { MaxTokens = 60, IgnoreEos = true });
        using var prefilling = harness.Submit(new TestRequest { Prompt = Prompt(1, 500), MaxTokens = 1 });
        go.Set();
        await Task.WhenAll(EngineHarness.Collect(decoding, 1), EngineHarness.Collect(prefilling, 1));
        // In its first step the short prompt is a prefill itself.
        Assert.InRange(prefillWhileDecoding.Count, 500 / 24 - 1, 500);
        Assert.All(prefillWhileDecoding.Skip(1), tokens => Assert.InRange(tokens, 0, 24));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    public async Task Too_few_blocks_preempt_and_change_nothing(int blocks)
    {
        using var harness = new EngineHarness(contextLen: 128, blocks: blocks);
        var requests = Enumerable.Range(0, 12).Select(i => new TestRequest { Prompt = Prompt(i, 5 + i), MaxTokens = 80, IgnoreEos = true, Sampling = Drawn((ulong)i) }).ToArray();
        var results = await Task.WhenAll(requests.Select(r => harness.Run(r)));
        for (var i = 0; i < requests.Length; i++) harness.AssertExpected(requests[i], results[i]);
        Assert.True(harness.Engine.Statistics.Preemptions > 0);
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task Windows_free_what_they_left_behind()
    {
        using var harness = new EngineHarness(new EngineOptions { MaxSequences = 2, MaxTokensPerStep = 32 }, contextLen: 512, windows: [0, 40]);
        Assert.True(harness.Executor.Limits.BlocksPerGroup[1] < harness.Executor.Limits.BlocksPerGroup[0] / 2);
        var requests = Enumerable.Range(0, 4).Select(i => new TestRequest { Prompt = Prompt(i, 150), MaxTokens = 300, IgnoreEos = true }).ToArray();
        var results = await Task.WhenAll(requests.Select(r => harness.Run(r)));
        for (var i = 0; i < requests.Length; i++) harness.AssertExpected(requests[i], results[i]);
        await harness.AssertNothingLeft();
    }

    [Theory]
    [InlineData(30)]
    [InlineData(80)]
    public async Task A_sequence_that_outgrows_its_rope_variant_is_computed_again(int promptLength)
    {
        using var harness = new EngineHarness(originalContextLen: 64, windows: [0, 32]);
        var request = new TestRequest { Prompt = Prompt(2, promptLength), MaxTokens = 100, IgnoreEos = true };
        harness.AssertExpected(request, await harness.Run(request));
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task Choices_share_the_prompt_and_differ_in_their_draws()
    {
        using var harness = new EngineHarness(windows: [0, 32]);
        var request = new TestRequest { Prompt = Prompt(4, 100), MaxTokens = 30, N = 8, IgnoreEos = true, Sampling = Drawn(9) };
        var results = await harness.Run(request);
        harness.AssertExpected(request, results);
        Assert.True(results.Select(r => string.Join(',', r.Tokens)).Distinct().Count() > 1);
        // 100 once, then at most a block and the tokens drawn for each choice.
        Assert.InRange(harness.Executor.TokensComputed, 100, 100 + 8 * (16 + 30));
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task The_context_ends_an_answer()
    {
        using var harness = new EngineHarness(contextLen: 50);
        var request = new TestRequest { Prompt = Prompt(1, 30), MaxTokens = 1000, IgnoreEos = true };
        var results = await harness.Run(request);
        Assert.Equal(20, results[0].Tokens.Count);
        Assert.Equal(FinishReason.Length, results[0].Finish);
        harness.AssertExpected(request, results);
        Assert.Equal(SubmitStatus.PromptTooLong, harness.TrySubmit(new TestRequest { Prompt = Prompt(1, 50) }, out var none));
        Assert.Null(none);
        Assert.Equal(SubmitStatus.Ok, harness.TrySubmit(new TestRequest { Prompt = Prompt(1, 49) }, out var one));
        one!.Dispose();
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once_and_accepts_again_later()
    {
        using var go = new ManualResetEventSlim();
        using var harness = new EngineHarness(new EngineOptions { MaxSequences = 2, MaxQueuedSequences = 3 }, onStep: _ => go.Wait());
        var request = new TestRequest { MaxTokens = 4, IgnoreEos = true };
        var accepted = Enumerable.Range(0, 5).Select(_ => harness.Submit(request)).ToArray();
        Assert.Equal(SubmitStatus.QueueFull, harness.TrySubmit(request, out _));
        Assert.Equal(SubmitStatus.QueueFull, harness.TrySubmit(request with { N = 2 }, out _));
        Assert.Equal(SubmitStatus.NeverFits, harness.TrySubmit(request with { N = 6 }, out _));
        go.Set();
        foreach (var generation in accepted)
        {
            harness.AssertExpected(request, await EngineHarness.Collect(generation, 1));
            generation.Dispose();
        }
        harness.AssertExpected(request, await harness.Run(request));
        Assert.Equal(3, harness.Engine.Statistics.RequestsRefused);
        await harness.AssertNothingLeft();
    }

    [Fact]
    public void Requests_beyond_a_limit_never_fit()
    {
        using var harness = new EngineHarness();
        TestRequest[] bad =
        [
            new() { Prompt = [] }, new() { Prompt = [FakeVocabulary.Size] }, new() { Prompt = [-1] }, new() { MaxTokens = 0 }, new() { N = 0 },
            new() { MinTokens = 17 }, new() { Stop = [""] }, new() { Stop = [new string('a', 4097)] }, new() { Stop = Enumerable.Repeat("a", 17).ToArray() },
            new() { Bias = [new LogitBias(64, 1)] }, new() { Bias = [new LogitBias(1, float.NaN)] }, new() { StopTokenIds = [99] }, new() { TopLogprobs = 21 },
            new() { Sampling = new SamplingParameters { Temperature = float.NaN } }, new() { Sampling = new SamplingParameters { RepetitionPenalty = 0 } },
        ];
        foreach (var request in bad) Assert.Equal(SubmitStatus.NeverFits, harness.TrySubmit(request, out _));
    }
}

using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

/// <summary>How requests end that don't end by themselves.</summary>
public sealed class LifetimeTests
{
    private static readonly TestRequest Long = new() { Prompt = [7, 8, 9], MaxTokens = 5000, IgnoreEos = true };

    [Fact]
    public async Task Cancelling_frees_the_sequence_within_one_step()
    {
        Generation? generation = null;
        var stepsAfter = 0;
        var cancelled = false;
        using var harness = new EngineHarness(contextLen: 8192, onStep: _ =>
        {
            if (cancelled) Interlocked.Increment(ref stepsAfter);
            else if (generation?.CompletionTokens > 10) { generation.Cancel(); cancelled = true; }
        });
        generation = harness.Submit(Long);
        var results = await EngineHarness.Collect(generation, 1);
        Assert.Equal(FinishReason.Cancelled, results[0].Finish);
        Assert.Equal(0, stepsAfter);
        generation.Dispose();
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task A_cancelled_token_ends_the_wait_and_the_generation()
    {
        using var harness = new EngineHarness(contextLen: 8192);
        using var source = new CancellationTokenSource();
        var generation = harness.Submit(Long);
        Assert.True(await generation.WaitAsync(source.Token));
        source.Cancel();
        Assert.False(await generation.WaitAsync(source.Token));
        Assert.True(generation.IsCancelled);
        generation.Dispose();
        generation.Dispose();
        Assert.Throws<ObjectDisposedException>(() => generation.TryRead(out _));
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task A_token_cancelled_during_the_wait_ends_it()
    {
        using var block = new ManualResetEventSlim();
        using var harness = new EngineHarness(onStep: _ => block.Wait());
        using var source = new CancellationTokenSource();
        using (var generation = harness.Submit(Long with { MaxTokens = 5 }))
        {
            var wait = generation.WaitAsync(source.Token);
            Assert.False(wait.IsCompleted);
            source.Cancel();
            Assert.False(await wait);
            block.Set();
        }
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task Disposing_while_it_runs_or_waits_leaves_nothing()
    {
        using var harness = new EngineHarness(new EngineOptions { MaxSequences = 2 }, contextLen: 4096);
        for (var i = 0; i < 20; i++) harness.Submit(Long with { N = 1 + i % 3 }).Dispose();
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task A_reader_that_does_not_drain_pauses_only_itself()
    {
        using var harness = new EngineHarness(new EngineOptions { RingEvents = 8 }, contextLen: 2048);
        var request = Long with { MaxTokens = 300 };
        using var slow = harness.Submit(request);
        for (var i = 0; i < 5; i++) harness.AssertExpected(request, await harness.Run(request));
        Assert.InRange(slow.CompletionTokens, 1, 8);
        Assert.Equal(1, harness.Engine.Statistics.PausedSequences);
        harness.AssertExpected(request, await EngineHarness.Collect(slow, 1));
        slow.Dispose();
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task Paused_sequences_yield_their_place_to_those_that_wait()
    {
        using var harness = new EngineHarness(new EngineOptions { RingEvents = 8, MaxSequences = 2 }, contextLen: 512, blocks: 40);
        var request = Long with { MaxTokens = 100 };
        var slow = Enumerable.Range(0, 3).Select(_ => harness.Submit(request)).ToArray();
        for (var i = 0; i < 3; i++) harness.AssertExpected(request, await harness.Run(request));
        foreach (var generation in slow)
        {
            harness.AssertExpected(request, await EngineHarness.Collect(generation, 1));
            generation.Dispose();
        }
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task Draining_finishes_what_was_accepted_and_takes_no_more()
    {
        using var harness = new EngineHarness();
        var request = Long with { MaxTokens = 100, N = 3, Sampling = new SamplingParameters { Seed = 3 } };
        using var generation = harness.Submit(request);
        var drained = harness.Engine.DrainAsync();
        Assert.Equal(SubmitStatus.Draining, harness.TrySubmit(request, out _));
        harness.AssertExpected(request, await EngineHarness.Collect(generation, 3));
        generation.Dispose();
        await drained;
        Assert.Equal(EngineState.Draining, harness.Engine.Statistics.State);
        await harness.AssertNothingLeft();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public async Task A_failing_executor_ends_every_sequence_with_an_error(int step)
    {
        using var harness = new EngineHarness(new EngineOptions { MaxSequences = 2 }, failAtStep: step);
        var generations = new List<Generation>();
        for (var i = 0; i < 10; i++)
            if (harness.TrySubmit(Long with { N = 1 + i % 2 }, out var generation) == SubmitStatus.Ok) generations.Add(generation!);
        Assert.NotEmpty(generations);
        foreach (var generation in generations)
        {
            var results = await EngineHarness.Collect(generation, generation.Choices.Length);
            Assert.All(results, r => Assert.Equal(FinishReason.Error, r.Finish));
            generation.Dispose();
        }
        await harness.Engine.DrainAsync();
        Assert.Equal(SubmitStatus.Failed, harness.TrySubmit(Long, out _));
        Assert.Equal(EngineState.Failed, harness.Engine.Statistics.State);
        Assert.IsType<InvalidOperationException>(harness.Engine.Failure);
        Assert.True(harness.Executor.IsZero);
    }

    [Fact]
    public async Task Disposing_the_engine_ends_what_runs()
    {
        var harness = new EngineHarness(new EngineOptions { MaxSequences = 1 }, contextLen: 8192);
        using var running = harness.Submit(Long);
        using var waiting = harness.Submit(Long);
        await running.WaitAsync(TestContext.Current.CancellationToken);
        var collected = Task.WhenAll(EngineHarness.Collect(running, 1), EngineHarness.Collect(waiting, 1));
        harness.Dispose();
        Assert.All(await collected, r => Assert.Equal(FinishReason.Cancelled, r[0].Finish));
        Assert.Equal(SubmitStatus.Draining, harness.TrySubmit(Long, out _));
        Assert.True(harness.Executor.IsZero);
    }

    [Fact]
    public async Task Timestamps_are_in_order()
    {
        using var harness = new EngineHarness();
        using var generation = harness.Submit(Long with { MaxTokens = 3 });
        await EngineHarness.Collect(generation, 1);
        Assert.True(generation.QueuedTimestamp <= generation.FirstTokenTimestamp && generation.FirstTokenTimestamp <= generation.EndTimestamp);
        Assert.Equal(3, generation.PromptTokens);
        Assert.Equal(3, generation.CompletionTokens);
    }
}

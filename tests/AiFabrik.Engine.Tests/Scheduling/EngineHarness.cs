using System.Text;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

/// <summary>A request as an ordinary object, for tests.</summary>
internal sealed record TestRequest
{
    public int[] Prompt { get; init; } = [5];
    public SamplingParameters Sampling { get; init; } = new() { Temperature = 0 };
    public int MaxTokens { get; init; } = 16;
    public int MinTokens { get; init; }
    public int N { get; init; } = 1;
    public LogitBias[] Bias { get; init; } = [];
    public int[] StopTokenIds { get; init; } = [];
    public string[] Stop { get; init; } = [];
    public bool IgnoreEos { get; init; }
    public int? TopLogprobs { get; init; }
}

internal sealed class ChoiceResult
{
    public List<int> Tokens { get; } = [];
    public List<float> Logprobs { get; } = [];
    public List<TokenLogprob[]> Top { get; } = [];
    public List<byte> Text { get; } = [];
    public List<int> TextBytesByEvent { get; } = [];
    public FinishReason Finish { get; set; }

    public void Add(GenerationEvent e)
    {
        Assert.Equal(FinishReason.None, Finish);
        if (e.Token >= 0)
        {
            Tokens.Add(e.Token);
            Logprobs.Add(e.Logprob);
            Top.Add(e.TopLogprobs.ToArray());
        }
        // Whole characters in every event.
        Assert.Equal(e.Text.ToArray(), Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(e.Text)));
        Text.AddRange(e.Text);
        TextBytesByEvent.Add(e.Text.Length);
        Finish = e.Finish;
    }
}

/// <summary>An engine over the fake executor.</summary>
internal sealed class EngineHarness : IDisposable
{
    public EngineHarness(EngineOptions? options = null, int contextLen = 256, int[]? windows = null, int blocks = 0, int originalContextLen = 0, int failAtStep = -1, Action<StepBatch>? onStep = null, bool copiesLogits = false)
    {
        windows ??= [0];
        Program = FakeModel.Program(contextLen, windows, originalContextLen);
        options ??= new EngineOptions();
        options = options.Derive(Program, long.MaxValue / 4, 4);
        if (blocks > 0) options = options with { BlocksPerGroup = options.BlocksPerGroup.Select((b, g) => windows[g] == 0 ? blocks : b).ToArray() };
        Executor = new FakeExecutor(Program, options.Limits) { FailAtStep = failAtStep, OnStep = onStep, CopiesLogits = copiesLogits };
        Engine = new InferenceEngine(Program, Executor, () => new FakeDecoder(), [FakeVocabulary.Eos], options);
    }

    public TransformerProgram Program { get; }
    public FakeExecutor Executor { get; }
    public InferenceEngine Engine { get; }

    public SubmitStatus TrySubmit(TestRequest r, out Generation? generation)
    {
        var bytes = new List<byte>();
        var ranges = new List<Range>();
        foreach (var stop in r.Stop.Select(Encoding.UTF8.GetBytes))
        {
            ranges.Add(bytes.Count..(bytes.Count + stop.Length));
            bytes.AddRange(stop);
        }
        return Engine.TrySubmit(new GenerationRequest
        {
            Prompt = r.Prompt, Sampling = r.Sampling, MaxTokens = r.MaxTokens, MinTokens = r.MinTokens, N = r.N, LogitBias = r.Bias,
            StopTokenIds = r.StopTokenIds, StopBytes = bytes.ToArray(), StopStrings = ranges.ToArray(), IgnoreEos = r.IgnoreEos,
            Logprobs = r.TopLogprobs is not null, TopLogprobs = r.TopLogprobs ?? 0,
        }, out generation);
    }

    public Generation Submit(TestRequest r)
    {
        Assert.Equal(SubmitStatus.Ok, TrySubmit(r, out var generation));
        return generation!;
    }

    public static async Task<ChoiceResult[]> Collect(Generation generation, int n)
    {
        var results = Enumerable.Range(0, n).Select(_ => new ChoiceResult()).ToArray();
        while (await generation.WaitAsync())
            while (generation.TryRead(out var e)) results[e.Choice].Add(e);
        Assert.Equal(results.Sum(r => r.Tokens.Count), generation.CompletionTokens);
        return results;
    }

    public async Task<ChoiceResult[]> Run(TestRequest r)
    {
        using var generation = Submit(r);
        return await Collect(generation, r.N);
    }

    /// <summary>What must come out, computed on a plain list with the model and the sampler alone.</summary>
    public ChoiceResult Expected(TestRequest r, int choice = 0)
    {
        var result = new ChoiceResult();
        var history = r.Prompt.ToList();
        var logits = new float[Program.VocabSize];
        using var sampler = new Sampler(Program.VocabSize);
        var stops = r.Stop.Select(Encoding.UTF8.GetBytes).ToArray();
        while (true)
        {
            FakeModel.LogitsAfter(Program, history.ToArray(), logits);
            var isShort = result.Tokens.Count < r.MinTokens;
            var top = new TokenLogprob[r.TopLogprobs ?? 0];
            var token = sampler.Sample(logits, new SamplingInput
            {
                Parameters = r.Sampling, History = history.ToArray(), PromptLength = r.Prompt.Length, Bias = r.Bias,
                Banned = isShort && !r.IgnoreEos ? [FakeVocabulary.Eos] : [], BannedToo = isShort ? r.StopTokenIds : [],
                Seed = r.Sampling.Seed ?? 0, Choice = choice, Logprobs = r.TopLogprobs is not null,
            }, out var logprob, top, out _);
            history.Add(token);
            result.Tokens.Add(token);
            result.Logprobs.Add(logprob);
            result.Top.Add(top);

            var isStopToken = (token == FakeVocabulary.Eos && !r.IgnoreEos) || r.StopTokenIds.Contains(token);
            var shown = isStopToken ? result.Tokens.ToArray()[..^1] : result.Tokens.ToArray();
            var isLong = result.Tokens.Count >= r.MaxTokens || history.Count >= Engine.ContextLen;
            var text = FakeVocabulary.Decode(shown, isStopToken || isLong);
            result.Finish = isStopToken ? FinishReason.Stop : isLong ? FinishReason.Length : FinishReason.None;
            if (CutAtStop(text, stops) is { } cut) (text, result.Finish) = (cut, FinishReason.Stop);
            if (result.Finish == FinishReason.None) continue;
            result.Text.AddRange(text);
            return result;
        }
    }

    private static byte[]? CutAtStop(byte[] text, byte[][] stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var longest = stops.Where(s => text.AsSpan(0, end).EndsWith(s)).Select(s => s.Length).DefaultIfEmpty(0).Max();
            if (longest > 0) return text[..(end - longest)];
        }
        return null;
    }

    public void AssertExpected(TestRequest r, ChoiceResult[] results)
    {
        for (var i = 0; i < results.Length; i++)
        {
            var expected = Expected(r, i);
            Assert.Equal(expected.Tokens, results[i].Tokens);
            Assert.Equal(expected.Text, results[i].Text);
            Assert.Equal(expected.Finish, results[i].Finish);
            Assert.Equal(expected.Logprobs, results[i].Logprobs);
            Assert.Equal(expected.Top, results[i].Top);
        }
    }

    /// <summary>Everything that was accepted has ended and nothing of it is left anywhere.</summary>
    public async Task AssertNothingLeft()
    {
        await Engine.DrainAsync();
        var statistics = Engine.Statistics;
        Assert.Equal(0, statistics.RunningSequences);
        Assert.Equal(0, statistics.WaitingSequences);
        Assert.Equal(0, statistics.KvBlocksUsed);
        Assert.Equal(statistics.RequestsAccepted, statistics.RequestsFinished);
        for (var i = 0; i < 1000 && Engine.Statistics.SequencesInMemory > 0; i++) await Task.Delay(1); // the engine leaves a generation just after its end
        Assert.Equal(0, Engine.Statistics.SequencesInMemory);
        Assert.True(Executor.IsZero);
    }

    public void Dispose() => Engine.Dispose();
}

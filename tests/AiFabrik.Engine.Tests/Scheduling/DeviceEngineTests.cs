using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Engine.Tests.Models;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

/// <summary>The engine over the OpenCL device: what is drawn from the best few logits there is what is drawn from whole rows.</summary>
public sealed class DeviceEngineTests
{
    [Theory]
    [InlineData("llama-gqa-tied")]
    [InlineData("gemma2")]
    public async Task The_same_seeds_give_the_same_tokens_whether_rows_are_copied_or_not(string name)
    {
        var row = IlgpuDevices.List().First(row => row.Name.StartsWith("opencl", StringComparison.Ordinal));
        Assert.SkipUnless(row.Usable, row.Detail);
        var results = new List<(int, float)[]>();
        var rows = new List<int>();
        foreach (var copies in (bool[])[true, false])
        {
            using var model = ModelFiles.Open(TestPaths.HuggingFace(name));
            var program = ArchitectureRegistry.Build(model.Config, model.Weights);
            var options = new EngineOptions { MaxSequences = 4, MaxTokensPerStep = 24, ContextLen = 96 }.Derive(program, long.MaxValue / 4, 2);
            using var executor = new Counting(IlgpuExecutor.Create(row.Name, program, options.Limits, new IlgpuOptions { WarmUp = false }), copies);
            using var engine = new InferenceEngine(program, executor, () => new FakeDecoder.Silent(), [], options);
            for (var i = 0; i < 8; i++) results.Add(await Draw(engine, i));
            rows.Add(executor.TopRows);
        }
        Assert.True(rows[0] > 0 && rows[1] == 0);
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(results[8 + i].Select(pair => pair.Item1), results[i].Select(pair => pair.Item1));
            for (var t = 0; t < results[i].Length; t++) Assert.Equal(results[8 + i][t].Item2, results[i][t].Item2, 1e-5f);
        }
    }

    /// <summary>Tokens and log-probabilities.</summary>
    private static async Task<(int, float)[]> Draw(InferenceEngine engine, int seed)
    {
        var request = new GenerationRequest
        {
            Prompt = [3, 5, 7, 11 + seed], MaxTokens = 20, IgnoreEos = true, Logprobs = seed % 2 == 0, TopLogprobs = seed % 2 == 0 ? 5 : 0,
            Sampling = seed == 6 ? new SamplingParameters { Temperature = 0 } : new SamplingParameters { Seed = (ulong)seed, TopK = 1 + 9 * seed, TopP = seed % 3 == 0 ? 0.9f : 1, MinP = seed == 4 ? 0.01f : 0, Temperature = 1.3f },
        };
        Assert.Equal(SubmitStatus.Ok, engine.TrySubmit(request, out var made));
        using var generation = made!;
        var result = new List<(int, float)>();
        while (await generation.WaitAsync())
            while (generation.TryRead(out var e)) result.Add((e.Token, e.Logprob));
        return [.. result];
    }

    /// <summary>An executor that may hide that rows are dear, and counts what is asked of it.</summary>
    private sealed class Counting(IExecutor inner, bool copies) : IExecutor
    {
        public int TopRows { get; private set; }
        public ExecutorInfo Info => inner.Info with { CopiesLogits = copies };
        public StepLimits Limits => inner.Limits;

        public void Run(StepBatch batch) => inner.Run(batch);

        public int Argmax(int row) => inner.Argmax(row);

        public Span<float> Logits(int row) => inner.Logits(row);

        public TopLogits Top(int row)
        {
            TopRows++;
            return inner.Top(row);
        }

        public void ClearBlocks(int group, ReadOnlySpan<int> blocks) => inner.ClearBlocks(group, blocks);

        public void ClearActivations() => inner.ClearActivations();

        public void Dispose() => inner.Dispose();
    }
}

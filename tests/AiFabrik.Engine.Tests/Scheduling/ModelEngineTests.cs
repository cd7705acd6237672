using System.Text.Json;
using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Engine.Tests.Models;
using AiFabrik.Engine.Tests.Models.Golden;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

/// <summary>The engine over real executors: golden continuations, alone and in a batch.</summary>
public sealed class ModelEngineTests
{
    /// <summary>Full attention, windows, soft caps, sinks, experts, and a rotation table with two variants that the longest cases cross.</summary>
    public static TheoryData<string> Models => ["llama-gqa-tied", "gemma2", "gemma3-text", "mistral-window", "phi3-longrope", "qwen3moe-norm", "gpt-oss-bf16"];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Golden_continuations_come_out_of_a_crowded_engine(string name)
    {
        using var model = ModelFiles.Open(TestPaths.HuggingFace(name));
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        var cases = GoldenCase.OfDirectory(TestPaths.HuggingFace(name)).ToArray();
        // Few tokens a step and few blocks: chunks, windows left behind and preemptions all happen.
        var options = new EngineOptions { MaxSequences = 6, MaxTokensPerStep = 24, MaxPrefillTokensWhileDecoding = 16, ContextLen = 160 }.Derive(program, long.MaxValue / 4, 4);
        options = options with { BlocksPerGroup = options.BlocksPerGroup.Select((b, g) => program.KvGroups[g].Window == 0 ? b / 3 : b).ToArray() };
        using var executor = new ReferenceExecutor(program, options.Limits);
        using var engine = new InferenceEngine(program, executor, () => new FakeDecoder.Silent(), [], options);
        var runs = Enumerable.Range(0, 2).SelectMany(_ => cases).Select(c => (Case: c, Tokens: Greedy(engine, c.Tokens, c.Greedy.Length, ignoreEos: true))).ToArray();
        foreach (var (golden, run) in runs)
        {
            var tokens = await run;
            Assert.Equal(golden.Greedy.Length, tokens.Length);
            for (var step = 0; step < tokens.Length && golden.IsDetermined(step, ExactnessClass.Reference); step++) Assert.Equal(golden.Greedy[step], tokens[step]);
        }
        await engine.DrainAsync();
        Assert.Equal(0, engine.Statistics.KvBlocksUsed);
    }

    [Fact]
    public async Task The_default_model_gives_the_same_transcripts_alone_and_in_a_batch()
    {
        if (!File.Exists(Path.Combine(AppContext.BaseDirectory, "libaifabrik_native.so"))) Assert.Skip("The native library is not built.");
        using var model = ModelFiles.Open(TestPaths.DefaultModel);
        Assert.True(Tokenizer.TryLoadGguf(model.Gguf!.Metadata, out var tokenizer, out var error), error);
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        var options = new EngineOptions { ContextLen = 512 }.Derive(program, 1L << 30, 2);
        using var executor = NativeExecutor.Create(program, options.Limits, new NativeOptions { PinThreads = false });
        using var engine = new InferenceEngine(program, executor, () => new TokenizerDecoder(tokenizer.CreateDecoder(skipSpecial: true)), model.EosIds.ToArray(), options);

        var transcripts = new List<(int[] Ids, int[] Greedy, int Determined)>();
        foreach (var line in File.ReadLines(Path.Combine(TestPaths.Golden, "smollm2", "greedy.jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            var item = document.RootElement;
            transcripts.Add((Ints(item.GetProperty("ids")), Ints(item.GetProperty("greedy")), item.GetProperty("determined").GetProperty(GoldenBounds.Key(executor.Info.Class)).GetInt32()));
        }
        var together = await Task.WhenAll(transcripts.Select(t => Greedy(engine, t.Ids, 64, ignoreEos: false)));
        for (var i = 0; i < transcripts.Count; i++)
        {
            Assert.Equal(transcripts[i].Greedy.Take(transcripts[i].Determined), together[i].Take(transcripts[i].Determined));
            Assert.Equal(await Greedy(engine, transcripts[i].Ids, 64, ignoreEos: false), together[i]);
        }
        await engine.DrainAsync();
        Assert.Equal(0, engine.Statistics.KvBlocksUsed);
    }

    private static async Task<int[]> Greedy(InferenceEngine engine, int[] prompt, int maxTokens, bool ignoreEos)
    {
        var tokens = new List<int>();
        using var generation = Submit(engine, prompt, maxTokens, ignoreEos);
        while (await generation.WaitAsync())
            while (generation.TryRead(out var e))
            {
                Assert.NotEqual(FinishReason.Error, e.Finish);
                tokens.Add(e.Token);
            }
        return [.. tokens];
    }

    private static Generation Submit(InferenceEngine engine, int[] prompt, int maxTokens, bool ignoreEos)
    {
        var status = engine.TrySubmit(new GenerationRequest { Prompt = prompt, MaxTokens = maxTokens, IgnoreEos = ignoreEos, Sampling = new SamplingParameters { Temperature = 0 } }, out var generation);
        Assert.Equal(SubmitStatus.Ok, status);
        return generation!;
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];
}

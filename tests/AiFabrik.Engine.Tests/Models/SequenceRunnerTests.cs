using AiFabrik.Compute.Reference;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

public sealed class SequenceRunnerTests
{
    private const int Tokens = 70;

    /// <summary>Models with a window in some layers, in all layers, in none, and with experts.</summary>
    public static TheoryData<string, int> Chunkings
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var name in (string[])["gemma3-text", "mistral-window", "llama-gqa-tied", "mixtral"])
                foreach (var chunk in (int[])[1, 7, 33]) data.Add(name, chunk);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Chunkings))]
    public void Chunks_of_any_size_give_the_same_bits(string name, int chunkTokens) =>
        Assert.Equal(Logits(name, Tokens, 64, Tokens), Logits(name, chunkTokens, 3, Tokens));

    [Fact]
    public void Weights_dequantised_at_use_give_the_same_bits()
    {
        foreach (var name in (string[])["mixtral", "llama-mqa"])
            Assert.Equal(Logits(name, 16, 16, Tokens), Logits(name, 16, 16, Tokens, new ReferenceOptions { Threads = 2, MaxDequantizedBytes = 0 }));
    }

    [Fact]
    public void A_windowed_group_needs_only_the_blocks_of_its_window()
    {
        using var model = ModelFiles.Open(TestPaths.HuggingFace("mistral-window"));
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        var limits = SequenceRunner.LimitsFor(program, 512, maxTokens: 16);
        // A window of 20 and a chunk of 16: 36 slots touch at most 4 blocks of 16.
        Assert.Equal([4], limits.BlocksPerGroup);
        Assert.Equal(32, limits.MaxBlocksPerSequence);
    }

    [Fact]
    public void A_sequence_that_crosses_the_original_context_is_computed_again()
    {
        // 48 is the original context: the cache of a 40-token prefix was made with the short factors.
        using var model = ModelFiles.Open(TestPaths.HuggingFace("phi3-longrope"));
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        using var executor = new ReferenceExecutor(program, SequenceRunner.LimitsFor(program, Tokens, 16));
        using var runner = new SequenceRunner(executor, program);
        var tokens = Enumerable.Range(0, Tokens).Select(i => i * 37 % 312).ToArray();
        float[] expected = [], crossed = [];
        runner.Append(tokens.AsSpan(0, 60), [59], (_, logits) => expected = logits.ToArray());
        runner.Reset();
        runner.Append(tokens.AsSpan(0, 40), [], (_, _) => Assert.Fail("No row was asked for."));
        runner.Append(tokens.AsSpan(40, 20), [19], (position, logits) =>
        {
            Assert.Equal(59, position);
            crossed = logits.ToArray();
        });
        Assert.Equal(60, runner.Length);
        Assert.Equal(expected, crossed);
    }

    [Fact]
    public void A_sequence_longer_than_its_blocks_is_refused()
    {
        using var model = ModelFiles.Open(TestPaths.HuggingFace("llama-mqa"));
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        using var executor = new ReferenceExecutor(program, SequenceRunner.LimitsFor(program, 32));
        using var runner = new SequenceRunner(executor, program);
        runner.AppendAndPredict(new int[32]);
        Assert.Throws<ArgumentException>(() => runner.AppendAndPredict(new int[1]));
        runner.Reset();
        runner.AppendAndPredict(new int[1]);
        Assert.Equal(1, runner.Length);
    }

    private static float[] Logits(string name, int chunkTokens, int logitRows, int count, ReferenceOptions? options = null)
    {
        using var model = ModelFiles.Open(TestPaths.HuggingFace(name));
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        using var executor = new ReferenceExecutor(program, SequenceRunner.LimitsFor(program, count, chunkTokens, logitRows), options);
        using var runner = new SequenceRunner(executor, program);
        var tokens = Enumerable.Range(0, count).Select(i => i * 37 % 312).ToArray();
        int[] rows = [.. Enumerable.Range(0, count).Where(i => i % 3 == 0 || i > count - 8)];
        var result = new List<float>();
        runner.Append(tokens, rows, (position, logits) =>
        {
            Assert.Equal(rows[result.Count / logits.Length], position);
            result.AddRange(logits);
        });
        Assert.Equal(rows.Length * program.VocabSize, result.Count);
        return [.. result];
    }
}

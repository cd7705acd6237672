using System.Diagnostics.CodeAnalysis;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Architectures;

public sealed class ArchitectureTests
{
    public static TheoryData<string> Directories => [.. TestPaths.GoldenDirectories];

    [Theory]
    [MemberData(nameof(Directories))]
    public void Programs_fit_their_buffers_and_weights_fused_or_not(string name)
    {
        using var model = ModelFiles.Open(TestPaths.GivenHuggingFace(name));
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        ProgramCheck.Run(program);
        ProgramCheck.Run(Fusion.Apply(program));
        Assert.Equal(model.Config.NLayers, program.KvLayers.Count);
        Assert.Equal(program.Weights.Count, program.Weights.Select(weight => weight.Name).Distinct().Count());
        // Nothing that no operation uses: executors pack every weight.
        var used = program.Ops.SelectMany(op => (int[])[op.W0, op.W1, op.W2, op.B0, op.B1, op.B2, op.Norm0, op.Norm1]).Where(index => index >= 0).ToHashSet();
        Assert.Equal(program.Weights.Count, used.Count);
    }

    [Fact]
    public void Layers_with_the_same_window_share_a_group_and_a_window_beyond_the_context_is_none()
    {
        Assert.Equal([new KvGroupDef(8), new KvGroupDef(0)], Build(Llama() with { NLayers = 4, LayerWindows = [8, 0, 8, 999] }).KvGroups);
        Assert.Equal([0, 1, 0, 1], Build(Llama() with { NLayers = 4, LayerWindows = [8, 0, 8, 999] }).KvLayers.Select(layer => layer.Group));
    }

    [Fact]
    public void A_tied_head_is_the_embedding_itself()
    {
        var tied = Build(Llama() with { TiedEmbeddings = true });
        Assert.Equal(tied.Ops[0].W0, tied.Ops[^1].W0);
        var untied = Build(Llama());
        Assert.NotEqual(untied.Ops[0].W0, untied.Ops[^1].W0);
    }

    [Theory]
    [InlineData("blk.0.attn_k.weight", 8, 16, 1)]
    [InlineData("blk.0.ffn_down.weight", 16, 23, 1)]
    [InlineData("blk.0.attn_norm.weight", 1, 15, 1)]
    [InlineData("output.weight", 32, 15, 1)]
    [InlineData("blk.0.ffn_gate.weight", 24, 16, 2)]
    public void A_tensor_of_another_shape_is_named_with_both_shapes(string name, int rows, int cols, int experts)
    {
        var config = Llama();
        var weights = new ShapesOnly(config) { [name] = new WeightTensor(name, WeightType.F32, rows, cols, 0, cols * 4) { Experts = experts } };
        var message = Assert.Throws<ModelFormatException>(() => ArchitectureRegistry.Build(config, weights)).Message;
        Assert.Contains($"'{name}'", message, StringComparison.Ordinal);
        Assert.Contains($"{cols}, but", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_tensor_a_norm_in_F16_and_odd_blocks_are_named()
    {
        var config = Llama();
        Refused("'blk.0.attn_v.weight'", config, new ShapesOnly(config) { ["blk.0.attn_v.weight"] = null });
        Refused("must be F32", config, new ShapesOnly(config) { ["output_norm.weight"] = new("output_norm.weight", WeightType.F16, 1, 16, 0, 32) });
        Refused("block size 32", config, new ShapesOnly(config) { ["blk.0.attn_q.weight"] = new("blk.0.attn_q.weight", WeightType.Q8_0, 16, 16, 0, 34) });
    }

    [Fact]
    public void Configurations_that_contradict_themselves_are_refused()
    {
        Refused("key/value heads", Llama() with { NKvHeads = 3 });
        Refused("rotates", Llama() with { RotaryDim = 10 });
        Refused("windows", Llama() with { LayerWindows = [0, 0] });
        Refused("frequencies", Llama() with { Rope = RopeScaling.None(2, 10_000) });
        Refused("hidden size", Llama() with { HiddenDim = 0 });
        Refused("feed-forward", Llama() with { FfnDim = 0 });
        Refused("experts", Llama() with { Architecture = Architecture.Mixtral });
        Refused("experts", Llama() with { NExperts = 2, NExpertsUsed = 3, ExpertFfnDim = 8 });
    }

    private static void Refused(string part, ModelConfig config, ModelWeights? weights = null) =>
        Assert.Contains(part, Assert.Throws<ModelFormatException>(() => ArchitectureRegistry.Build(config, weights ?? new ShapesOnly(config))).Message, StringComparison.Ordinal);

    private static TransformerProgram Build(ModelConfig config) => ArchitectureRegistry.Build(config, new ShapesOnly(config));

    private static ModelConfig Llama() => new()
    {
        Architecture = Architecture.Llama, NLayers = 1, HiddenDim = 16, FfnDim = 24, NHeads = 4, NKvHeads = 1, HeadDim = 4, VocabSize = 32, ContextLen = 64,
        NormEps = 1e-5f, RotaryDim = 4, Rope = RopeScaling.None(4, 10_000), AttentionScale = 0.5f, LayerWindows = [0],
    };

    /// <summary>A Llama's tensors without memory, some of them replaced or left out.</summary>
    private sealed class ShapesOnly : ModelWeights
    {
        private readonly Dictionary<string, WeightTensor?> _tensors = [];

        public ShapesOnly(ModelConfig c)
        {
            Add("token_embd.weight", c.VocabSize, c.HiddenDim);
            Add("output.weight", c.VocabSize, c.HiddenDim);
            Add("output_norm.weight", 1, c.HiddenDim);
            for (var layer = 0; layer < c.NLayers; layer++)
            {
                Add($"blk.{layer}.attn_norm.weight", 1, c.HiddenDim);
                Add($"blk.{layer}.attn_q.weight", c.NHeads * c.HeadDim, c.HiddenDim);
                Add($"blk.{layer}.attn_k.weight", c.NKvHeads * c.HeadDim, c.HiddenDim);
                Add($"blk.{layer}.attn_v.weight", c.NKvHeads * c.HeadDim, c.HiddenDim);
                Add($"blk.{layer}.attn_output.weight", c.HiddenDim, c.NHeads * c.HeadDim);
                Add($"blk.{layer}.ffn_norm.weight", 1, c.HiddenDim);
                Add($"blk.{layer}.ffn_gate.weight", c.FfnDim, c.HiddenDim);
                Add($"blk.{layer}.ffn_up.weight", c.FfnDim, c.HiddenDim);
                Add($"blk.{layer}.ffn_down.weight", c.HiddenDim, c.FfnDim);
            }
        }

        public WeightTensor? this[string name]
        {
            set => _tensors[name] = value;
        }

        public override IEnumerable<string> Names => _tensors.Keys;

        public override bool TryGet(string name, [NotNullWhen(true)] out WeightTensor? tensor) => _tensors.TryGetValue(name, out tensor) && tensor is not null;

        protected override void Dispose(bool disposing) { }

        private void Add(string name, int rows, int cols) => _tensors[name] = new WeightTensor(name, WeightType.F32, rows, cols, 0, cols * 4L);
    }
}

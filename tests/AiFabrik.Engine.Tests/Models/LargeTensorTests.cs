using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Tests.Models.Making;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

/// <summary>Tensors beyond 2 GiB, in sparse files that hold next to nothing: no number of theirs may be an int.</summary>
public sealed class LargeTensorTests
{
    private const int Hidden = 1024, Ffn = 1024, Experts = 600, Vocab = 64;
    private const long GiB = 1L << 30;

    private static readonly string Config =
        $$"""{"model_type":"mixtral","hidden_size":{{Hidden}},"intermediate_size":{{Ffn}},"num_hidden_layers":1,"num_attention_heads":8,"num_key_value_heads":2,"vocab_size":{{Vocab}},"num_local_experts":{{Experts}},"num_experts_per_tok":1,"max_position_embeddings":32,"tie_word_embeddings":true}""";

    /// <summary>A layer whose router always takes the last expert, which lies beyond 2 GiB in gate_up_proj.</summary>
    [Fact]
    public void The_last_of_many_stacked_experts_is_reached()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("config.json"), Config);
        const string Layer = "model.layers.0.";
        (string Name, string DType, int[] Shape, long Bytes)[] tensors =
        [
            .. Plain(("model.embed_tokens.weight", [Vocab, Hidden]), ("model.norm.weight", [Hidden]), ($"{Layer}input_layernorm.weight", [Hidden]), ($"{Layer}post_attention_layernorm.weight", [Hidden]),
                ($"{Layer}self_attn.q_proj.weight", [1024, Hidden]), ($"{Layer}self_attn.k_proj.weight", [256, Hidden]), ($"{Layer}self_attn.v_proj.weight", [256, Hidden]), ($"{Layer}self_attn.o_proj.weight", [Hidden, 1024]),
                ($"{Layer}mlp.gate.weight", [Experts, Hidden]), ($"{Layer}mlp.experts.gate_up_proj", [Experts, 2 * Ffn, Hidden]), ($"{Layer}mlp.experts.down_proj", [Experts, Hidden, Ffn])),
        ];
        var header = SafetensorsBytes.Header(tensors);
        var offsets = new Dictionary<string, long>();
        long at = header.Length;
        foreach (var t in tensors)
        {
            offsets.Add(t.Name, at);
            at += t.Bytes;
        }
        Assert.True(tensors[^2].Bytes > 2 * GiB);
        using (var file = File.Create(folder.File("model.safetensors")))
        {
            file.Write(header);
            file.SetLength(at);
            foreach (var name in (string[])["model.embed_tokens.weight", "model.norm.weight", $"{Layer}post_attention_layernorm.weight"])
                Fill(file, offsets[name], tensors.Single(t => t.Name == name).Bytes, 0x3F80);
            Fill(file, offsets[$"{Layer}mlp.gate.weight"] + (Experts - 1L) * Hidden * 2, Hidden * 2, 0x3F80);
            Fill(file, offsets[$"{Layer}mlp.experts.gate_up_proj"] + (Experts - 1L) * 2 * Ffn * Hidden * 2, 2L * Ffn * Hidden * 2, 0x3A80);
            Fill(file, offsets[$"{Layer}mlp.experts.down_proj"] + (Experts - 1L) * Hidden * Ffn * 2, (long)Hidden * Ffn, 0x3A80);
        }
        // Every input is 1: gate and up are 1024 · 2^-10 = 1, silu(1) = 0.7311, which down's upper half adds to the residual's: 1.7311 and 1.
        using var files = ModelFiles.Open(folder.Path);
        var program = Engine.Models.Architectures.ArchitectureRegistry.Build(files.Config, files.Weights);
        Assert.True(files.Weights.TryGet("blk.0.ffn_up_exps.weight", out var experts));
        Assert.Equal(0x80, experts.RowSpan(Experts - 1, Ffn - 1)[0]);
        Assert.Equal(0, experts.RowSpan(Experts - 2, Ffn - 1)[0]);
        using var executor = new Compute.Reference.ReferenceExecutor(program, SequenceRunner.LimitsFor(program, 1));
        using var runner = new SequenceRunner(executor, program);
        var upper = 1 + 1 / (1 + Math.Exp(-1));
        var expected = Hidden * (upper + 1) / 2 / Math.Sqrt((upper * upper + 1) / 2);
        Assert.InRange(expected, 985, 995);
        runner.Append([3], [0], (_, logits) => Assert.Equal(expected, logits[5], 0.01));
    }

    [Fact]
    public void The_last_row_of_a_huge_gguf_embedding_is_reached()
    {
        const int Rows = 1_100_000;
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter();
        writer.Add("general.architecture", "aifabrik-weights");
        writer.AddTensor("token_embd.weight", WeightType.F16, Hidden, Rows);
        writer.AddTensor("output_norm.weight", WeightType.F32, Hidden);
        using (var file = File.Create(folder.File("m.gguf")))
        {
            writer.WriteHeader(file);
            var start = file.Position;
            file.SetLength(start + (long)Rows * Hidden * 2 + Hidden * 4);
            Fill(file, start + (Rows - 1L) * Hidden * 2, Hidden * 2, 0x3C00);
        }
        Assert.True(GgufFile.TryOpen(folder.File("m.gguf"), out var opened, out var error), error);
        using var weights = GgufWeights.Load(opened);
        Assert.True(weights.TryGet("token_embd.weight", out var embedding));
        Assert.Equal((Rows, (long)Rows * Hidden * 2), (embedding.Rows, embedding.WeightBytes));
        Assert.Equal([0x00, 0x3C], embedding.RowSpan(0, Rows - 1)[..2].ToArray());
        Assert.Equal([0x00, 0x00], embedding.RowSpan(0, Rows - 2)[..2].ToArray());
    }

    [Fact]
    public void Memory_of_our_own_may_be_larger_than_an_array()
    {
        using var memory = FileBytes.Allocate("large", 5 * GiB);
        Assert.Equal(0, memory.Address % FileBytes.OwnAlignmentBytes);
        memory.WritableBytes(5 * GiB - 8, 8).Fill(7);
        Assert.Equal(7, memory.Bytes(5 * GiB - 1, 1)[0]);
        Assert.Equal(0, memory.Bytes(3 * GiB, 1)[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => { memory.Bytes(5 * GiB - 7, 8); });
    }

    private static IEnumerable<(string Name, string DType, int[] Shape, long Bytes)> Plain(params (string Name, int[] Shape)[] tensors) =>
        tensors.Select(t => (t.Name, "BF16", t.Shape, t.Shape.Aggregate(2L, (product, size) => product * size)));

    private static void Fill(FileStream file, long offset, long bytes, ushort value)
    {
        var row = new byte[bytes];
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(row.AsSpan()).Fill(value);
        file.Position = offset;
        file.Write(row);
    }
}

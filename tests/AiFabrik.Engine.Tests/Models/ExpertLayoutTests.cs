using AiFabrik.Engine.Models;
using AiFabrik.Engine.Tests.Models.Making;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

/// <summary>Every way in which experts are written gives the same logits, to the last bit.</summary>
public sealed class ExpertLayoutTests
{
    private static readonly int[] Tokens = [5, 17, 200, 33, 64, 129, 300, 7, 7, 19, 250, 111];

    /// <summary>Order in the file: one matrix after another (equal distances: read in place), an expert after another, or backwards (copied).</summary>
    [Theory]
    [InlineData("matrices")]
    [InlineData("experts")]
    [InlineData("backwards")]
    public void Gguf_files_of_before_2024_have_a_tensor_for_each_expert(string order)
    {
        using var folder = new TemporaryFolder();
        var golden = TestPaths.Gguf("arch-mixtral.gguf");
        var single = new List<GgufRaw>();
        foreach (var t in GgufRewrite.Tensors(golden)) single.AddRange(ExpertLayouts.Split(t));
        single = order switch
        {
            "matrices" => single,
            "experts" => [.. single.OrderBy(t => ExpertLayouts.ExpertOf(t.Name))],
            _ => [.. single.AsEnumerable().Reverse()],
        };
        GgufRewrite.Write(golden, folder.File("m.gguf"), single);
        Assert.Equal(Logits.Of(golden, Tokens), Logits.Of(folder.File("m.gguf"), Tokens));

        GgufRewrite.Write(golden, folder.File("m.gguf"), [.. single.Where(t => t.Name != "blk.1.ffn_up.2.weight")]);
        Assert.Contains("no tensor 'blk.1.ffn_up.2.weight', although the layer has 4 experts", Refusal(folder.File("m.gguf")), StringComparison.Ordinal);
    }

    /// <summary>The layout that transformers 5 holds, and saves unless asked for the published one.</summary>
    [Theory]
    [InlineData("mixtral", "block_sparse_moe.experts", "w1", "w3", "w2")]
    [InlineData("qwen3moe-norm", "mlp.experts", "gate_proj", "up_proj", "down_proj")]
    [InlineData("qwen3moe-mixed", "mlp.experts", "gate_proj", "up_proj", "down_proj")]
    public void Directories_of_transformers_5_have_stacked_experts(string name, string experts, string gate, string up, string down)
    {
        using var folder = new TemporaryFolder();
        var golden = TestPaths.HuggingFace(name);
        foreach (var file in Directory.GetFiles(golden, "*.json")) File.Copy(file, folder.File(Path.GetFileName(file)));
        var tensors = SafetensorsBytes.Read(golden + "/model.safetensors").ToDictionary(t => t.Name);
        ExpertLayouts.Stack(tensors, experts, [gate, up, down]);
        Assert.DoesNotContain(tensors.Keys, n => n.Contains(".experts.0.", StringComparison.Ordinal));
        SafetensorsBytes.Write(folder.File("model.safetensors"), tensors.Values);
        Assert.Equal(Logits.Of(golden, Tokens), Logits.Of(folder.Path, Tokens));

        // The other way round is what gpt-oss has, and nobody else.
        var stacked = tensors.Values.First(t => t.Name.EndsWith("experts.down_proj", StringComparison.Ordinal));
        tensors[stacked.Name] = stacked with { Shape = [stacked.Shape[0], stacked.Shape[2], stacked.Shape[1]] };
        SafetensorsBytes.Write(folder.File("model.safetensors"), tensors.Values);
        Assert.Contains("is needed", Refusal(folder.Path), StringComparison.Ordinal);
    }

    private static string Refusal(string path) => Assert.Throws<ModelFormatException>(() => Logits.Of(path, 1)).Message;
}

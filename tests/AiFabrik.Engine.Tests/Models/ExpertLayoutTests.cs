using AiFabrik.Engine.Models;
using AiFabrik.Engine.Tests.Models.Making;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

/// <summary>Every way in which experts are written gives the same logits, to the last bit.</summary>
public sealed class ExpertLayoutTests
{
    private static readonly int[] Tokens = [5, 17, 200, 33, 64, 129, 300, 7, 7, 19, 250, 111];

    private static readonly string[] Matrices = ["ffn_gate", "ffn_up", "ffn_down"];

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
        foreach (var t in GgufRewrite.Tensors(golden)) single.AddRange(Split(t));
        single = order switch
        {
            "matrices" => single,
            "experts" => [.. single.OrderBy(t => Expert(t.Name))],
            _ => [.. single.AsEnumerable().Reverse()],
        };
        GgufRewrite.Write(golden, folder.File("m.gguf"), single);
        Assert.Equal(Logits.Of(golden, Tokens), Logits.Of(folder.File("m.gguf"), Tokens));

        GgufRewrite.Write(golden, folder.File("m.gguf"), [.. single.Where(t => t.Name != "blk.1.ffn_up.2.weight")]);
        Assert.Contains("no tensor 'blk.1.ffn_up.2.weight', although the layer has 4 experts", Refusal(folder.File("m.gguf")), StringComparison.Ordinal);
    }

    private static IEnumerable<GgufRaw> Split(GgufRaw t)
    {
        var matrix = Array.Find(Matrices, m => t.Name.EndsWith($"{m}_exps.weight", StringComparison.Ordinal));
        if (matrix is null) return [t];
        var bytes = t.Data.Length / t.Dims[2];
        return Enumerable.Range(0, t.Dims[2]).Select(e => t with
        {
            Name = t.Name.Replace($"{matrix}_exps.weight", $"{matrix}.{e}.weight", StringComparison.Ordinal), Dims = t.Dims[..2], Data = t.Data[(e * bytes)..((e + 1) * bytes)],
        });
    }

    private static int Expert(string name) => name.Split('.') is [_, _, _, var number, "weight"] && int.TryParse(number, out var e) ? e : -1;

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
        foreach (var router in tensors.Keys.Where(n => n.EndsWith(".gate.weight", StringComparison.Ordinal)).ToArray()) Stack(tensors, router[..^".gate.weight".Length], experts, [gate, up, down]);
        Assert.DoesNotContain(tensors.Keys, n => n.Contains(".experts.0.", StringComparison.Ordinal));
        SafetensorsBytes.Write(folder.File("model.safetensors"), tensors.Values);
        Assert.Equal(Logits.Of(golden, Tokens), Logits.Of(folder.Path, Tokens));

        // The other way round is what gpt-oss has, and nobody else.
        var stacked = tensors.Values.First(t => t.Name.EndsWith("experts.down_proj", StringComparison.Ordinal));
        tensors[stacked.Name] = stacked with { Shape = [stacked.Shape[0], stacked.Shape[2], stacked.Shape[1]] };
        SafetensorsBytes.Write(folder.File("model.safetensors"), tensors.Values);
        Assert.Contains("is needed", Refusal(folder.Path), StringComparison.Ordinal);
    }

    private static void Stack(Dictionary<string, RawTensor> tensors, string block, string experts, string[] names)
    {
        var layer = block[..(block.LastIndexOf('.') + 1)];
        byte[] gateUp = [], down = [];
        int[] shape = [];
        var e = 0;
        for (; tensors.Remove($"{layer}{experts}.{e}.{names[0]}.weight", out var gate); e++)
        {
            Assert.True(tensors.Remove($"{layer}{experts}.{e}.{names[1]}.weight", out var up) & tensors.Remove($"{layer}{experts}.{e}.{names[2]}.weight", out var d));
            gateUp = [.. gateUp, .. gate.Data, .. up!.Data];
            down = [.. down, .. d!.Data];
            shape = gate.Shape;
        }
        Assert.True(tensors.Remove($"{block}.gate.weight", out var router));
        foreach (var tensor in (RawTensor[])
        [
            router with { Name = $"{layer}mlp.gate.weight" },
            new($"{layer}mlp.experts.gate_up_proj", router.DType, [e, 2 * shape[0], shape[1]], gateUp),
            new($"{layer}mlp.experts.down_proj", router.DType, [e, shape[1], shape[0]], down),
        ]) tensors.Add(tensor.Name, tensor);
    }

    private static string Refusal(string path) => Assert.Throws<ModelFormatException>(() => Logits.Of(path, 1)).Message;
}

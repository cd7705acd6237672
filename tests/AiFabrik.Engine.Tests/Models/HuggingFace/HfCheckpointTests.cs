using AiFabrik.Engine.Models;
using AiFabrik.Engine.Tests.Models.Making;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.HuggingFace;

/// <summary>Golden directories rewritten as other tools and other versions of transformers write them.</summary>
public sealed class HfCheckpointTests : IDisposable
{
    private static readonly int[] Tokens = [5, 17, 200, 33, 64, 129, 300, 7, 7, 19, 250, 111];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private List<RawTensor> Copy(string name)
    {
        foreach (var file in Directory.GetFiles(TestPaths.HuggingFace(name), "*.json")) File.Copy(file, _folder.File(Path.GetFileName(file)), overwrite: true);
        return SafetensorsBytes.Read(TestPaths.HuggingFace(name) + "/model.safetensors");
    }

    private void Write(IEnumerable<RawTensor> tensors) => SafetensorsBytes.Write(_folder.File("model.safetensors"), tensors);

    private void Configure(string from, string to)
    {
        var config = File.ReadAllText(_folder.File("config.json"));
        Assert.Contains(from, config, StringComparison.Ordinal);
        File.WriteAllText(_folder.File("config.json"), config.Replace(from, to, StringComparison.Ordinal));
    }

    private string Refusal() => Assert.Throws<ModelFormatException>(() => Logits.Of(_folder.Path, Tokens)).Message;

    /// <summary>Published multimodal checkpoints, transformers 5's, a language model alone, and one without its head's class.</summary>
    [Theory]
    [InlineData("language_model.model.")]
    [InlineData("model.language_model.")]
    [InlineData("model.")]
    [InlineData("")]
    public void The_language_model_is_found_under_every_prefix(string prefix)
    {
        var tensors = Copy("gemma3-multimodal");
        var old = tensors.Single(t => t.Name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)).Name[..^"embed_tokens.weight".Length];
        Write(tensors.Select(t => t.Name.StartsWith(old, StringComparison.Ordinal) ? t with { Name = prefix + t.Name[old.Length..] } : t));
        Assert.Equal(Logits.Of(TestPaths.HuggingFace("gemma3-multimodal"), Tokens), Logits.Of(_folder.Path, Tokens));
    }

    [Fact]
    public void A_head_beside_a_tied_embedding_counts_where_it_differs()
    {
        var expected = Logits.Of(TestPaths.HuggingFace("llama-gqa-tied"), Tokens);
        var tensors = Copy("llama-gqa-tied");
        var embedding = tensors.Single(t => t.Name == "model.embed_tokens.weight");
        Write([.. tensors, embedding with { Name = "lm_head.weight" }]);
        Assert.Equal(expected, Logits.Of(_folder.Path, Tokens));
        using (var same = ModelFiles.Open(_folder.Path)) Assert.True(same.Config.TiedEmbeddings);

        // Rows in another order: token 0's logit is what the last one's was.
        var row = embedding.Data.Length / embedding.Shape[0];
        Write([.. tensors, embedding with { Name = "lm_head.weight", Data = [.. Enumerable.Range(0, embedding.Shape[0]).Reverse().SelectMany(r => embedding.Data[(r * row)..((r + 1) * row)])] }]);
        Assert.Equal(expected.Chunk(embedding.Shape[0]).SelectMany(logits => logits.Reverse()), Logits.Of(_folder.Path, Tokens));
    }

    [Fact]
    public void Biases_are_required_where_the_configuration_has_them_and_ignored_where_not()
    {
        var tensors = Copy("llama-mha-bias");
        var without = tensors.Where(t => !t.Name.EndsWith("1.self_attn.o_proj.bias", StringComparison.Ordinal)).ToArray();
        Assert.Equal(tensors.Count - 1, without.Length);
        Write(without);
        Assert.Contains("no tensor 'layers.1.self_attn.o_proj.bias', which a Llama model needs", Refusal(), StringComparison.Ordinal);
        Write(tensors.Where(t => !t.Name.EndsWith("0.mlp.up_proj.bias", StringComparison.Ordinal)));
        Assert.Contains("no tensor 'layers.0.mlp.up_proj.bias'", Refusal(), StringComparison.Ordinal);

        Configure("\"attention_bias\": true", "\"attention_bias\": false");
        Configure("\"mlp_bias\": true", "\"mlp_bias\": false");
        Write(tensors.Where(t => !t.Name.EndsWith(".bias", StringComparison.Ordinal)));
        var plain = Logits.Of(_folder.Path, Tokens);
        Write(tensors);
        Assert.Equal(plain, Logits.Of(_folder.Path, Tokens));
        Assert.Contains(ModelVerifier.Verify(_folder.Path), r => r.Check == "shapes" && r.Verdict == ModelVerdict.Warning && r.Detail.Contains("tensors are not used", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("qwen2-tied", "self_attn.k_proj.bias")]
    [InlineData("gpt-oss-bf16", "self_attn.o_proj.bias")]
    [InlineData("gpt-oss-bf16", "self_attn.sinks")]
    [InlineData("gpt-oss-bf16", "mlp.router.bias")]
    [InlineData("gpt-oss-bf16", "mlp.experts.down_proj_bias")]
    [InlineData("gpt-oss-mxfp4", "mlp.experts.gate_up_proj_scales")]
    [InlineData("qwen3-tied", "self_attn.q_norm.weight")]
    [InlineData("gemma2", "pre_feedforward_layernorm.weight")]
    [InlineData("phi3-window", "self_attn.qkv_proj.weight")]
    [InlineData("phi3-window", "mlp.gate_up_proj.weight")]
    [InlineData("mixtral", "block_sparse_moe.gate.weight")]
    public void Whatever_a_family_always_has_is_required(string name, string tensor)
    {
        var tensors = Copy(name);
        Assert.NotEqual(0, tensors.RemoveAll(t => t.Name == $"model.layers.1.{tensor}"));
        Write(tensors);
        var refusal = Refusal();
        Assert.Contains($"layers.1.{tensor[..tensor.LastIndexOf('.')]}", refusal.Replace("attn_sinks", "self_attn.sinks", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.EndsWith(".", refusal, StringComparison.Ordinal);
    }
}

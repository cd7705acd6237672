using System.Text;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.HuggingFace;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.HuggingFace;

/// <summary>Defaults and refusals that no golden model shows; expected values are transformers' configuration classes.</summary>
public sealed class HfConfigTests
{
    private static ModelConfig Read(string json)
    {
        using var document = ModelJson.Parse("config.json", Encoding.UTF8.GetBytes(json));
        return HfConfig.Read("config.json", document.RootElement);
    }

    [Fact]
    public void A_published_multimodal_gemma3_leaves_most_out()
    {
        // As google/gemma-3-4b-it publishes it.
        var c = Read("""{"architectures":["Gemma3ForConditionalGeneration"],"model_type":"gemma3","text_config":{"hidden_size":2560,"intermediate_size":10240,"model_type":"gemma3_text","num_hidden_layers":34,"rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024}}""");
        Assert.Equal((8, 4, 256, 262_208, 131_072), (c.NHeads, c.NKvHeads, c.HeadDim, c.VocabSize, c.ContextLen));
        Assert.True(c.TiedEmbeddings);
        Assert.Equal(0, c.LayerWindows[5]);
        Assert.Equal(5, c.LayerWindows[..6].Count(w => w == 1024));
        Assert.Equal(1 / 16f, c.AttentionScale);
        Assert.Equal(MathF.Sqrt(2560), c.EmbeddingScale);
        Assert.Equal(1 / 8f, c.Rope.InverseFrequencies[0][0]);
        Assert.Equal(1f, c.LocalRope!.InverseFrequencies[0][0]);
    }

    [Fact]
    public void Families_defaults_act_where_keys_are_absent()
    {
        var mistral = Read("""{"model_type":"mistral"}""");
        Assert.Equal((8, 4096, 131_072), (mistral.NKvHeads, mistral.LayerWindows[31], mistral.ContextLen));
        Assert.Equal(0, Read("""{"model_type":"mistral","sliding_window":null}""").LayerWindows[0]);
        Assert.Equal(128, Read("""{"model_type":"qwen3"}""").HeadDim);
        Assert.Equal(50f, Read("""{"model_type":"gemma2"}""").AttentionSoftcap);
        Assert.Equal(0f, Read("""{"model_type":"gemma2","attn_logit_softcapping":null}""").AttentionSoftcap);
        var oss = Read("""{"model_type":"gpt_oss"}""");
        Assert.Equal((128, 4, 64), (oss.NExperts, oss.NExpertsUsed, oss.HeadDim));
        Assert.Equal((128, 0), (oss.LayerWindows[0], oss.LayerWindows[1]));
        Assert.Equal(0.1 * Math.Log(32) + 1, oss.Rope.AttentionFactors[0], 6);
    }

    [Fact]
    public void Yarn_extends_the_context_as_Qwen_documents_it()
    {
        var c = Read("""{"model_type":"qwen2","max_position_embeddings":32768,"rope_theta":1000000.0,"rope_scaling":{"type":"yarn","factor":4.0,"original_max_position_embeddings":32768}}""");
        Assert.Equal(131_072, c.ContextLen);
    }

    [Theory]
    // Found by fuzzing: an index out of range in stacking.
    [InlineData("""{"model_type":"mixtral","num_local_experts":0}""", "the number of experts is 0")]
    [InlineData("""{"model_type":"llama","num_attention_heads":0}""", "num_attention_heads is 0")]
    [InlineData("""{"model_type":"llama","num_hidden_layers":99999999}""", "the number of layers is 99999999")]
    [InlineData("""{"model_type":"llama","head_dim":2147483646}""", "the head size is 2147483646")]
    [InlineData("""{"model_type":"llama","hidden_size":"64"}""", "hidden_size is not a count")]
    [InlineData("""{"model_type":"llama","hidden_size":1e999}""", "hidden_size is not a count")]
    [InlineData("""{"model_type":"llama","partial_rotary_factor":0.5}""", "partial_rotary_factor is not supported for this architecture")]
    [InlineData("""{"model_type":"gpt_oss","swiglu_limit":5}""", "swiglu_limit is not 7")]
    [InlineData("""{"model_type":"qwen3","layer_types":["linear_attention"],"num_hidden_layers":1}""", "names the type 'linear_attention'")]
    [InlineData("""{"architectures":["BertModel"]}""", "the architecture 'BertModel' is not supported")]
    [InlineData("""{}""", "model_type is missing")]
    [InlineData("""[]""", "is not a JSON object")]
    [InlineData("""{"model_type":"llama",}""", "is not valid JSON")]
    public void Impossible_settings_are_refused(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<ModelFormatException>(() => Read(json)).Message, StringComparison.Ordinal);
}

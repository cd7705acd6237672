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
    public void A_published_multimodal_mistral_is_its_language_model()
    {
        // As mistralai/Mistral-Small-3.1-24B-Instruct-2503 publishes it.
        var c = Read("""{"architectures":["Mistral3ForConditionalGeneration"],"model_type":"mistral3","text_config":{"head_dim":128,"hidden_size":5120,"intermediate_size":32768,"max_position_embeddings":131072,"model_type":"mistral","num_attention_heads":32,"num_hidden_layers":40,"num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_theta":1000000000.0,"sliding_window":null,"vocab_size":131072},"vision_config":{"hidden_size":1024,"model_type":"pixtral"}}""");
        Assert.Equal((Architecture.Mistral, 5120, 128, 40, 0), (c.Architecture, c.HiddenDim, c.HeadDim, c.NLayers, c.LayerWindows[0]));
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

    [Fact]
    public void Heads_written_as_null_are_one_each_and_left_out_what_the_family_takes()
    {
        Assert.Equal(8, Read("""{"model_type":"mistral"}""").NKvHeads);
        Assert.Equal(32, Read("""{"model_type":"mistral","num_key_value_heads":null}""").NKvHeads);
        Assert.Equal(16, Read("""{"model_type":"qwen2","num_attention_heads":16,"num_key_value_heads":null}""").NKvHeads);
        Assert.Equal(128, Read("""{"model_type":"mistral","head_dim":null}""").HeadDim);
        // As Mistral-Nemo has it: 5120 / 32 is 160.
        Assert.Equal(128, Read("""{"model_type":"mistral","hidden_size":5120,"head_dim":128}""").HeadDim);
        // As Qwen3-30B-A3B has it; its configuration class has no head_dim of its own.
        Assert.Equal(128, Read("""{"model_type":"qwen3_moe","head_dim":128}""").HeadDim);
        Assert.Equal(64, Read("""{"model_type":"qwen3_moe"}""").HeadDim);
    }

    [Theory]
    [InlineData("""{"model_type":"llama"}""", false, false, false)]
    [InlineData("""{"model_type":"llama","attention_bias":true}""", true, true, false)]
    [InlineData("""{"model_type":"llama","mlp_bias":true}""", false, false, true)]
    [InlineData("""{"model_type":"qwen2"}""", true, false, false)]
    [InlineData("""{"model_type":"qwen2","attention_bias":true}""", true, false, false)]
    [InlineData("""{"model_type":"qwen3","attention_bias":true}""", true, true, false)]
    [InlineData("""{"model_type":"gemma2","attention_bias":true}""", true, true, false)]
    [InlineData("""{"model_type":"mistral","attention_bias":true}""", false, false, false)]
    [InlineData("""{"model_type":"gpt_oss"}""", true, true, false)]
    public void Biases_are_the_familys(string json, bool qkv, bool output, bool ffn)
    {
        var c = Read(json);
        Assert.Equal((qkv, output, ffn), (c.QkvBias, c.OutputBias, c.FfnBias));
    }

    [Theory]
    [InlineData("llama", false), InlineData("mistral", false), InlineData("mixtral", false), InlineData("qwen2", false), InlineData("qwen3", false)]
    [InlineData("qwen3_moe", false), InlineData("gemma2", true), InlineData("gemma3_text", true), InlineData("phi3", false), InlineData("gpt_oss", false)]
    public void Heads_are_tied_by_default_in_Gemma_only(string family, bool tied)
    {
        Assert.Equal(tied, Read($$"""{"model_type":"{{family}}"}""").TiedEmbeddings);
        Assert.Equal(!tied, Read($$"""{"model_type":"{{family}}","tie_word_embeddings":{{(tied ? "false" : "true")}}}""").TiedEmbeddings);
    }

    [Theory]
    [InlineData("""{"model_type":"qwen2","use_sliding_window":true,"max_window_layers":2,"num_hidden_layers":3}""", new[] { 0, 0, 4096 })]
    [InlineData("""{"model_type":"qwen2","use_sliding_window":false,"sliding_window":64,"num_hidden_layers":3}""", new[] { 0, 0, 0 })]
    [InlineData("""{"model_type":"qwen2","use_sliding_window":true,"sliding_window":64,"layer_types":["sliding_attention","full_attention","sliding_attention"],"num_hidden_layers":3}""", new[] { 64, 0, 64 })]
    [InlineData("""{"model_type":"qwen3","use_sliding_window":true,"sliding_window":null,"num_hidden_layers":2}""", new[] { 0, 0 })]
    [InlineData("""{"model_type":"qwen3_moe","use_sliding_window":true,"num_hidden_layers":2}""", new[] { 4096, 4096 })]
    [InlineData("""{"model_type":"mistral","num_hidden_layers":2,"layer_types":["full_attention","full_attention"]}""", new[] { 4096, 4096 })]
    [InlineData("""{"model_type":"mixtral","num_hidden_layers":2}""", new[] { 0, 0 })]
    [InlineData("""{"model_type":"gemma2","num_hidden_layers":3}""", new[] { 4096, 0, 4096 })]
    [InlineData("""{"model_type":"gpt_oss","num_hidden_layers":3,"sliding_window":null}""", new[] { 0, 0, 0 })]
    [InlineData("""{"model_type":"phi3","num_hidden_layers":2,"sliding_window":2047}""", new[] { 2047, 2047 })]
    [InlineData("""{"model_type":"phi3","num_hidden_layers":2}""", new[] { 0, 0 })]
    [InlineData("""{"model_type":"gemma3_text","num_hidden_layers":4,"sliding_window_pattern":2}""", new[] { 4096, 0, 4096, 0 })]
    public void Windows_follow_every_way_of_saying_them(string json, int[] windows) => Assert.Equal(windows, Read(json).LayerWindows);

    [Theory]
    // Llama 3.1 and 3.2, old and new.
    [InlineData("""{"model_type":"llama","rope_theta":500000.0,"rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192}}""",
        """{"model_type":"llama","rope_parameters":{"rope_theta":500000.0,"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192}}""")]
    [InlineData("""{"model_type":"llama","rope_scaling":{"type":"linear","factor":4.0}}""", """{"model_type":"llama","rope_parameters":{"rope_type":"linear","rope_theta":10000.0,"factor":4}}""")]
    [InlineData("""{"model_type":"llama","rope_theta":20000.0,"rope_scaling":{}}""", """{"model_type":"llama","rope_parameters":{"rope_type":"default","rope_theta":20000.0}}""")]
    [InlineData("""{"model_type":"llama","rope_theta":20000.0}""", """{"model_type":"llama","rope_theta":20000.0,"rope_parameters":null,"rope_scaling":null}""")]
    // The old way wins where both are there.
    [InlineData("""{"model_type":"llama","rope_scaling":{"type":"linear","factor":4.0}}""", """{"model_type":"llama","rope_scaling":{"type":"linear","factor":4.0},"rope_parameters":{"rope_type":"default","rope_theta":10000.0}}""")]
    [InlineData("""{"model_type":"qwen2","rope_scaling":{"type":"yarn","factor":4.0}}""", """{"model_type":"qwen2","rope_parameters":{"rope_type":"yarn","factor":4.0,"rope_theta":10000.0,"original_max_position_embeddings":32768,"beta_fast":32,"beta_slow":1,"truncate":true}}""")]
    [InlineData("""{"model_type":"gpt_oss"}""", """{"model_type":"gpt_oss","rope_parameters":{"rope_type":"yarn","factor":32.0,"beta_fast":32.0,"beta_slow":1.0,"truncate":false,"original_max_position_embeddings":4096,"rope_theta":150000.0}}""")]
    [InlineData("""{"model_type":"gpt_oss"}""", """{"model_type":"gpt_oss","rope_scaling":{}}""")]
    [InlineData("""{"model_type":"gemma3_text","rope_scaling":{"rope_type":"linear","factor":8.0},"rope_local_base_freq":20000.0}""",
        """{"model_type":"gemma3_text","rope_parameters":{"full_attention":{"rope_type":"linear","factor":8.0,"rope_theta":1000000.0},"sliding_attention":{"rope_type":"default","rope_theta":20000.0}}}""")]
    [InlineData("""{"model_type":"gemma3_text"}""", """{"model_type":"gemma3_text","rope_parameters":{"full_attention":{"rope_type":"default"},"sliding_attention":{"rope_type":"default"}}}""")]
    // What Phi-3 called su, and for a while yarn, is longrope; its original length stands outside.
    [InlineData("""{"model_type":"phi3","num_attention_heads":768,"max_position_embeddings":131072,"rope_scaling":{"type":"su","short_factor":[1.0,1.5],"long_factor":[2.0,3.0]}}""",
        """{"model_type":"phi3","num_attention_heads":768,"max_position_embeddings":131072,"original_max_position_embeddings":4096,"rope_parameters":{"rope_type":"longrope","rope_theta":10000.0,"short_factor":[1,1.5],"long_factor":[2,3],"original_max_position_embeddings":77}}""")]
    [InlineData("""{"model_type":"phi3","num_attention_heads":768,"max_position_embeddings":131072,"rope_scaling":{"type":"su","short_factor":[1.0,1.5],"long_factor":[2.0,3.0]}}""",
        """{"model_type":"phi3","num_attention_heads":768,"max_position_embeddings":131072,"rope_scaling":{"type":"yarn","short_factor":[1.0,1.5],"long_factor":[2.0,3.0]}}""")]
    // Phi-4-mini: the share that is rotated, within or without.
    [InlineData("""{"model_type":"phi3","partial_rotary_factor":0.75}""", """{"model_type":"phi3","rope_parameters":{"rope_type":"default","rope_theta":10000.0,"partial_rotary_factor":0.75}}""")]
    public void Rope_settings_mean_the_same_in_both_ways(string one, string other)
    {
        ModelConfig a = Read(one), b = Read(other);
        Assert.Equal((a.RotaryDim, a.ContextLen, a.Rope.OriginalContextLen), (b.RotaryDim, b.ContextLen, b.Rope.OriginalContextLen));
        Assert.Equal(a.Rope.InverseFrequencies, b.Rope.InverseFrequencies);
        Assert.Equal(a.Rope.AttentionFactors, b.Rope.AttentionFactors);
        Assert.Equal(a.LocalRope?.InverseFrequencies, b.LocalRope?.InverseFrequencies);
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
    [InlineData("""{"model_type":"gpt_oss","swiglu_alpha":1}""", "swiglu_alpha is not 1.702")]
    [InlineData("""{"model_type":"qwen3","layer_types":["linear_attention"],"num_hidden_layers":1}""", "names the type 'linear_attention'")]
    [InlineData("""{"model_type":"mistral3","text_config":{"model_type":"ministral3"}}""", "the architecture 'ministral3' is not supported")]
    [InlineData("""{"architectures":["BertModel"]}""", "the architecture 'BertModel' is not supported")]
    [InlineData("""{}""", "model_type is missing")]
    [InlineData("""[]""", "is not a JSON object")]
    [InlineData("""{"model_type":"llama",}""", "is not valid JSON")]
    public void Impossible_settings_are_refused(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<ModelFormatException>(() => Read(json)).Message, StringComparison.Ordinal);
}

using System.Text.Json;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>config.json as a <see cref="ModelConfig"/>, with every family's defaults.</summary>
internal static class HfConfig
{
    /// <summary>Bytes of config.json.</summary>
    public const int BytesMax = 4 << 20;

    private const int Gemma3Pattern = 6;
    private const string MultimodalMistral = "mistral3";

    private const string AttentionBiasKey = "attention_bias";

    /// <summary>The swiglu limit and slope that the activation is written for.</summary>
    private const double GptOssSwigluLimit = 7, GptOssSwigluAlpha = 1.702;

    /// <summary>Reads a file; <see cref="ModelFormatException"/> where it doesn't hold a configuration that we support.</summary>
    public static ModelConfig Read(string path)
    {
        using var document = ModelJson.Read(path, BytesMax);
        return Read(path, document.RootElement);
    }

    /// <summary>Reads the parsed JSON of <paramref name="path"/>.</summary>
    public static ModelConfig Read(string path, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new ModelFormatException($"{path} is not a JSON object.");
        var config = new HfObject(path, root);
        // Multimodal checkpoints nest the language model's settings; of Mistral's, the nested model_type says which language model it is.
        var nested = config.Object("text_config");
        var family = Family(nested is { } text && config.Text("model_type") == MultimodalMistral ? text : config);
        CheckQuantization(config, family);
        if (nested is { } settings && family.Architecture is Architecture.Gemma3 or Architecture.Mistral) config = settings;
        return Read(config, family).Checked(path);
    }

    private static HfFamily Family(HfObject config)
    {
        var type = config.Text("model_type");
        var architecture = config.TryGet("architectures", out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0 && list[0].ValueKind == JsonValueKind.String ? list[0].GetString() : null;
        if (type is null && architecture is null) throw config.Wrong("model_type", "is missing");
        return HfFamily.Find(type, architecture) ?? throw new ModelFormatException(
            $"{config.Path}: the architecture {ModelText.Quote(type ?? architecture!)} is not supported (llama, mistral, mixtral, qwen2, qwen3, qwen3_moe, gemma2, gemma3, phi3 and gpt_oss are).");
    }

    private static void CheckQuantization(HfObject config, HfFamily family)
    {
        if (config.Object("quantization_config") is not { } quantization) return;
        var method = quantization.Text("quant_method") ?? "an unnamed method";
        if (method != "mxfp4" || family.Architecture != Architecture.GptOss)
            throw new ModelFormatException($"{config.Path}: weights quantised by {ModelText.Quote(method)} are not supported; give the model unquantised or as GGUF.");
    }

    private static ModelConfig Read(HfObject c, HfFamily family)
    {
        var a = family.Architecture;
        var gemma = a is Architecture.Gemma2 or Architecture.Gemma3;
        int hidden = c.Int("hidden_size", family.Hidden), heads = c.Int("num_attention_heads", family.Heads), layers = c.Int("num_hidden_layers", family.Layers);
        if (heads == 0) throw c.Wrong("num_attention_heads", "is 0");
        var headDim = c.Int("head_dim", family.HeadDim ?? hidden / heads);
        var ffn = c.Int("intermediate_size", family.Ffn);
        var rope = new HfRope(c, family);
        var rotary = Math.Min(rope.RotaryDim(headDim), ModelConfigLimits.HeadDimMax);
        var context = rope.ContextLen();
        var experts = family.Experts == 0 ? 0 : c.Int("num_local_experts", c.Int("num_experts", family.Experts));
        if (a == Architecture.GptOss && c.Double("swiglu_limit", GptOssSwigluLimit) != GptOssSwigluLimit) throw c.Wrong("swiglu_limit", $"is not {GptOssSwigluLimit}, which is not supported");
        if (a == Architecture.GptOss && c.Double("swiglu_alpha", GptOssSwigluAlpha) != GptOssSwigluAlpha) throw c.Wrong("swiglu_alpha", $"is not {GptOssSwigluAlpha}, which is not supported");
        if (c.Bool("use_bidirectional_attention", false)) throw c.Wrong("use_bidirectional_attention", "is not supported");
        return new ModelConfig
        {
            Architecture = a,
            NLayers = layers,
            HiddenDim = hidden,
            FfnDim = ffn,
            NHeads = heads,
            // Written as null it means one for each head; left out, what the family takes.
            NKvHeads = c.Has("num_key_value_heads") ? c.Int("num_key_value_heads", heads) : family.KvHeads ?? heads,
            HeadDim = headDim,
            VocabSize = c.Int("vocab_size", family.Vocab),
            ContextLen = context,
            NormEps = (float)c.Double("rms_norm_eps", family.Eps),
            TiedEmbeddings = c.Bool("tie_word_embeddings", family.Tied),
            QkvBias = a == Architecture.Qwen2 || (family.AttentionBias is { } qkv && c.Bool(AttentionBiasKey, qkv)),
            OutputBias = a != Architecture.Qwen2 && family.AttentionBias is { } output && c.Bool(AttentionBiasKey, output),
            FfnBias = a == Architecture.Llama && c.Bool("mlp_bias", false),
            Activation = Activate(c, a, gemma),
            RotaryDim = rotary,
            RopeStyle = RopeStyle.HalfSplit,
            Rope = rope.Table(rotary),
            LocalRope = a == Architecture.Gemma3 ? rope.LocalTable(rotary) : null,
            AttentionScale = (float)(1 / Math.Sqrt(gemma ? c.Double("query_pre_attn_scalar", 256) : headDim)),
            AttentionSoftcap = SoftCap(c, a, "attn_logit_softcapping", 50),
            LogitSoftcap = SoftCap(c, a, "final_logit_softcapping", 30),
            LayerWindows = Windows(c, family, layers, context),
            EmbeddingScale = gemma ? MathF.Sqrt(hidden) : 1,
            NExperts = experts,
            NExpertsUsed = experts > 0 ? c.Int("num_experts_per_tok", c.Int("experts_per_token", family.ExpertsUsed)) : 0,
            ExpertFfnDim = experts == 0 ? 0 : a == Architecture.Qwen3Moe ? c.Int("moe_intermediate_size", family.ExpertFfn) : ffn,
            RenormalizeExperts = experts > 0 && (a != Architecture.Qwen3Moe || c.Bool("norm_topk_prob", false)),
            SparseLayers = a == Architecture.Qwen3Moe ? Sparse(c, layers, experts) : null,
        };
    }

    /// <summary>Gemma 2 has both caps unless they are written as null; Gemma 3 only what is written; others have none.</summary>
    private static float SoftCap(HfObject c, Architecture a, string name, double otherwise) => a switch
    {
        Architecture.Gemma2 => (float)c.Double(name, c.Has(name) ? 0 : otherwise),
        Architecture.Gemma3 => (float)c.Double(name, 0),
        _ => 0,
    };

    private static Activation Activate(HfObject c, Architecture a, bool gemma)
    {
        if (a == Architecture.GptOss) return Activation.GptOss;
        var key = gemma ? "hidden_activation" : "hidden_act";
        var name = c.Text(key) ?? (gemma ? "gelu_pytorch_tanh" : "silu");
        return name switch
        {
            "silu" or "swish" => Activation.Silu,
            "gelu_pytorch_tanh" or "gelu_new" or "gelu_fast" => Activation.GeluTanh,
            _ => throw c.Wrong(key, $"is {ModelText.Quote(name)}, which is not supported (silu and gelu_pytorch_tanh are)"),
        };
    }

    private static int[] Windows(HfObject c, HfFamily family, int layers, int context)
    {
        const string Key = "sliding_window";
        var qwen = family.Architecture is Architecture.Qwen2 or Architecture.Qwen3 or Architecture.Qwen3Moe;
        int window = c.Has(Key) ? c.Int(Key, 0) : family.Window ?? 0;
        if (family.Architecture is Architecture.Llama || (qwen && !c.Bool("use_sliding_window", false))) window = 0;
        // Gemma 3's local layers have frequencies of their own, which they keep where no window is written.
        if (family.Architecture == Architecture.Gemma3 && window == 0) window = context;
        if (c.TryGet("layer_types", out var types) && family.Architecture is not (Architecture.Llama or Architecture.Mistral or Architecture.Mixtral or Architecture.Phi3 or Architecture.Qwen3Moe))
            return ByType(c, types, layers, window);
        // Gemma 3's pattern stands under either name.
        var pattern = Math.Max(1, c.Int("sliding_window_pattern", c.Int("_sliding_window_pattern", Gemma3Pattern)));
        var from = family.Architecture == Architecture.Qwen3Moe ? 0 : c.Int("max_window_layers", family.MaxWindowLayers);
        return ModelConfigLimits.Windows(layers, window, i => family.Architecture switch
        {
            Architecture.Gemma2 or Architecture.GptOss => i % 2 == 0,
            Architecture.Gemma3 => (i + 1) % pattern != 0,
            Architecture.Qwen2 or Architecture.Qwen3 or Architecture.Qwen3Moe => i >= from,
            _ => true,
        });
    }

    private static int[] ByType(HfObject c, JsonElement types, int layers, int window)
    {
        if (types.ValueKind != JsonValueKind.Array || types.GetArrayLength() < layers) throw c.Wrong("layer_types", "does not name a type for every layer");
        var local = new bool[types.GetArrayLength()];
        var i = 0;
        foreach (var item in types.EnumerateArray())
        {
            local[i++] = (item.ValueKind == JsonValueKind.String ? item.GetString() : "") switch
            {
                "sliding_attention" => true,
                "full_attention" => false,
                var other => throw c.Wrong("layer_types", $"names the type {ModelText.Quote(other!)}, which is not supported"),
            };
        }
        return ModelConfigLimits.Windows(layers, window, layer => local[layer]);
    }

    /// <summary>Which layers have experts: every decoder_sparse_step-th that mlp_only_layers does not name.</summary>
    private static bool[]? Sparse(HfObject c, int layers, int experts)
    {
        var step = c.Int("decoder_sparse_step", 1);
        if (step == 0) throw c.Wrong("decoder_sparse_step", "is 0");
        var dense = c.Ints("mlp_only_layers", ModelConfigLimits.LayersMax);
        var sparse = new bool[Math.Min(layers, ModelConfigLimits.LayersMax)];
        for (var i = 0; i < sparse.Length; i++) sparse[i] = experts > 0 && (i + 1) % step == 0 && !dense.Contains(i);
        return Array.TrueForAll(sparse, s => s) ? null : sparse;
    }
}

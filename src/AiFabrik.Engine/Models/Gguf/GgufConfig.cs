using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>
/// Hyperparameters of a GGUF file under llama.cpp's key names. What has no key (window patterns, the scale of some Gemmas) is
/// what llama.cpp's converter takes for granted.
/// </summary>
internal static class GgufConfig
{
    private const int Gemma2Layers27B = 46;
    private const int Gemma3Layers27B = 62;

    /// <summary>Every n-th layer is global, all others are windowed (Gemma 2 and gpt-oss; Gemma 3).</summary>
    private const int AlternatingPattern = 2, Gemma3Pattern = 6;

    /// <summary>The architecture's name in the file, e.g. "qwen3moe".</summary>
    public static string ArchitectureName(GgufFile file)
    {
        if (!file.Metadata.TryGetString("general.architecture", out var name) || !ModelText.TryToString(name, out var text))
            throw new ModelFormatException($"{file.Path}: general.architecture is missing.");
        return text;
    }

    /// <summary>Reads the configuration; <see cref="ModelFormatException"/> where the file doesn't hold one that we support.</summary>
    public static ModelConfig Read(GgufFile file)
    {
        var arch = ArchitectureName(file);
        var keys = new GgufKeys(file, arch);
        var architecture = arch switch
        {
            "llama" => keys.Int("expert_count", 0) > 0 ? Architecture.Mixtral : Architecture.Llama,
            "qwen2" => Architecture.Qwen2,
            "qwen3" => Architecture.Qwen3,
            "qwen3moe" => Architecture.Qwen3Moe,
            "gemma2" => Architecture.Gemma2,
            "gemma3" => Architecture.Gemma3,
            "phi3" => Architecture.Phi3,
            "gpt-oss" => Architecture.GptOss,
            _ => throw new ModelFormatException($"{file.Path}: the architecture {ModelText.Quote(arch)} is not supported (llama, qwen2, qwen3, qwen3moe, gemma2, gemma3, phi3 and gpt-oss are)."),
        };
        if (!file.TryGetTensor("token_embd.weight", out var embedding)) throw new ModelFormatException($"{file.Path}: it has no tensor token_embd.weight, so it is not a whole model.");
        return Read(file, keys, architecture, embedding.Weight.Rows).Checked(file.Path);
    }

    private static ModelConfig Read(GgufFile file, GgufKeys keys, Architecture architecture, int vocab)
    {
        var gemma = architecture is Architecture.Gemma2 or Architecture.Gemma3;
        int layers = keys.Int("block_count"), hidden = keys.Int("embedding_length"), heads = Positive(keys, "attention.head_count"), context = keys.Int("context_length");
        var headDim = keys.Int("attention.key_length", hidden / heads);
        if (keys.Int("attention.value_length", headDim) != headDim) throw keys.Wrong("attention.value_length", $"differs from the key length {headDim}, which is not supported");
        var rotary = keys.Int("rope.dimension_count", headDim);
        var experts = keys.Int("expert_count", 0);
        var ffn = keys.Int("feed_forward_length", experts > 0 ? keys.Int("expert_feed_forward_length", 0) : null);
        return new ModelConfig
        {
            Architecture = architecture,
            NLayers = layers,
            HiddenDim = hidden,
            FfnDim = ffn,
            NHeads = heads,
            NKvHeads = keys.Int("attention.head_count_kv", heads),
            HeadDim = headDim,
            VocabSize = vocab,
            ContextLen = GgufRope.ContextLen(keys, context),
            NormEps = keys.Float("attention.layer_norm_rms_epsilon"),
            TiedEmbeddings = !file.TryGetTensor("output.weight", out _),
            // Where the family always has biases, a file without them is not whole; else what the file has counts.
            QkvBias = architecture is Architecture.Qwen2 or Architecture.GptOss ? true : null,
            OutputBias = architecture == Architecture.GptOss ? true : null,
            Activation = gemma ? Activation.GeluTanh : architecture == Architecture.GptOss ? Activation.GptOss : Activation.Silu,
            RotaryDim = rotary,
            RopeStyle = architecture is Architecture.Llama or Architecture.Mixtral ? RopeStyle.Interleaved : RopeStyle.HalfSplit,
            Rope = GgufRope.Read(keys, architecture, Math.Min(rotary, ModelConfigLimits.HeadDimMax), context),
            LocalRope = architecture == Architecture.Gemma3 ? RopeScaling.None(Math.Min(rotary, ModelConfigLimits.HeadDimMax), keys.Double("rope.freq_base_swa", 10_000)) : null,
            AttentionScale = AttentionScale(keys, architecture, layers, hidden, heads, headDim),
            AttentionSoftcap = architecture == Architecture.Gemma2 ? keys.Float("attn_logit_softcapping", 50) : 0,
            LogitSoftcap = architecture == Architecture.Gemma2 ? keys.Float("final_logit_softcapping", 30) : architecture == Architecture.Gemma3 ? keys.Float("final_logit_softcapping", 0) : 0,
            LayerWindows = Windows(file, keys, architecture, layers),
            EmbeddingScale = gemma ? MathF.Sqrt(hidden) : 1,
            NExperts = experts,
            NExpertsUsed = experts > 0 ? keys.Int("expert_used_count") : 0,
            ExpertFfnDim = experts > 0 ? keys.Int("expert_feed_forward_length", ffn) : 0,
            RenormalizeExperts = experts > 0 && keys.Bool("expert_weights_norm", true),
            SparseLayers = experts > 0 ? Sparse(file, layers) : null,
        };
    }

    private static int Positive(GgufKeys keys, string name) => keys.Int(name) is > 0 and var value ? value : throw keys.Wrong(name, "is 0");

    /// <summary>1/sqrt(head_dim), but for the 27B Gemmas: query_pre_attn_scalar, which has no key, is hidden / heads there.</summary>
    private static float AttentionScale(GgufKeys keys, Architecture architecture, int layers, int hidden, int heads, int headDim)
    {
        if (keys.Float("attention.scale", 0) is > 0 and var given) return given;
        var is27B = (architecture == Architecture.Gemma2 && layers == Gemma2Layers27B) || (architecture == Architecture.Gemma3 && layers == Gemma3Layers27B);
        return (float)(1 / Math.Sqrt(is27B ? hidden / heads : headDim));
    }

    private static int[] Windows(GgufFile file, GgufKeys keys, Architecture architecture, int layers)
    {
        // Qwen's converter writes a window that use_sliding_window switches off; every other family means what it says.
        if (architecture is Architecture.Qwen2 or Architecture.Qwen3 or Architecture.Qwen3Moe) return ModelConfigLimits.Windows(layers, 0, _ => false);
        var window = keys.Int("attention.sliding_window", architecture == Architecture.Gemma2 ? 4096 : 0);
        const string PatternKey = "attention.sliding_window_pattern";
        var pattern = architecture switch
        {
            Architecture.Gemma2 or Architecture.GptOss => AlternatingPattern,
            Architecture.Gemma3 => Gemma3Pattern,
            _ => 0,
        };
        if (file.Metadata.TryGetBools($"{ArchitectureName(file)}.{PatternKey}", out var flags))
        {
            if (flags.Length < layers) throw keys.Wrong(PatternKey, "has fewer items than the model has layers");
            var windowed = flags.ToArray();
            return ModelConfigLimits.Windows(layers, window, i => windowed[i] != 0);
        }
        pattern = keys.Int(PatternKey, pattern);
        return ModelConfigLimits.Windows(layers, window, i => pattern == 0 || i % pattern < pattern - 1);
    }

    /// <summary>Which layers have a router; null if all.</summary>
    private static bool[]? Sparse(GgufFile file, int layers)
    {
        var sparse = new bool[Math.Min(layers, ModelConfigLimits.LayersMax)];
        for (var i = 0; i < sparse.Length; i++) sparse[i] = file.TryGetTensor($"blk.{i}.ffn_gate_inp.weight", out _);
        return Array.TrueForAll(sparse, s => s) ? null : sparse;
    }
}

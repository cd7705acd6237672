namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>What a family takes for a key that config.json leaves out (the configuration classes of transformers 5).</summary>
internal sealed record HfFamily(
    Architecture Architecture, int Hidden, int Ffn, int Layers, int Heads, int? KvHeads, int? HeadDim, int Context, int Vocab, double Eps, double Theta)
{
    public bool Tied { get; init; }
    public int? Window { get; init; }

    /// <summary>What attention_bias is where it is left out; null: the family has no such key.</summary>
    public bool? AttentionBias { get; init; }

    public int Experts { get; init; }
    public int ExpertsUsed { get; init; }
    public int ExpertFfn { get; init; }

    /// <summary>The layers from this one on are windowed, if use_sliding_window says so at all (Qwen).</summary>
    public int MaxWindowLayers { get; init; } = 28;

    /// <summary>model_type and architectures[0] of the families there is a file for.</summary>
    public static HfFamily? Find(string? modelType, string? architecture) => (modelType ?? architecture) switch
    {
        "llama" or "LlamaForCausalLM" => new(Architecture.Llama, 4096, 11008, 32, 32, null, null, 2048, 32000, 1e-6, 10_000) { AttentionBias = false },
        "mistral" or "MistralForCausalLM" => new(Architecture.Mistral, 4096, 14336, 32, 32, 8, null, 131_072, 32000, 1e-6, 10_000) { Window = 4096 },
        "mixtral" or "MixtralForCausalLM" => new(Architecture.Mixtral, 4096, 14336, 32, 32, 8, null, 131_072, 32000, 1e-5, 1_000_000) { Experts = 8, ExpertsUsed = 2 },
        "qwen2" or "Qwen2ForCausalLM" => new(Architecture.Qwen2, 4096, 22016, 32, 32, 32, null, 32768, 151_936, 1e-6, 10_000) { Window = 4096 },
        "qwen3" or "Qwen3ForCausalLM" => new(Architecture.Qwen3, 4096, 22016, 32, 32, 32, 128, 32768, 151_936, 1e-6, 10_000) { Window = 4096, AttentionBias = false },
        "qwen3_moe" or "Qwen3MoeForCausalLM" => new(Architecture.Qwen3Moe, 2048, 6144, 24, 32, 4, null, 32768, 151_936, 1e-6, 10_000)
        { Window = 4096, AttentionBias = false, Experts = 128, ExpertsUsed = 8, ExpertFfn = 768, MaxWindowLayers = 0 },
        "gemma2" or "Gemma2ForCausalLM" => new(Architecture.Gemma2, 2304, 9216, 26, 8, 4, 256, 8192, 256_000, 1e-6, 10_000) { Tied = true, Window = 4096, AttentionBias = false },
        "gemma3" or "gemma3_text" or "Gemma3ForCausalLM" or "Gemma3ForConditionalGeneration" =>
            new(Architecture.Gemma3, 2304, 9216, 26, 8, 4, 256, 131_072, 262_208, 1e-6, 1_000_000) { Tied = true, Window = 4096, AttentionBias = false },
        "phi3" or "Phi3ForCausalLM" => new(Architecture.Phi3, 3072, 8192, 32, 32, null, null, 4096, 32064, 1e-5, 10_000),
        "gpt_oss" or "GptOssForCausalLM" => new(Architecture.GptOss, 2880, 2880, 36, 64, 8, 64, 131_072, 201_088, 1e-5, 150_000) { Window = 128, AttentionBias = true, Experts = 128, ExpertsUsed = 4 },
        _ => null,
    };
}

namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>Names of Hugging Face checkpoints and their canonical ones.</summary>
internal static class HfNames
{
    /// <summary>What stands before <c>embed_tokens.weight</c>: a language model alone, or within a multimodal one (published, and as transformers 5 saves it).</summary>
    public static readonly string[] Prefixes = ["model.", "language_model.model.", "model.language_model.", ""];

    /// <summary>Names of the untied head.</summary>
    public static readonly string[] Heads = ["lm_head.weight", "language_model.lm_head.weight"];

    /// <summary>Matrices of a layer; their biases have the same names.</summary>
    public static readonly (string Theirs, string Ours)[] Matrices =
    [
        ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"),
        ("self_attn.qkv_proj", "attn_qkv"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"), ("mlp.gate_up_proj", "ffn_up"),
        ("block_sparse_moe.gate", "ffn_gate_inp"), ("mlp.gate", "ffn_gate_inp"), ("mlp.router", "ffn_gate_inp"),
    ];

    /// <summary>Norms of a layer in most families.</summary>
    public static readonly (string Theirs, string Ours)[] Norms =
    [
        ("input_layernorm.weight", "attn_norm.weight"), ("post_attention_layernorm.weight", "ffn_norm.weight"),
        ("self_attn.q_norm.weight", "attn_q_norm.weight"), ("self_attn.k_norm.weight", "attn_k_norm.weight"),
    ];

    /// <summary>Norms of a layer in Gemma, which has four.</summary>
    public static readonly (string Theirs, string Ours)[] GemmaNorms =
    [
        ("input_layernorm.weight", "attn_norm.weight"), ("post_attention_layernorm.weight", "post_attention_norm.weight"),
        ("pre_feedforward_layernorm.weight", "ffn_norm.weight"), ("post_feedforward_layernorm.weight", "post_ffw_norm.weight"),
        ("self_attn.q_norm.weight", "attn_q_norm.weight"), ("self_attn.k_norm.weight", "attn_k_norm.weight"),
    ];

    /// <summary>Norms and sinks of a layer in gpt-oss, where GGUF calls the norm before the experts post_attention_norm.</summary>
    public static readonly (string Theirs, string Ours)[] GptOssVectors =
    [
        ("input_layernorm.weight", "attn_norm.weight"), ("post_attention_layernorm.weight", "post_attention_norm.weight"), ("self_attn.sinks", "attn_sinks.weight"),
    ];

    /// <summary>The experts' matrices, one tensor each: Mixtral and Qwen3 MoE.</summary>
    public static readonly (string Theirs, string Ours)[] MixtralExperts = [("w1", "ffn_gate_exps"), ("w3", "ffn_up_exps"), ("w2", "ffn_down_exps")];

    /// <inheritdoc cref="MixtralExperts"/>
    public static readonly (string Theirs, string Ours)[] QwenExperts = [("gate_proj", "ffn_gate_exps"), ("up_proj", "ffn_up_exps"), ("down_proj", "ffn_down_exps")];

    /// <summary>Vectors of a family's layers, biases apart.</summary>
    public static (string Theirs, string Ours)[] Vectors(Architecture architecture) => architecture switch
    {
        Architecture.Gemma2 or Architecture.Gemma3 => GemmaNorms,
        Architecture.GptOss => GptOssVectors,
        _ => Norms,
    };

    /// <summary>A canonical name in the words of a checkpoint, for messages: <c>blk.1.ffn_up.weight</c> is <c>layers.1.mlp.up_proj.weight</c>. What is not known stays as it is.</summary>
    public static string InFiles(string name, Architecture architecture)
    {
        if (name.Split('.', 3) is not ["blk", var layer, var rest]) return name;
        // Where Phi-3's fused matrix is missing, separate ones are what is asked for.
        if (architecture == Architecture.Phi3 && rest == "attn_q.weight") rest = "attn_qkv.weight";
        var theirs = Array.Find(Vectors(architecture), v => v.Ours == rest).Theirs;
        var dot = rest.LastIndexOf('.');
        if (theirs is null && dot > 0)
        {
            // Of several names for the same, the last ones are the rarer families' own.
            var fused = architecture is Architecture.Phi3 or Architecture.GptOss;
            var matrix = fused ? Array.FindLast(Matrices, m => m.Ours == rest[..dot]).Theirs : Array.Find(Matrices, m => m.Ours == rest[..dot] && (architecture == Architecture.Mixtral || !m.Theirs.StartsWith("block_", StringComparison.Ordinal))).Theirs;
            if (matrix is not null) theirs = matrix + rest[dot..];
        }
        return theirs is null ? name : $"layers.{layer}.{theirs}";
    }
}

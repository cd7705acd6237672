using System.Text.Json;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;

namespace AiFabrik.Engine.Tests.Models.Making;

/// <summary>A random shape in the words of config.json and of GGUF's keys.</summary>
internal static class RandomConfig
{
    private const float Eps = 1e-5f;
    private const int Theta = 50_000, LocalTheta = 10_000, LinearFactor = 4, YarnFactor = 2, LongRopeOriginal = 16;

    public static string Json(RandomShape s)
    {
        var config = new Dictionary<string, object?>
        {
            ["model_type"] = ModelType(s.Architecture), ["hidden_size"] = s.Hidden, ["intermediate_size"] = s.Ffn, ["num_hidden_layers"] = s.Layers,
            ["num_attention_heads"] = s.Heads, ["num_key_value_heads"] = s.KvHeads, ["head_dim"] = s.HeadDim, ["vocab_size"] = s.Vocab,
            ["max_position_embeddings"] = s.Context, ["rms_norm_eps"] = Eps, ["tie_word_embeddings"] = s.Tied, ["sliding_window"] = s.Window == 0 ? null : s.Window,
        };
        if (s.Bias) config["attention_bias"] = true;
        if (s.IsGemma) config["query_pre_attn_scalar"] = s.HeadDim;
        if (s.Experts > 0)
        {
            config["num_local_experts"] = s.Experts;
            config["num_experts_per_tok"] = s.ExpertsUsed;
            config["moe_intermediate_size"] = s.Ffn;
            config["norm_topk_prob"] = true;
        }
        if (s.Architecture == Architecture.Phi3)
        {
            config["partial_rotary_factor"] = (double)s.RotaryDim / s.HeadDim;
            config["original_max_position_embeddings"] = LongRopeOriginal;
            // The family's own heads are hidden / heads.
            config.Remove("head_dim");
            config["head_dim"] = s.HeadDim;
        }
        var scaling = Scaling(s);
        if (s.NewForm)
        {
            var parameters = scaling ?? new Dictionary<string, object?> { ["rope_type"] = "default" };
            parameters["rope_theta"] = Theta;
            config["rope_parameters"] = s.Architecture == Architecture.Gemma3
                ? new Dictionary<string, object?> { ["full_attention"] = parameters, ["sliding_attention"] = new Dictionary<string, object?> { ["rope_type"] = "default", ["rope_theta"] = LocalTheta } } : parameters;
        }
        else
        {
            config["rope_theta"] = Theta;
            config["rope_scaling"] = scaling;
            if (s.Architecture == Architecture.GptOss && scaling is null) config["rope_scaling"] = new Dictionary<string, object?> { ["rope_type"] = "default" };
        }
        return JsonSerializer.Serialize(config);
    }

    private static Dictionary<string, object?>? Scaling(RandomShape s)
    {
        if (!s.Scaled) return null;
        return Kind(s) switch
        {
            "linear" => new() { ["rope_type"] = "linear", ["factor"] = LinearFactor },
            "yarn" => new() { ["type"] = "yarn", ["factor"] = YarnFactor, ["original_max_position_embeddings"] = s.Context, ["truncate"] = s.Architecture != Architecture.GptOss },
            _ => new() { ["rope_type"] = "longrope", ["short_factor"] = Factors(s, 1), ["long_factor"] = Factors(s, 1.5f) },
        };
    }

    private static string Kind(RandomShape s) => s.Architecture switch
    {
        Architecture.Phi3 => "longrope",
        Architecture.Qwen2 or Architecture.Qwen3 or Architecture.Qwen3Moe or Architecture.GptOss => "yarn",
        _ => "linear",
    };

    private static float[] Factors(RandomShape s, float from) => [.. Enumerable.Range(0, s.RotaryDim / 2).Select(i => from + 0.25f * i)];

    /// <summary>LongRoPE's divisors, which GGUF keeps among the tensors.</summary>
    public static IEnumerable<(string Name, float[] Factors)> RopeFactors(RandomShape s)
    {
        if (!s.Scaled || Kind(s) != "longrope") yield break;
        yield return ("rope_factors_short.weight", Factors(s, 1));
        yield return ("rope_factors_long.weight", Factors(s, 1.5f));
    }

    public static void Gguf(RandomShape s, GgufWriter w)
    {
        var arch = GgufName(s.Architecture);
        w.Add("general.architecture", arch);
        foreach (var (key, value) in (ReadOnlySpan<(string, int)>)
        [
            ("block_count", s.Layers), ("context_length", s.Context), ("embedding_length", s.Hidden), ("feed_forward_length", s.Ffn), ("attention.head_count", s.Heads),
            ("attention.head_count_kv", s.KvHeads), ("attention.key_length", s.HeadDim), ("attention.value_length", s.HeadDim), ("rope.dimension_count", s.RotaryDim),
        ]) w.Add($"{arch}.{key}", (uint)value);
        w.Add($"{arch}.attention.layer_norm_rms_epsilon", Eps);
        w.Add($"{arch}.rope.freq_base", (float)Theta);
        if (s.Window > 0) w.Add($"{arch}.attention.sliding_window", (uint)s.Window);
        if (s.Experts > 0)
        {
            w.Add($"{arch}.expert_count", (uint)s.Experts);
            w.Add($"{arch}.expert_used_count", (uint)s.ExpertsUsed);
            w.Add($"{arch}.expert_feed_forward_length", (uint)s.Ffn);
        }
        if (!s.Scaled) return;
        switch (Kind(s))
        {
            case "linear":
                w.Add($"{arch}.rope.scaling.type", "linear");
                w.Add($"{arch}.rope.scaling.factor", (float)LinearFactor);
                break;
            case "yarn":
                w.Add($"{arch}.rope.scaling.type", "yarn");
                w.Add($"{arch}.rope.scaling.factor", (float)YarnFactor);
                w.Add($"{arch}.rope.scaling.original_context_length", (uint)s.Context);
                break;
            default:
                w.Add($"{arch}.rope.scaling.original_context_length", (uint)LongRopeOriginal);
                break;
        }
    }

    private static string ModelType(Architecture a) => a switch
    {
        Architecture.Qwen3Moe => "qwen3_moe",
        Architecture.Gemma3 => "gemma3_text",
        Architecture.GptOss => "gpt_oss",
        _ => a.ToString().ToLowerInvariant(),
    };

    private static string GgufName(Architecture a) => a switch
    {
        Architecture.Mistral or Architecture.Mixtral => "llama",
        Architecture.Qwen3Moe => "qwen3moe",
        Architecture.GptOss => "gpt-oss",
        _ => a.ToString().ToLowerInvariant(),
    };
}

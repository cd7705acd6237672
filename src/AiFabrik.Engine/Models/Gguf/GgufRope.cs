using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>Rotary frequencies of a GGUF file: factors among the tensors, or a scaling among the keys.</summary>
internal static class GgufRope
{
    private const double YarnSlope = 0.1;

    /// <summary>Tokens that the model serves: YaRN extends what context_length says, as converters write the original length there.</summary>
    public static int ContextLen(GgufKeys keys, int context)
    {
        if (keys.Text("rope.scaling.type", "none") != "yarn" || keys.OptionalFloat("rope.scaling.factor") is not { } factor) return context;
        var extended = factor * keys.Int("rope.scaling.original_context_length", context);
        return extended > context && extended <= ModelConfigLimits.ContextLenMax ? (int)extended : context;
    }

    public static RopeTable Read(GgufKeys keys, Architecture architecture, int rotary, int context)
    {
        var theta = keys.Double("rope.freq_base", architecture == Architecture.GptOss ? 150_000 : 10_000);
        float[] shortFactors = keys.Vector("rope_factors_short.weight"), longFactors = keys.Vector("rope_factors_long.weight");
        if (shortFactors.Length > 0 || longFactors.Length > 0)
        {
            var original = keys.Int("rope.scaling.original_context_length", architecture == Architecture.Phi3 ? 4096 : null);
            return RopeScaling.LongRope(rotary, theta, shortFactors, longFactors, original, (double)context / Math.Max(original, 1), keys.OptionalFloat("rope.scaling.attn_factor"));
        }
        var divisors = keys.Vector("rope_freqs.weight");
        if (divisors.Length > 0) return RopeScaling.Divided(rotary, theta, divisors);

        var type = keys.Text("rope.scaling.type", keys.Has("rope.scale_linear") ? "linear" : "none");
        var factor = keys.OptionalFloat("rope.scaling.factor") ?? keys.OptionalFloat("rope.scale_linear") ?? 1;
        switch (type)
        {
            case "none":
                return RopeScaling.None(rotary, theta);
            case "linear":
                return RopeScaling.Linear(rotary, theta, factor);
            case "yarn":
                // attn_factor multiplies what YaRN's own formula gives.
                var more = keys.OptionalFloat("rope.scaling.attn_factor") ?? keys.OptionalFloat("rope.scaling.yarn_attn_factor");
                double? attention = more is null || factor <= 1 ? more : more * (YarnSlope * Math.Log(factor) + 1);
                return RopeScaling.Yarn(rotary, theta, factor, keys.Int("rope.scaling.original_context_length", context),
                    keys.OptionalFloat("rope.scaling.yarn_beta_fast") ?? 32, keys.OptionalFloat("rope.scaling.yarn_beta_slow") ?? 1, attention,
                    // gpt-oss was trained with a range whose ends are not rounded; its files have no key for it.
                    truncate: architecture != Architecture.GptOss);
            default:
                throw keys.Wrong("rope.scaling.type", $"is {ModelText.Quote(type)}, which is not supported (none, linear and yarn are)");
        }
    }
}

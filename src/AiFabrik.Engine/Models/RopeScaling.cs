using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>
/// Rotary frequencies with a model's context extension applied: what the readers put into <see cref="ModelConfig.Rope"/>.
/// theta is rope_theta; rotaryDim the number of values of a head that are rotated (partial_rotary_factor · head_dim).
/// Every table has rotaryDim / 2 inverse frequencies per variant, rounded to float32 as the reference implementation does.
/// </summary>
public static class RopeScaling
{
    private const double YarnMscaleSlope = 0.1;

    /// <summary>Keeps the ramp of <see cref="Yarn"/> finite where both ends of its range coincide.</summary>
    private const double EmptyRangeWidth = 0.001;

    /// <summary>inv[i] = theta^(−2i / rotaryDim) (Su et al. 2021).</summary>
    public static RopeTable None(int rotaryDim, double theta) => new([Plain(rotaryDim, theta)], [1f]);

    /// <summary>Position interpolation: inv[i] / factor (Chen et al. 2023).</summary>
    public static RopeTable Linear(int rotaryDim, double theta, double factor)
    {
        Require(factor > 0, "factor", factor);
        var inverse = Plain(rotaryDim, theta);
        for (var i = 0; i < inverse.Length; i++) inverse[i] = (float)(inverse[i] / factor);
        return new([inverse], [1f]);
    }

    /// <summary>Frequencies divided by given numbers: GGUF's <c>rope_freqs.weight</c> (llama3's scaling, worked out by the converter).</summary>
    /// <param name="divisors">[rotaryDim / 2].</param>
    public static RopeTable Divided(int rotaryDim, double theta, ReadOnlySpan<float> divisors) =>
        new([Divide(rotaryDim, theta, divisors, "rope_freqs")], [1f]);

    /// <summary>
    /// Llama 3.1: wavelengths beyond originalContextLen / lowFreqFactor are stretched by factor, those below
    /// originalContextLen / highFreqFactor are kept, those between are blended.
    /// </summary>
    public static RopeTable Llama3(int rotaryDim, double theta, double factor, double lowFreqFactor, double highFreqFactor, int originalContextLen)
    {
        Require(factor > 0, "factor", factor);
        Require(originalContextLen > 0, "original_max_position_embeddings", originalContextLen);
        Require(lowFreqFactor > 0, "low_freq_factor", lowFreqFactor);
        Require(highFreqFactor > lowFreqFactor, "high_freq_factor", highFreqFactor);
        var inverse = Plain(rotaryDim, theta);
        for (var i = 0; i < inverse.Length; i++)
        {
            double frequency = inverse[i];
            var wavelength = 2 * Math.PI / frequency;
            if (wavelength < originalContextLen / highFreqFactor) continue;
            if (wavelength > originalContextLen / lowFreqFactor) { inverse[i] = (float)(frequency / factor); continue; }
            var smooth = (originalContextLen / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
            inverse[i] = (float)((1 - smooth) * frequency / factor + smooth * frequency);
        }
        return new([inverse], [1f]);
    }

    /// <summary>
    /// YaRN (Peng et al. 2023): dimensions that turn more than betaFast times within the original context are kept, those that
    /// turn fewer than betaSlow times are stretched by factor, those between are blended.
    /// </summary>
    /// <param name="attentionFactor">Multiplies cos and sin; null: from mscale and mscaleAllDim if both are given and not 0, else 0.1·ln(factor) + 1.</param>
    /// <param name="truncate">Rounds the ends of the blended range outwards to whole dimensions (false in gpt-oss).</param>
    public static RopeTable Yarn(int rotaryDim, double theta, double factor, int originalContextLen,
        double betaFast = 32, double betaSlow = 1, double? attentionFactor = null, double? mscale = null, double? mscaleAllDim = null, bool truncate = true)
    {
        Require(factor > 0, "factor", factor);
        Require(originalContextLen > 0, "original_max_position_embeddings", originalContextLen);
        Require(betaSlow > 0, "beta_slow", betaSlow);
        Require(betaFast >= betaSlow, "beta_fast", betaFast);
        var low = CorrectionDim(betaFast, rotaryDim, theta, originalContextLen);
        var high = CorrectionDim(betaSlow, rotaryDim, theta, originalContextLen);
        if (truncate) { low = Math.Floor(low); high = Math.Ceiling(high); }
        low = Math.Max(low, 0);
        high = Math.Min(high, rotaryDim - 1);
        if (low == high) high += EmptyRangeWidth;

        var inverse = Plain(rotaryDim, theta);
        for (var i = 0; i < inverse.Length; i++)
        {
            double kept = inverse[i];
            var ramp = Math.Clamp((i - low) / (high - low), 0, 1);
            inverse[i] = (float)(kept / factor * ramp + kept * (1 - ramp));
        }
        return new([inverse], [(float)(attentionFactor ?? YarnAttentionFactor(factor, mscale, mscaleAllDim))]);
    }

    /// <summary>
    /// LongRoPE (Ding et al. 2024), two variants: 0 divides the frequencies by shortFactors, 1 by longFactors and serves
    /// sequences longer than originalContextLen. The attention factor acts in both.
    /// </summary>
    /// <param name="shortFactors">[rotaryDim / 2]; GGUF: <c>rope_factors_short.weight</c>.</param>
    /// <param name="longFactors">[rotaryDim / 2]; GGUF: <c>rope_factors_long.weight</c>.</param>
    /// <param name="factor">Extension: <c>factor</c> if given, else max / original context.</param>
    /// <param name="attentionFactor">null: sqrt(1 + ln(factor) / ln(originalContextLen)), 1 for factors up to 1.</param>
    public static RopeTable LongRope(int rotaryDim, double theta, ReadOnlySpan<float> shortFactors, ReadOnlySpan<float> longFactors,
        int originalContextLen, double factor, double? attentionFactor = null)
    {
        Require(originalContextLen > 1, "original_max_position_embeddings", originalContextLen);
        var scale = (float)(attentionFactor ?? (factor <= 1 ? 1 : Math.Sqrt(1 + Math.Log(factor) / Math.Log(originalContextLen))));
        return new([Divide(rotaryDim, theta, shortFactors, "short_factor"), Divide(rotaryDim, theta, longFactors, "long_factor")], [scale, scale])
        {
            OriginalContextLen = originalContextLen,
        };
    }

    /// <summary>The dimension (a fraction) whose pair turns <paramref name="rotations"/> times within the original context.</summary>
    private static double CorrectionDim(double rotations, int rotaryDim, double theta, int originalContextLen) =>
        rotaryDim * Math.Log(originalContextLen / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));

    private static double YarnAttentionFactor(double factor, double? mscale, double? mscaleAllDim)
    {
        double Mscale(double slope) => factor <= 1 ? 1 : YarnMscaleSlope * slope * Math.Log(factor) + 1;
        return mscale is not (null or 0) && mscaleAllDim is not (null or 0)
            ? Mscale(mscale.Value) / Mscale(mscaleAllDim.Value)
            : Mscale(1);
    }

    private static float[] Divide(int rotaryDim, double theta, ReadOnlySpan<float> divisors, string name)
    {
        var inverse = Plain(rotaryDim, theta);
        if (divisors.Length != inverse.Length)
            throw new ModelFormatException($"The model's {name} has {divisors.Length} values where {inverse.Length} (half of the {rotaryDim} rotated dimensions) are needed.");
        for (var i = 0; i < inverse.Length; i++)
        {
            if (!(divisors[i] > 0)) throw new ModelFormatException($"The model's {name} has the value {divisors[i]} at {i}, but it must be positive.");
            inverse[i] = (float)(1.0 / (divisors[i] * Power(theta, i, rotaryDim)));
        }
        return inverse;
    }

    private static float[] Plain(int rotaryDim, double theta)
    {
        if (rotaryDim <= 0 || rotaryDim % 2 != 0)
            throw new ModelFormatException($"The model rotates {rotaryDim} values of each head, but the number must be even and positive.");
        Require(theta > 1, "rope_theta", theta);
        var inverse = new float[rotaryDim / 2];
        for (var i = 0; i < inverse.Length; i++) inverse[i] = (float)(1.0 / Power(theta, i, rotaryDim));
        return inverse;
    }

    private static double Power(double theta, int pair, int rotaryDim) => Math.Pow(theta, 2.0 * pair / rotaryDim);

    private static void Require(bool holds, string name, double value)
    {
        if (!holds) throw new ModelFormatException($"The model's RoPE setting {name} is {value}, which is out of range.");
    }
}

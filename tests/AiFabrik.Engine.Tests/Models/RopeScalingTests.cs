using AiFabrik.Engine.Models;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

/// <summary>Numbers worked out from the papers' formulas; the golden models check the same against transformers.</summary>
public sealed class RopeScalingTests
{
    [Fact]
    public void Frequencies_fall_from_one_by_powers_of_theta()
    {
        Close([1, 0.1f, 0.01f, 0.001f], RopeScaling.None(8, 10_000).InverseFrequencies[0]);
        Close([0.25f, 0.025f, 0.0025f, 0.00025f], RopeScaling.Linear(8, 10_000, 4).InverseFrequencies[0]);
        Close([1, 0.05f, 0.0025f, 0.001f], RopeScaling.Divided(8, 10_000, [1, 2, 4, 1]).InverseFrequencies[0]);
    }

    [Fact]
    public void Llama3_keeps_short_waves_stretches_long_ones_and_blends_between()
    {
        // Wavelengths 6.28, 62.8, 628, 6283. Original 1000: below 250 kept, above 1000 stretched by 8, 628 blended with
        // smooth = (1000 / 628.3185 − 1) / 3 = 0.1971831.
        var table = RopeScaling.Llama3(8, 10_000, factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContextLen: 1000);
        Close([1, 0.1f, 0.01f * (0.8028169f / 8 + 0.1971831f), 0.000125f], table.InverseFrequencies[0]);
    }

    [Fact]
    public void Yarn_blends_between_the_dimensions_of_its_betas()
    {
        // theta 10000, 8 dimensions: dimension(n) = 8·ln(original / (2πn)) / (2·ln 10000). original = 2π·1000, betas 100 and 1: 1 and 3.
        var original = (int)Math.Round(2 * Math.PI * 1000);
        var table = RopeScaling.Yarn(8, 10_000, factor: 4, original, betaFast: 100, betaSlow: 1);
        Assert.Equal(0.1f * MathF.Log(4) + 1, table.AttentionFactors[0], 1e-6f);
        // Rounded outwards the range is 1 (or 0, just below) to 3 (or 4): the ends are kept and stretched, the middle is between.
        var values = table.InverseFrequencies[0];
        Assert.Equal(1, values[0], 1e-6f);
        Assert.True(values[2] is > 0.0025f and < 0.01f);
        var exact = RopeScaling.Yarn(8, 10_000, 4, original, 100, 1, truncate: false).InverseFrequencies[0];
        Close([1, 0.1f, 0.01f * (0.5f + 0.5f / 4), 0.00025f], exact, 1e-3f);
    }

    [Fact]
    public void Yarn_takes_the_attention_factor_given_or_from_both_mscales()
    {
        Assert.Equal(1.5f, RopeScaling.Yarn(8, 10_000, 4, 64, attentionFactor: 1.5).AttentionFactors[0]);
        Assert.Equal(1f, RopeScaling.Yarn(8, 10_000, 4, 64, mscale: 0.7, mscaleAllDim: 0.7).AttentionFactors[0], 1e-6f);
        Assert.Equal((0.2f * MathF.Log(4) + 1) / (0.1f * MathF.Log(4) + 1), RopeScaling.Yarn(8, 10_000, 4, 64, mscale: 2, mscaleAllDim: 1).AttentionFactors[0], 1e-6f);
        Assert.Equal(0.1f * MathF.Log(4) + 1, RopeScaling.Yarn(8, 10_000, 4, 64, mscale: 2).AttentionFactors[0], 1e-6f);
        Assert.Equal(1f, RopeScaling.Yarn(8, 10_000, 1, 64).AttentionFactors[0]);
    }

    [Fact]
    public void LongRope_has_a_short_and_a_long_variant_with_one_attention_factor()
    {
        var table = RopeScaling.LongRope(4, 10_000, [1, 2], [4, 8], originalContextLen: 16, factor: 4);
        Close([1, 0.005f], table.InverseFrequencies[0]);
        Close([0.25f, 0.00125f], table.InverseFrequencies[1]);
        Assert.Equal(16, table.OriginalContextLen);
        // sqrt(1 + ln 4 / ln 16) = sqrt(1.5)
        Assert.All(table.AttentionFactors, factor => Assert.Equal(MathF.Sqrt(1.5f), factor, 1e-6f));
        Assert.Equal(1f, RopeScaling.LongRope(4, 10_000, [1, 2], [4, 8], 16, factor: 1).AttentionFactors[0]);
    }

    [Fact]
    public void Settings_out_of_range_are_refused_with_their_name()
    {
        Refused("rope_theta", () => RopeScaling.None(8, 1));
        Refused("factor", () => RopeScaling.Linear(8, 10_000, 0));
        Refused("short_factor", () => RopeScaling.LongRope(8, 10_000, [1], [1, 1, 1, 1], 16, 2));
        Refused("long_factor", () => RopeScaling.LongRope(2, 10_000, [1], [0], 16, 2));
        Refused("high_freq_factor", () => RopeScaling.Llama3(8, 10_000, 8, 4, 1, 1000));
        Refused("original_max_position_embeddings", () => RopeScaling.Yarn(8, 10_000, 4, 0));
    }

    private static void Refused(string name, Action action) => Assert.Contains(name, Assert.Throws<ModelFormatException>(action).Message, StringComparison.Ordinal);

    private static void Close(float[] expected, float[] actual, float relative = 1e-6f)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], expected[i] * relative);
    }
}

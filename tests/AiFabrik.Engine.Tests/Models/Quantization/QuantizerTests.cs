using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference.Dequantization;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Quantization;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Quantization;

public sealed class QuantizerTests
{
    /// <summary>ggml's reference wrote these files; its rounding is idempotent, so that its own values must give its own bytes.</summary>
    [Theory]
    [InlineData("type-Q8_0.gguf", WeightType.Q8_0)]
    [InlineData("type-Q4_0.gguf", WeightType.Q4_0)]
    [InlineData("type-Q4_1.gguf", WeightType.Q4_1)]
    [InlineData("arch-llama-gqa-tied.gguf", WeightType.BF16)]
    [InlineData("arch-llama-mqa.gguf", WeightType.F16)]
    public void Values_of_ggmls_blocks_give_ggmls_blocks(string file, WeightType type)
    {
        using var files = ModelFiles.Open(TestPaths.Gguf(file));
        long rows = 0, differing = 0;
        foreach (var name in files.Weights.Names)
        {
            if (!files.Weights.TryGet(name, out var t) || t.Type != type) continue;
            var values = new float[t.Cols];
            var blocks = new byte[WeightTypes.RowBytes(type, t.Cols)];
            for (var r = 0; r < t.Rows; r++, rows++)
            {
                Dequantizer.Row(t, 0, r, values);
                Quantizer.Row(type, values, blocks);
                if (!t.RowSpan(0, r).SequenceEqual(blocks)) differing++;
            }
        }
        Assert.True(rows > 500);
        // Q4_1's minimum and maximum come back from rounded scales: a few rows differ in the last bit of a scale.
        Assert.InRange(differing, 0, type == WeightType.Q4_1 ? rows / 10 : 0);
    }

    [Fact]
    public void Eight_bits_round_ties_away_from_zero()
    {
        var x = new float[32];
        (x[0], x[1], x[2], x[3], x[4]) = (127, 0.5f, -0.5f, 1.5f, -126.4f);
        var block = new byte[34];
        Quantizer.Row(WeightType.Q8_0, x, block);
        Assert.Equal([0x00, 0x3C, 127, 1, unchecked((byte)-1), 2, unchecked((byte)-126), 0], block[..8]);
    }

    [Fact]
    public void Four_bits_take_their_sign_from_the_largest_magnitude()
    {
        var x = new float[32];
        (x[0], x[1], x[16], x[17]) = (8, -8, 1, -1);
        var block = new byte[18];
        Quantizer.Row(WeightType.Q4_0, x, block);
        // d = −1: 8 → 0, −8 → 16, kept at 15; 1 → 7, −1 → 9; 0 → 8.
        Assert.Equal([0x00, 0xBC, 0x70, 0x9F, 0x88], block[..5]);
    }

    [Fact]
    public void A_block_of_zeros_stays_zero()
    {
        foreach (var type in (WeightType[])[WeightType.Q8_0, WeightType.Q4_0, WeightType.Q4_1])
        {
            var block = new byte[WeightTypes.BlockBytes(type)];
            Quantizer.Row(type, new float[32], block);
            var back = new float[32];
            Dequantizer.Blocks(type, block, back);
            Assert.All(back, v => Assert.Equal(0f, v));
        }
    }
}

using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Reference;

public sealed class MatMulOpsTests
{
    /// <summary>float32 sums of up to 40 products below 1.</summary>
    private const double Tolerance = 2e-6;

    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 8)]
    [InlineData(4, 33)]
    [InlineData(7, 40)]
    public void Three_matrices_stand_side_by_side_with_their_biases(int tokens, int cols)
    {
        using var h = new OpHarness();
        int[] rows = [19, 1, 6];
        float[] x = OpHarness.Random(tokens * cols, 1), w0 = OpHarness.Random(rows[0] * cols, 2), w1 = OpHarness.Random(cols, 3), w2 = OpHarness.Random(rows[2] * cols, 4);
        float[] b0 = OpHarness.Random(rows[0], 5), b2 = OpHarness.Random(rows[2], 6);
        int input = h.Buffer(cols), output = h.Buffer(rows.Sum());
        var op = Op.Of(OpKind.MatMul) with
        {
            Input = input, Output = output, W0 = h.Weight(rows[0], cols, w0), W1 = h.Weight(rows[1], cols, w1), W2 = h.Weight(rows[2], cols, w2),
            B0 = h.Vector(b0), B2 = h.Vector(b2),
        };
        h.OneSequence(tokens);
        h.Input(input, x);
        var result = h.Run(op);
        for (var t = 0; t < tokens; t++)
        {
            for (var r = 0; r < rows[0]; r++) Assert.Equal(Dot(w0, r, x, t, cols) + b0[r], result[t * 26 + r], Tolerance);
            Assert.Equal(Dot(w1, 0, x, t, cols), result[t * 26 + 19], Tolerance);
            for (var r = 0; r < rows[2]; r++) Assert.Equal(Dot(w2, r, x, t, cols) + b2[r], result[t * 26 + 20 + r], Tolerance);
        }
    }

    [Fact]
    public void Accumulate_adds_to_what_is_there()
    {
        using var h = new OpHarness();
        int input = h.Buffer(2), output = h.Buffer(1);
        var op = Op.Of(OpKind.MatMul) with { Input = input, Output = output, W0 = h.Weight(1, 2, [2, 3]), B0 = h.Vector(10), Accumulate = 1 };
        h.OneSequence(1);
        h.Input(input, 1, 1);
        h.Input(output, 100);
        Assert.Equal([115f], h.Run(op));
    }

    [Fact]
    public void A_token_gives_the_same_bits_alone_and_among_others()
    {
        const int tokens = 11, cols = 37, rows = 21;
        using var h = new OpHarness();
        float[] x = OpHarness.Random(tokens * cols, 1);
        int input = h.Buffer(cols), output = h.Buffer(rows);
        var op = Op.Of(OpKind.MatMul) with { Input = input, Output = output, W0 = h.Weight(rows, cols, OpHarness.Random(rows * cols, 2)) };
        h.OneSequence(tokens);
        h.Input(input, x);
        var together = h.Run(op);
        for (var t = 0; t < tokens; t++)
        {
            h.OneSequence(1);
            h.Input(input, x.AsSpan(t * cols, cols).ToArray());
            Assert.Equal(together.AsSpan(t * rows, rows).ToArray(), h.Run(op));
        }
    }

    [Fact]
    public void A_fused_norm_and_gate_equal_the_separate_operations_bit_by_bit()
    {
        const int tokens = 6, cols = 20, ffn = 18;
        using var h = new OpHarness();
        int input = h.Buffer(cols), normed = h.Buffer(cols), gateUp = h.Buffer(2 * ffn), separate = h.Buffer(ffn), fused = h.Buffer(ffn);
        int gate = h.Weight(ffn, cols, OpHarness.Random(ffn * cols, 1)), up = h.Weight(ffn, cols, OpHarness.Random(ffn * cols, 2));
        int gateBias = h.Vector(OpHarness.Random(ffn, 3)), norm = h.Vector(OpHarness.Random(cols, 4));
        h.OneSequence(tokens);
        h.Input(input, OpHarness.Random(tokens * cols, 5));
        h.Run(Op.Of(OpKind.RmsNorm) with { Input = input, Output = normed, Norm0 = norm, Eps = 1e-3f });
        var product = Op.Of(OpKind.MatMul) with { W0 = gate, B0 = gateBias, W1 = up };
        h.Run(product with { Input = normed, Output = gateUp });
        var expected = h.Run(Op.Of(OpKind.ActMul) with { Input = gateUp, Output = separate, Activation = Activation.Silu });
        Assert.Equal(expected, h.Run(product with { Input = input, Output = fused, Norm0 = norm, Eps = 1e-3f, Activation = Activation.Silu }));
    }

    private static double Dot(float[] w, int row, float[] x, int token, int cols)
    {
        double sum = 0;
        for (var i = 0; i < cols; i++) sum += (double)w[row * cols + i] * x[token * cols + i];
        return sum;
    }
}

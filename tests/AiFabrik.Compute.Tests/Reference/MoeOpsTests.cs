using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Reference;

public sealed class MoeOpsTests
{
    private const double Tolerance = 1e-6;

    [Fact]
    public void The_largest_logits_are_chosen_in_descending_order_ties_to_the_lower_number()
    {
        using var h = new OpHarness { TopK = 2 };
        int router = h.Buffer(4), route = h.Buffer(4);
        h.OneSequence(2);
        var ln2 = MathF.Log(2);
        h.Input(router, 0, ln2, -5, ln2, 3 * ln2, 0, 2 * ln2, 0);
        var op = Op.Of(OpKind.MoeRoute) with { Input = router, Output = route, TopK = 2, Renormalize = 1 };
        Close([1, 3, 0.5, 0.5, 0, 2, 8 / 12.0, 4 / 12.0], h.Run(op));
        var all = h.Run(op with { Renormalize = 0 });
        Close([0, 2, 8 / 14.0, 4 / 14.0], all[4..]);
    }

    [Fact]
    public void Each_token_passes_through_its_own_experts()
    {
        const int tokens = 5, hidden = 6, ffn = 19, experts = 3, k = 2;
        using var h = new OpHarness { TopK = k };
        int x = h.Buffer(hidden), route = h.Buffer(2 * k), inner = h.Buffer(ffn, BufferRows.TokenExperts), output = h.Buffer(hidden);
        float[] gate = OpHarness.Random(experts * ffn * hidden, 1), up = OpHarness.Random(experts * ffn * hidden, 2), down = OpHarness.Random(experts * hidden * ffn, 3);
        float[] gateBias = OpHarness.Random(experts * ffn, 4), downBias = OpHarness.Random(experts * hidden, 5), input = OpHarness.Random(tokens * hidden, 6);
        var gateUp = Op.Of(OpKind.MoeGateUp) with
        {
            Input = x, Input2 = route, Output = inner, TopK = k, Activation = Activation.Silu,
            W0 = h.Weight(ffn, hidden, gate, experts), W1 = h.Weight(ffn, hidden, up, experts), B0 = h.Weight(1, ffn, gateBias, experts),
        };
        var downOp = Op.Of(OpKind.MoeDown) with
        {
            Input = inner, Input2 = route, Output = output, TopK = k, Accumulate = 1,
            W0 = h.Weight(hidden, ffn, down, experts), B0 = h.Weight(1, hidden, downBias, experts),
        };
        h.OneSequence(tokens);
        h.Input(x, input);
        // Experts t mod 3 and (t + 1) mod 3, with weights 0.25 and 0.5: expert 2 is not everyone's.
        float[] chosen = [.. Enumerable.Range(0, tokens).SelectMany(t => new[] { t % 3, (t + 1) % 3, 0.25f, 0.5f })];
        h.Input(route, chosen);
        h.Input(output, [.. Enumerable.Repeat(7f, tokens * hidden)]);
        var middle = h.Run(gateUp);
        var result = h.Run(downOp);

        for (var t = 0; t < tokens; t++)
        {
            var expected = Enumerable.Repeat(7.0, hidden).ToArray();
            for (var j = 0; j < k; j++)
            {
                var e = (t + j) % 3;
                for (var r = 0; r < ffn; r++)
                {
                    double g = gateBias[e * ffn + r] + Dot(gate, e * ffn + r, input, t, hidden), u = Dot(up, e * ffn + r, input, t, hidden);
                    Assert.Equal(g / (1 + Math.Exp(-g)) * u, middle[(t * k + j) * ffn + r], 3 * Tolerance);
                }
                for (var i = 0; i < hidden; i++) expected[i] += (0.25 + 0.25 * j) * (downBias[e * hidden + i] + Dot(down, e * hidden + i, middle, t * k + j, ffn));
            }
            for (var i = 0; i < hidden; i++) Assert.Equal(expected[i], result[t * hidden + i], 3 * Tolerance);
        }
    }

    private static double Dot(float[] w, int row, float[] x, int token, int cols)
    {
        double sum = 0;
        for (var i = 0; i < cols; i++) sum += (double)w[row * cols + i] * x[token * cols + i];
        return sum;
    }

    private static void Close(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], Tolerance);
    }
}

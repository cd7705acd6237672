using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Reference;

public sealed class RowOpsTests
{
    private const float Tolerance = 1e-6f;

    [Fact]
    public void Embed_looks_up_and_scales_rows()
    {
        using var h = new OpHarness();
        int w = h.Weight(4, 2, [1, 2, 3, 4, 5, 6, 7, 8]), output = h.Buffer(2);
        h.OneSequence(2);
        h.Batch.Tokens[0] = 3;
        h.Batch.Tokens[1] = 0;
        Assert.Equal([14f, 16f, 2f, 4f], h.Run(Op.Of(OpKind.Embed) with { W0 = w, Output = output, Scale = 2 }));
    }

    [Fact]
    public void RmsNorm_divides_by_the_root_of_mean_square_plus_epsilon()
    {
        using var h = new OpHarness();
        int norm = h.Vector(1, 2), input = h.Buffer(2), output = h.Buffer(2);
        h.OneSequence(2);
        h.Input(input, 3, 4, 0, 0);
        // mean(9, 16) + 3.5 = 16, whose root is 4.
        var op = Op.Of(OpKind.RmsNorm) with { Input = input, Output = output, Norm0 = norm, Eps = 3.5f };
        Assert.Equal([0.75f, 2f, 0f, 0f], h.Run(op));
        Assert.Equal([1.5f, 4f, 0f, 0f], h.Run(op with { Accumulate = 1 }));
    }

    [Theory]
    [InlineData(Activation.Silu, 1.0, 2.0, 1.4621171572600098)]
    [InlineData(Activation.Silu, -3.0, 0.5, -0.07113880976815017)]
    [InlineData(Activation.GeluTanh, 1.0, 2.0, 1.682383956691812)]
    [InlineData(Activation.GeluTanh, -0.5, 1.0, -0.1542859977)]
    [InlineData(Activation.GptOss, 1.0, 2.0, 2.537387297798464)]
    [InlineData(Activation.GptOss, 9.0, 9.0, 55.99962502642654)]
    [InlineData(Activation.GptOss, 1.0, -9.0, -5.074774595596928)]
    public void ActMul_gates(Activation activation, double gate, double up, double expected)
    {
        using var h = new OpHarness();
        int input = h.Buffer(4), output = h.Buffer(2);
        h.OneSequence(1);
        h.Input(input, 0, (float)gate, 5, (float)up);
        var result = h.Run(Op.Of(OpKind.ActMul) with { Input = input, Output = output, Activation = activation });
        Assert.Equal(0f, result[0]);
        Assert.Equal(expected, result[1], 2e-6 * Math.Max(1, Math.Abs(expected)));
    }

    [Fact]
    public void SelectRows_takes_the_wanted_ones()
    {
        using var h = new OpHarness();
        int input = h.Buffer(2), output = h.Buffer(2, BufferRows.Logits);
        h.OneSequence(3);
        h.Batch.LogitRowCount = 2;
        h.Batch.LogitRows[0] = 0;
        h.Batch.LogitRows[1] = 2;
        h.Input(input, 1, 2, 3, 4, 5, 6);
        Assert.Equal([1f, 2f, 5f, 6f], h.Run(Op.Of(OpKind.SelectRows) with { Input = input, Output = output }));
    }

    [Fact]
    public void Softcap_bends_towards_the_cap()
    {
        using var h = new OpHarness(vocabSize: 3);
        h.OneSequence(1);
        h.Batch.LogitRowCount = 1;
        h.Input(h.LogitsBuffer, 0, 30, -1e6f);
        var result = h.Run(Op.Of(OpKind.Softcap) with { Input = h.LogitsBuffer, Output = h.LogitsBuffer, Softcap = 30 });
        Assert.Equal(0, result[0]);
        Assert.Equal(30 * 0.76159416f, result[1], 30 * Tolerance);
        Assert.Equal(-30, result[2]);
    }

    [Fact]
    public void Argmax_takes_the_lowest_id_of_equals()
    {
        using var h = new OpHarness(vocabSize: 4);
        h.OneSequence(1);
        h.Batch.LogitRowCount = 1;
        h.Input(h.LogitsBuffer, -1, 5, 5, 2);
        Assert.Equal(1, h.Executor.Argmax(0));
    }

    [Fact]
    public void A_batch_beyond_the_limits_is_refused()
    {
        using var h = new OpHarness(vocabSize: 4);
        h.OneSequence(1);
        h.Batch.Tokens[0] = 4;
        Assert.Throws<ArgumentException>(() => h.Executor.Begin(h.Batch));
        h.Batch.Tokens[0] = 0;
        h.Batch.SlotMapping(0)[0] = 4 * OpHarness.BlockSize;
        Assert.Throws<ArgumentException>(() => h.Executor.Begin(h.Batch));
    }
}

using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Reference;

public sealed class AttentionOpsTests
{
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData(RopeStyle.HalfSplit, new float[] { -3, 2, 1, 4, 5 })]
    [InlineData(RopeStyle.Interleaved, new float[] { -2, 1, 3, 4, 5 })]
    public void Rope_turns_the_pairs_of_its_style_and_leaves_the_rest(RopeStyle style, float[] expected)
    {
        // Position 1: pair 0 by a quarter turn, pair 1 not at all. Position 0 stays.
        using var h = Rotating(out var op, rotaryDim: 4);
        float[] head = [1, 2, 3, 4, 5];
        h.OneSequence(2);
        h.Input(op.Input, Qkv(head, head, head));
        var row = h.Run(op with { RopeStyle = style });
        Close(head, row[..5]);
        Close(head, row[5..10]);
        Close(expected, row[15..20]);
        Close(expected, row[20..25]);
        Close(head, row[25..30]);
    }

    [Fact]
    public void The_sequence_chooses_the_variant_and_the_attention_factor_scales()
    {
        using var h = Rotating(out var op, rotaryDim: 4);
        h.OneSequence(1);
        h.Batch.RopeVariant[0] = 1;
        h.Input(op.Input, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
        Close([2, 4, 6, 8, 5], h.Run(op)[..5]);
    }

    [Fact]
    public void Norms_of_q_and_k_come_before_the_rotation()
    {
        using var h = Rotating(out var op, rotaryDim: 4);
        int q = h.Vector(1, 1, 1, 1, 1), k = h.Vector(2, 2, 2, 2, 2);
        h.OneSequence(1);
        h.Input(op.Input, [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        Close([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2], h.Run(op with { Norm0 = q, Norm1 = k }));
    }

    [Fact]
    public void Attention_is_a_softmax_of_scaled_products()
    {
        // One head of one value: q = 1, k = j·ln 2 / scale, v = j. Weights 1 : 2 : 4.
        using var h = Attending(out var store, out var op);
        h.OneSequence(3);
        var step = MathF.Log(2) / 0.5f;
        h.Input(store.Input, 1, 0, 0, 1, step, 1, 1, 2 * step, 2);
        h.Run(store);
        Close([0, 2 / 3f, 10 / 7f], h.Run(op));
        Close([0, 2 / 3f, (2 * 1 + 4 * 2) / 6f], h.Run(op with { Window = 2 }));
        Close([0, 1, 2], h.Run(op with { Window = 1 }));
        // A sink of weight e^0 = 1 takes its share of the sum only.
        Close([0, 2 / 4f, 10 / 8f], h.Run(op with { W0 = 0 }));
        // cap(s) = c·tanh(s / c): with c = ln 2, scores 0 and ln 2·tanh 1.
        double capped = Math.Exp(Math.Log(2) * Math.Tanh(1));
        Assert.Equal(capped / (1 + capped), h.Run(op with { Softcap = MathF.Log(2) })[1], Tolerance);
    }

    [Fact]
    public void Sequences_see_their_own_past_only_whatever_blocks_it_lies_in()
    {
        const int tokens = 20;
        using var h = Attending(out var store, out var op);
        var input = OpHarness.Random(tokens * 3, 7);
        // All at once, in blocks 1 and 3.
        h.OneSequence(tokens);
        h.Input(store.Input, input);
        h.Run(store);
        var expected = h.Run(op);

        // The last token later, beside a sequence of two tokens in block 2; the first sequence in blocks 0 and 3.
        h.Executor.ClearBlocks(0, [0, 1, 2, 3]);
        h.Batch.Clear();
        h.Add(0, tokens - 1, 0, [0, 3]);
        h.Input(store.Input, input[..^3]);
        h.Run(store);
        Assert.Equal(expected[..^1], h.Run(op));
        h.Batch.Clear();
        h.Add(0, 1, tokens - 1, [0, 3]);
        h.Add(1, 2, 0, [2]);
        h.Input(store.Input, [.. input[^3..], .. input[..6]]);
        h.Run(store);
        Assert.Equal([expected[^1], expected[0], expected[1]], h.Run(op));
    }

    [Fact]
    public void Cleared_blocks_hold_zeros()
    {
        using var h = Attending(out var store, out var op);
        h.OneSequence(2);
        h.Input(store.Input, 1, 1, 5, 1, 1, 5);
        h.Run(store);
        Close([5, 5], h.Run(op));
        h.Executor.ClearBlocks(0, [1]);
        Close([0, 0], h.Run(op));
        Assert.Throws<ArgumentOutOfRangeException>(() => h.Executor.ClearBlocks(0, [4]));
    }

    /// <summary>One head of 5 values; variant 0: a quarter turn and none per position; variant 1: no turn, factor 2.</summary>
    private static OpHarness Rotating(out Op op, int rotaryDim)
    {
        var h = new OpHarness();
        h.RopeTables.Add(new RopeTable([[MathF.PI / 2, 0], [0, 0]], [1, 2]));
        h.KvLayers.Add(new KvLayerDef(1, 5, 0));
        var qkv = h.Buffer(15);
        op = Op.Of(OpKind.RopeStoreKv) with { Input = qkv, Output = qkv, Layer = 0, NHeads = 1, NKvHeads = 1, HeadDim = 5, RotaryDim = rotaryDim, RopeTable = 0 };
        return h;
    }

    /// <summary>One head of one value, scale 0.5, no rotation; weight 0 is a sink of logit 0.</summary>
    private static OpHarness Attending(out Op store, out Op attention)
    {
        var h = new OpHarness();
        h.Vector(0);
        h.KvLayers.Add(new KvLayerDef(1, 1, 0));
        int qkv = h.Buffer(3), output = h.Buffer(1);
        store = Op.Of(OpKind.RopeStoreKv) with { Input = qkv, Output = qkv, Layer = 0, NHeads = 1, NKvHeads = 1, HeadDim = 1 };
        attention = Op.Of(OpKind.Attention) with { Input = qkv, Output = output, Layer = 0, NHeads = 1, NKvHeads = 1, HeadDim = 1, Scale = 0.5f };
        return h;
    }

    private static float[] Qkv(float[] q, float[] k, float[] v) => [.. q, .. k, .. v, .. q, .. k, .. v];

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal((double)expected[i], actual[i], Tolerance * 5);
    }
}

using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Programs;

public sealed class FusionTests
{
    private const int Residual = 0, Normed = 1, Qkv = 2, GateUp = 3, Ffn = 4, Router = 5;

    [Fact]
    public void A_norm_goes_into_every_product_that_reads_it()
    {
        var fused = Fused(Norm(), Product(Normed, Qkv, 0), Product(Normed, Router, 1));
        Assert.Equal([OpKind.MatMul, OpKind.MatMul], fused.Select(op => op.Kind));
        Assert.All(fused, op => Assert.Equal((Residual, 7, 1e-6f), (op.Input, op.Norm0, op.Eps)));
    }

    [Fact]
    public void A_norm_that_something_else_reads_stays()
    {
        Op[] ops = [Norm(), Product(Normed, Router, 1), Op.Of(OpKind.MoeGateUp) with { Input = Normed, Input2 = Router, Output = Ffn }];
        Assert.Equal(ops, Fused(ops));
    }

    [Fact]
    public void A_norm_whose_input_changes_before_it_is_read_stays()
    {
        Op[] ops = [Norm(), Product(Ffn, Residual, 1) with { Accumulate = 1 }, Product(Normed, Qkv, 0)];
        Assert.Equal(ops, Fused(ops));
    }

    [Fact]
    public void A_norm_that_adds_to_its_output_stays()
    {
        Op[] ops = [Norm() with { Accumulate = 1 }, Product(Normed, Qkv, 0)];
        Assert.Equal(ops, Fused(ops));
    }

    [Fact]
    public void The_next_layers_norm_into_the_same_buffer_is_another_one()
    {
        var second = Norm() with { Norm0 = 8 };
        var fused = Fused(Norm(), Product(Normed, Qkv, 0), Product(Qkv, Residual, 1) with { Accumulate = 1 }, second, Product(Normed, Qkv, 2));
        Assert.Equal([7, -1, 8], fused.Select(op => op.Norm0));
    }

    [Fact]
    public void Gate_and_up_take_their_activation_in()
    {
        var fused = Fused(Product(Residual, GateUp, 0) with { W1 = 1 }, Act());
        var op = Assert.Single(fused);
        Assert.Equal((Ffn, Activation.Silu, 0, 1), (op.Output, op.Activation, op.W0, op.W1));
    }

    [Theory]
    [InlineData(0, 3)] // types differ
    [InlineData(0, 4)] // shapes differ
    [InlineData(0, -1)] // one matrix holds both
    public void Gate_and_up_that_can_not_be_packed_together_stay(int gate, int up)
    {
        Op[] ops = [Product(Residual, GateUp, gate) with { W1 = up }, Act()];
        Assert.Equal(ops, Fused(ops));
    }

    [Fact]
    public void Gate_and_up_that_are_read_again_stay()
    {
        Op[] ops = [Product(Residual, GateUp, 0) with { W1 = 1 }, Act(), Product(GateUp, Qkv, 2)];
        Assert.Equal(ops, Fused(ops));
    }

    [Fact]
    public void A_whole_layer_becomes_six_operations()
    {
        Op Rope(OpKind kind) => Op.Of(kind) with { Input = Qkv, Output = kind == OpKind.Attention ? Ffn : Qkv };
        var fused = Fused(
            Norm(), Product(Normed, Qkv, 0), Rope(OpKind.RopeStoreKv), Rope(OpKind.Attention), Product(Ffn, Residual, 1) with { Accumulate = 1 },
            Norm() with { Norm0 = 8 }, Product(Normed, GateUp, 0) with { W1 = 1 }, Act(), Product(Ffn, Residual, 2) with { Accumulate = 1 });
        Assert.Equal([OpKind.MatMul, OpKind.RopeStoreKv, OpKind.Attention, OpKind.MatMul, OpKind.MatMul, OpKind.MatMul], fused.Select(op => op.Kind));
        Assert.Equal((Residual, 8, Activation.Silu, Ffn), (fused[4].Input, fused[4].Norm0, fused[4].Activation, fused[4].Output));
    }

    private static Op Norm() => Op.Of(OpKind.RmsNorm) with { Input = Residual, Output = Normed, Norm0 = 7, Eps = 1e-6f };

    private static Op Product(int input, int output, int weight) => Op.Of(OpKind.MatMul) with { Input = input, Output = output, W0 = weight };

    private static Op Act() => Op.Of(OpKind.ActMul) with { Input = GateUp, Output = Ffn, Activation = Activation.Silu };

    private static IReadOnlyList<Op> Fused(params Op[] ops) => Fusion.Apply(new TransformerProgram
    {
        Ops = ops,
        Buffers = [],
        Weights = [Weight(WeightType.Q4_0, 64), Weight(WeightType.Q4_0, 64), Weight(WeightType.Q4_0, 64), Weight(WeightType.Q8_0, 64), Weight(WeightType.Q4_0, 32)],
        RopeTables = [], KvLayers = [], KvGroups = [], VocabSize = 1, ContextLen = 1, LogitsBuffer = 0,
    }).Ops;

    private static WeightTensor Weight(WeightType type, int rows) => new("w", type, rows, 32, 0, 0);
}

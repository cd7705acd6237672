using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Programs;

public sealed class ProgramCheckTests
{
    private static readonly WeightTensor Embedding = new("embedding", WeightType.F32, 5, 4, 0, 16);
    private static readonly WeightTensor Square = new("square", WeightType.F32, 4, 4, 0, 16);
    private static readonly WeightTensor Head = new("head", WeightType.F32, 5, 4, 0, 16);
    private static readonly WeightTensor Norm = new("norm", WeightType.F32, 1, 4, 0, 16);

    [Fact]
    public void A_program_that_fits_passes() => ProgramCheck.Run(Program());

    public static TheoryData<int, Op> Misfits => new()
    {
        { 0, Op.Of(OpKind.Embed) with { Output = 0, W0 = 1 } },
        { 0, Op.Of(OpKind.Embed) with { Output = 9, W0 = 0 } },
        { 1, Op.Of(OpKind.RmsNorm) with { Input = 0, Output = 1, Norm0 = 1 } },
        { 1, Op.Of(OpKind.RmsNorm) with { Input = 0, Output = 1 } },
        { 2, Op.Of(OpKind.MatMul) with { Input = 1, Output = 2, W0 = 1 } },
        { 2, Op.Of(OpKind.MatMul) with { Input = 1, Output = 1, W0 = 1 } },
        { 2, Op.Of(OpKind.MatMul) with { Input = 1, Output = 2, W0 = 1, W1 = 1, W2 = 1, B0 = 0 } },
        { 2, Op.Of(OpKind.MatMul) with { Input = 1, Output = 2, W0 = 1, W1 = 1, W2 = 1, Accumulate = 1 } },
        { 3, Op.Of(OpKind.RopeStoreKv) with { Input = 2, Output = 2, Layer = 1, NHeads = 2, NKvHeads = 2, HeadDim = 2, RotaryDim = 2, RopeTable = 0 } },
        { 3, Op.Of(OpKind.RopeStoreKv) with { Input = 2, Output = 2, Layer = 0, NHeads = 2, NKvHeads = 2, HeadDim = 2, RotaryDim = 4, RopeTable = 0 } },
        { 4, Op.Of(OpKind.Attention) with { Input = 2, Output = 1, Layer = 0, NHeads = 4, NKvHeads = 1, HeadDim = 2 } },
        { 5, Op.Of(OpKind.SelectRows) with { Input = 0, Output = 1 } },
        { 6, Op.Of(OpKind.Softcap) with { Input = 4, Output = 4 } },
        { 6, Op.Of(OpKind.MoeRoute) with { Input = 0, Output = 1, TopK = 2 } },
        { 6, Op.Of((OpKind)99) with { Input = 0, Output = 1 } },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void An_operation_of_another_shape_is_refused(int index, Op op)
    {
        var program = Program();
        var ops = program.Ops.ToArray();
        ops[index] = op;
        Assert.Contains($"Operation {index}", Assert.Throws<ArgumentException>(() => ProgramCheck.Run(program with { Ops = ops })).Message, StringComparison.Ordinal);
    }

    /// <summary>One layer of attention: hidden 4, two heads of 2, vocabulary 5.</summary>
    private static TransformerProgram Program() => new()
    {
        Buffers =
        [
            new("residual", BufferRows.Tokens, 4), new("normed", BufferRows.Tokens, 4), new("qkv", BufferRows.Tokens, 12),
            new("selected", BufferRows.Logits, 4), new("logits", BufferRows.Logits, 5),
        ],
        Weights = [Embedding, Square, Head, Norm],
        RopeTables = [new RopeTable([[1f]], [1f])],
        KvLayers = [new KvLayerDef(2, 2, 0)],
        KvGroups = [new KvGroupDef(0)],
        Ops =
        [
            Op.Of(OpKind.Embed) with { Output = 0, W0 = 0 },
            Op.Of(OpKind.RmsNorm) with { Input = 0, Output = 1, Norm0 = 3 },
            Op.Of(OpKind.MatMul) with { Input = 1, Output = 2, W0 = 1, W1 = 1, W2 = 1, B0 = 3 },
            Op.Of(OpKind.RopeStoreKv) with { Input = 2, Output = 2, Layer = 0, NHeads = 2, NKvHeads = 2, HeadDim = 2, RotaryDim = 2, RopeTable = 0 },
            Op.Of(OpKind.Attention) with { Input = 2, Output = 1, Layer = 0, NHeads = 2, NKvHeads = 2, HeadDim = 2 },
            Op.Of(OpKind.SelectRows) with { Input = 0, Output = 3 },
            Op.Of(OpKind.MatMul) with { Input = 3, Output = 4, W0 = 2 },
        ],
        VocabSize = 5, ContextLen = 32, LogitsBuffer = 4,
    };
}

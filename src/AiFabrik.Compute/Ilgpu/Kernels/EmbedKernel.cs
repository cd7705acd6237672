using AiFabrik.Compute.Ilgpu.Kernels.Decoders;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="EmbedKernel"/>: tokens, units of a row, columns, floats between rows of the output, factor.</summary>
internal struct EmbedShape
{
    public int Tokens, Units, Cols, Stride;
    public float Scale;
}

/// <summary>
/// out[t, :] = Scale · W[token[t], :]. tokens [T] int32, W [vocab, Cols] packed, out [T, Stride] float32.
/// Bytes: a row of W and of out for each token; no arithmetic to speak of. Bound by launch and memory.
/// Reference: Reference/RowOps.cs.
/// </summary>
internal static class EmbedKernel
{
    public const int GroupSize = 32;

    public static KernelConfig Config(in EmbedShape shape) =>
        new(new Index3D((shape.Units * 4 + GroupSize - 1) / GroupSize, shape.Tokens, 1), new Index3D(GroupSize, 1, 1));

    public static void Run<TDecoder>(ArrayView<float> output, ArrayView<int> tokens, ArrayView<Quad> quants, ArrayView<uint> scales, EmbedShape shape)
        where TDecoder : struct, IBlockDecoder
    {
        int index = Grid.IdxX * Group.DimX + Group.IdxX, t = Grid.IdxY;
        if (index >= shape.Units * 4) return;
        int unit = index >> 2, part = index & 3, column = index * 8, at = t * shape.Stride + column;
        var w = Vectors.Scale(default(TDecoder).Decode(quants, scales, tokens[t] * shape.Units + unit, part), shape.Scale);
        if (column < shape.Cols) output[at] = w.A;
        if (column + 1 < shape.Cols) output[at + 1] = w.B;
        if (column + 2 < shape.Cols) output[at + 2] = w.C;
        if (column + 3 < shape.Cols) output[at + 3] = w.D;
        if (column + 4 < shape.Cols) output[at + 4] = w.E;
        if (column + 5 < shape.Cols) output[at + 5] = w.F;
        if (column + 6 < shape.Cols) output[at + 6] = w.G;
        if (column + 7 < shape.Cols) output[at + 7] = w.H;
    }
}

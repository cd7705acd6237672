using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="SelectRowsKernel"/>.</summary>
internal struct SelectRowsShape
{
    public int Rows, Cols, InStride, OutStride;
}

/// <summary>
/// out[r, :] = in[rows[r], :]. float32, rows [R] int32. Bytes: 8 a value, no arithmetic. Bound by memory; by launch for one row.
/// Reference: Reference/RowOps.cs.
/// </summary>
internal static class SelectRowsKernel
{
    public const int GroupSize = 64;

    public static KernelConfig Config(in SelectRowsShape shape) =>
        new(new Index3D((shape.Cols + GroupSize - 1) / GroupSize, shape.Rows, 1), new Index3D(GroupSize, 1, 1));

    public static void Run(ArrayView<float> output, ArrayView<float> x, ArrayView<int> rows, SelectRowsShape shape)
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, r = Grid.IdxY;
        if (i < shape.Cols) output[r * shape.OutStride + i] = x[rows[r] * shape.InStride + i];
    }
}

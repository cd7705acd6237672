using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="RmsNormKernel"/>.</summary>
internal struct RmsNormShape
{
    public int Rows, Cols, InStride, OutStride, Accumulate;
    public float Eps;
}

/// <summary>
/// out[r, :] (+)= x[r, :] / sqrt(mean(x[r]²) + Eps) · norm. x, out [Rows, stride] float32, norm [Cols] float32.
/// Bytes: x twice (the second time from cache), out once; 4 operations a value. Bound by memory; by launch for one row.
/// One group a row; squares are added in shared memory. In place is fine.
/// Reference: Reference/RowOps.cs.
/// </summary>
internal static class RmsNormKernel
{
    public const int GroupSizeMax = 256;

    public static KernelConfig Config(bool isGpu, in RmsNormShape shape) => new(new Index3D(shape.Rows, 1, 1), new Index3D(isGpu ? GroupSizeMax : 16, 1, 1));

    public static void Run(ArrayView<float> output, ArrayView<float> x, ArrayView<float> norm, RmsNormShape shape)
    {
        var shared = SharedMemory.Allocate<float>(GroupSizeMax);
        int item = Group.IdxX, from = Grid.IdxX * shape.InStride, to = Grid.IdxX * shape.OutStride;
        var squares = 0f;
        for (var i = item; i < shape.Cols; i += Group.DimX)
        {
            var value = x[from + i];
            squares += value * value;
        }
        shared[item] = squares;
        Group.Barrier();
        for (var half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (item < half) shared[item] += shared[item + half];
            Group.Barrier();
        }
        var scale = 1f / XMath.Sqrt(shared[0] / shape.Cols + shape.Eps);
        for (var i = item; i < shape.Cols; i += Group.DimX)
        {
            var value = x[from + i] * scale * norm[i];
            output[to + i] = shape.Accumulate != 0 ? output[to + i] + value : value;
        }
    }
}

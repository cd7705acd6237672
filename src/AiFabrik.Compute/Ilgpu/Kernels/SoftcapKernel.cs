using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="SoftcapKernel"/>.</summary>
internal struct SoftcapShape
{
    public int Rows, Cols, Stride;
    public float Cap;
}

/// <summary>
/// x = Cap·tanh(x / Cap) in place (Gemma 2). x [Rows, Stride] float32. Bytes: 8 a value; one exponential. Bound by memory.
/// Reference: Reference/RowOps.cs.
/// </summary>
internal static class SoftcapKernel
{
    public const int GroupSize = 64;

    public static KernelConfig Config(in SoftcapShape shape) =>
        new(new Index3D((shape.Cols + GroupSize - 1) / GroupSize, shape.Rows, 1), new Index3D(GroupSize, 1, 1));

    public static void Run(ArrayView<float> x, SoftcapShape shape)
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, at = Grid.IdxY * shape.Stride + i;
        if (i < shape.Cols) x[at] = Cap(x[at], shape.Cap);
    }

    /// <summary>cap·tanh(x / cap), with tanh(z) = 1 − 2/(e^2z + 1): saturates at both ends, off by an ulp of cap at most.</summary>
    public static float Cap(float x, float cap) => cap * (1f - 2f / (XMath.Exp(2f * (x / cap)) + 1f));
}

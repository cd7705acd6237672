using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="MoeCombineKernel"/>.</summary>
internal struct MoeCombineShape
{
    public int Tokens, Cols, TopK, OutStride, PartStride, RouteStride, Accumulate;
}

/// <summary>
/// out[t, :] (+)= Σ_j weight(t, j) · parts[t·TopK + j, :]: the experts' outputs, weighted. float32. Bytes: parts and out once;
/// 2 operations a value of parts. Bound by memory.
/// Reference: Reference/MoeOps.cs.
/// </summary>
internal static class MoeCombineKernel
{
    public const int GroupSize = 64;

    public static KernelConfig Config(in MoeCombineShape shape) =>
        new(new Index3D((shape.Cols + GroupSize - 1) / GroupSize, shape.Tokens, 1), new Index3D(GroupSize, 1, 1));

    public static void Run(ArrayView<float> output, ArrayView<float> parts, ArrayView<float> route, MoeCombineShape shape)
    {
        int i = Grid.IdxX * GroupSize + Group.IdxX, t = Grid.IdxY;
        if (i >= shape.Cols) return;
        var at = t * shape.OutStride + i;
        var sum = shape.Accumulate != 0 ? output[at] : 0f;
        for (var j = 0; j < shape.TopK; j++) sum += route[t * shape.RouteStride + shape.TopK + j] * parts[(t * shape.TopK + j) * shape.PartStride + i];
        output[at] = sum;
    }
}

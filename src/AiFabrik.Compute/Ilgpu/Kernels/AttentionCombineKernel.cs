using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>
/// The second pass of a split attention: out[t, h] = Σ_s exp(m_s − m)·o_s / (Σ_s exp(m_s − m)·l_s + exp(sink − m)), m = max_s m_s.
/// list [Rows] int32 = the rows t that the first pass served; partials [Rows, NHeads, Splits, 2 + HeadStride] float32 = m_s, l_s, o_s; out [T, OutStride] float32.
/// Bytes: the partials once. Bound by launch.
/// Reference: Reference/AttentionOps.cs.
/// </summary>
internal static class AttentionCombineKernel
{
    public const int GroupSize = 32;

    public static KernelConfig Config(in AttentionShape shape) => new(new Index3D(shape.NHeads, shape.Rows, 1), new Index3D(GroupSize, 1, 1));

    public static void Run(ArrayView<float> output, ArrayView<float> partials, ArrayView<int> list, ArrayView<float> sinks, AttentionShape shape)
    {
        int item = Group.IdxX, head = Grid.IdxX, t = list[Grid.IdxY], stride = 2 + shape.HeadStride;
        var from = (Grid.IdxY * shape.NHeads + head) * shape.Splits * stride;
        // A split that a window or a shorter sequence leaves empty has m = −∞ and adds nothing.
        var most = float.NegativeInfinity;
        for (var s = 0; s < shape.Splits; s++) most = IntrinsicMath.Max(most, partials[from + s * stride]);
        // A row that sees nothing: subtracting 0 keeps −∞ − (−∞) away.
        var zero = most == float.NegativeInfinity ? 0f : most;
        var sink = shape.HasSinks != 0 ? sinks[head] : float.NegativeInfinity;
        for (var d = item; d < shape.HeadDim; d += GroupSize)
        {
            float sum = 0f, value = 0f;
            for (var s = 0; s < shape.Splits; s++)
            {
                var factor = XMath.Exp(partials[from + s * stride] - zero);
                sum += factor * partials[from + s * stride + 1];
                value += factor * partials[from + s * stride + 2 + d];
            }
            output[t * shape.OutStride + head * shape.HeadDim + d] = AttentionKernel.Normalize(value, most, sum, sink);
        }
    }
}

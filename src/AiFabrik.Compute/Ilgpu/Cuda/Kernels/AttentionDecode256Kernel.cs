using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary><see cref="AttentionDecode"/> for heads of 136 to 256 dimensions: 16 keys a stage.</summary>
internal static class AttentionDecode256Kernel
{
    public static void Run(
        long output, long partials, long qkv, long cache, ArrayView<int> list, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks,
        AttentionShape shape, int ratio, int blocksShift, float queryScale, float cap) =>
        AttentionDecode.Run<AttentionHead256>(output, partials, qkv, cache, list, positions, sequences, tables, sinks, shape, ratio, blocksShift, queryScale, cap);
}

using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary><see cref="AttentionDecode"/> for heads of up to 64 dimensions: 64 keys a stage.</summary>
internal static class AttentionDecode64Kernel
{
    public static void Run(
        long output, long partials, long qkv, long cache, ArrayView<int> list, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks,
        AttentionShape shape, int ratio, int blocksShift, float queryScale, float cap) =>
        AttentionDecode.Run<AttentionHead64>(output, partials, qkv, cache, list, positions, sequences, tables, sinks, shape, ratio, blocksShift, queryScale, cap);
}

using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary><see cref="AttentionDecode"/> for heads of 104 to 128 dimensions: 32 keys a stage.</summary>
internal static class AttentionDecode128Kernel
{
    public static void Run(
        long output, long partials, long qkv, long cache, ArrayView<int> list, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks,
        AttentionShape shape, int ratio, int blocksShift, float queryScale, float cap) =>
        AttentionDecode.Run<AttentionHead128>(output, partials, qkv, cache, list, positions, sequences, tables, sinks, shape, ratio, blocksShift, queryScale, cap);
}

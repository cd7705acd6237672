using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary><see cref="AttentionDecode"/> for heads of 72 to 96 dimensions, and smaller ones in small blocks: 32 keys a stage.</summary>
internal static class AttentionDecode96Kernel
{
    public static void Run(
        long output, long partials, long qkv, long cache, ArrayView<int> list, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks,
        AttentionShape shape, int ratio, int blocksShift, float queryScale, float cap) =>
        AttentionDecode.Run<AttentionHead96>(output, partials, qkv, cache, list, positions, sequences, tables, sinks, shape, ratio, blocksShift, queryScale, cap);
}

using System.Runtime.CompilerServices;
using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary><see cref="AttentionTensor"/> for heads of 72 to 96 dimensions, and for smaller ones in blocks of 16: 32 keys a stage.</summary>
internal static class AttentionTensor96Kernel
{
    public static void Run(
        long output, long qkv, long cache, ArrayView<int> tiles, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks, AttentionShape shape,
        int headsShift, float queryScale, float cap) =>
        AttentionTensor.Run<AttentionHead96>(output, qkv, cache, tiles, positions, sequences, tables, sinks, shape, headsShift, queryScale, cap);
}

/// <summary>Texts and layout of <see cref="AttentionTensor96Kernel"/>.</summary>
internal readonly struct AttentionHead96 : IAttentionHead
{
    public int Keys => 32;

    public int ChunkShift => 4;

    public int OddPass => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Declare() => CudaAsm.Emit(AttentionText.Declare96);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Query(int headDim, float scale) => CudaAsm.Emit(AttentionText.Query96, headDim, scale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scores() => CudaAsm.Emit(AttentionText.Scores96);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Cap(float cap) => CudaAsm.Emit(AttentionText.Cap32, cap);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MaskAhead(int query) => CudaAsm.Emit(AttentionText.Ahead32, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MaskBehind(int query) => CudaAsm.Emit(AttentionText.Behind32, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Softmax() => CudaAsm.Emit(AttentionText.Softmax96);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Values() => CudaAsm.Emit(AttentionText.Values96);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int headDim) => CudaAsm.Emit(AttentionText.Write96, headDim);
}

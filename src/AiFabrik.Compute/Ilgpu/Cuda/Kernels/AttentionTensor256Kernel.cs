using System.Runtime.CompilerServices;
using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary><see cref="AttentionTensor"/> for heads of 136 to 256 dimensions: 16 keys a stage.</summary>
internal static class AttentionTensor256Kernel
{
    public static void Run(
        long output, long qkv, long cache, ArrayView<int> tiles, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks, AttentionShape shape,
        int headsShift, float queryScale, float cap) =>
        AttentionTensor.Run<AttentionHead256>(output, qkv, cache, tiles, positions, sequences, tables, sinks, shape, headsShift, queryScale, cap);
}

/// <summary>Texts and layout of <see cref="AttentionTensor256Kernel"/>.</summary>
internal readonly struct AttentionHead256 : IAttentionHead
{
    public int Keys => 16;

    public int ChunkShift => 5;

    public int OddPass => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Declare() => CudaAsm.Emit(AttentionText.Declare256);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Query(int headDim, float scale) => CudaAsm.Emit(AttentionText.Query256, headDim, scale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scores() => CudaAsm.Emit(AttentionText.Scores256);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Cap(float cap) => CudaAsm.Emit(AttentionText.Cap16, cap);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MaskAhead(int query) => CudaAsm.Emit(AttentionText.Ahead16, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MaskBehind(int query) => CudaAsm.Emit(AttentionText.Behind16, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Softmax() => CudaAsm.Emit(AttentionText.Softmax256);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Values() => CudaAsm.Emit(AttentionText.Values256);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int headDim) => CudaAsm.Emit(AttentionText.Write256, headDim);
}

using System.Runtime.CompilerServices;
using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary><see cref="AttentionTensor"/> for heads of 104 to 128 dimensions: 32 keys a stage.</summary>
internal static class AttentionTensor128Kernel
{
    public static void Run(
        long output, long qkv, long cache, ArrayView<int> tiles, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks, AttentionShape shape,
        int headsShift, float queryScale, float cap) =>
        AttentionTensor.Run<AttentionHead128>(output, qkv, cache, tiles, positions, sequences, tables, sinks, shape, headsShift, queryScale, cap);
}

/// <summary>Texts and layout of <see cref="AttentionTensor128Kernel"/>.</summary>
internal readonly struct AttentionHead128 : IAttentionHead
{
    public int Keys => 32;

    public int ChunkShift => 4;

    public int OddPass => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Declare() => CudaAsm.Emit(AttentionText.Declare128);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Query(int headDim, float scale) => CudaAsm.Emit(AttentionText.Query128, headDim, scale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scores() => CudaAsm.Emit(AttentionText.Scores128);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Cap(float cap) => CudaAsm.Emit(AttentionText.Cap32, cap);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MaskAhead(int query) => CudaAsm.Emit(AttentionText.Ahead32, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MaskBehind(int query) => CudaAsm.Emit(AttentionText.Behind32, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Softmax() => CudaAsm.Emit(AttentionText.Softmax128);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Values() => CudaAsm.Emit(AttentionText.Values128);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int headDim) => CudaAsm.Emit(AttentionText.Write128, headDim);
}

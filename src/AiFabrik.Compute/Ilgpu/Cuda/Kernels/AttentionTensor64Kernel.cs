using System.Runtime.CompilerServices;
using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary><see cref="AttentionTensor"/> for heads of up to 64 dimensions: 64 keys a stage.</summary>
internal static class AttentionTensor64Kernel
{
    public static void Run(
        long output, long qkv, long cache, ArrayView<int> tiles, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks, AttentionShape shape,
        int headsShift, float queryScale, float cap) =>
        AttentionTensor.Run<AttentionHead64>(output, qkv, cache, tiles, positions, sequences, tables, sinks, shape, headsShift, queryScale, cap);
}

/// <summary>Texts and layout of <see cref="AttentionTensor64Kernel"/>.</summary>
internal readonly struct AttentionHead64 : IAttentionHead
{
    public int Keys => 64;

    public int ChunkShift => 3;

    public int OddPass => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Declare() => CudaAsm.Emit(AttentionText.Declare64);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Query(int headDim, float scale) => CudaAsm.Emit(AttentionText.Query64, headDim, scale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scores() => CudaAsm.Emit(AttentionText.Scores64);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Cap(float cap) => CudaAsm.Emit(AttentionText.Cap64, cap);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MaskAhead(int query) => CudaAsm.Emit(AttentionText.Ahead64, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MaskBehind(int query) => CudaAsm.Emit(AttentionText.Behind64, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Softmax() => CudaAsm.Emit(AttentionText.Softmax64);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Values() => CudaAsm.Emit(AttentionText.Values64);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int headDim) => CudaAsm.Emit(AttentionText.Write64, headDim);
}

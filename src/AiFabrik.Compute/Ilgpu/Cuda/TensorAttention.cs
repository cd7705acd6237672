using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>The executor's attention on the tensor cores: its buffers as addresses for <see cref="AttentionTensor"/> and <see cref="AttentionDecode"/>.</summary>
internal sealed class TensorAttention(CudaKernels kernels, CudaStream stream)
{
    /// <summary>Tokens of a tile, as all attentions of a program can take it; 0 where one of them, or the cache's blocks, are for the portable kernel.</summary>
    public static int TileTokens(TransformerProgram program, StepLimits limits)
    {
        var tokens = int.MaxValue;
        foreach (var op in program.Ops)
        {
            if (op.Kind != OpKind.Attention) continue;
            if (!AttentionTensor.Supports(op.HeadDim, limits.BlockSize)) return 0;
            tokens = Math.Min(tokens, AttentionTensor.TileTokens(op.NHeads, op.NKvHeads));
        }
        return tokens == int.MaxValue ? 0 : tokens;
    }

    /// <summary>Queues the attention of the staged tiles.</summary>
    /// <param name="tables">Block tables of the layer's group.</param>
    /// <param name="sinks">One for each head, read where the shape says so.</param>
    public void Run(ArrayView<float> output, ArrayView<float> qkv, ArrayView<ushort> cache, StepStaging staging, ArrayView<int> tables, ArrayView<float> sinks, AttentionShape shape)
    {
        var status = kernels.AttentionTensor(
            stream.StreamPtr, Address(output), Address(qkv), Address(cache), Ints(staging.Tiles), Ints(staging.Positions), Ints(staging.Sequences), Ints(tables),
            shape.HasSinks != 0 ? Address(sinks) : 0, shape, staging.TileCount);
        Check(status);
    }

    /// <summary>Queues the attention of the staged single rows, split as the shape says; with more than one split their outputs are left in partials.</summary>
    /// <param name="tables">Block tables of the layer's group.</param>
    /// <param name="sinks">One for each head, read where the shape says so.</param>
    public void RunRows(
        ArrayView<float> output, ArrayView<float> partials, ArrayView<float> qkv, ArrayView<ushort> cache, StepStaging staging, ArrayView<int> tables, ArrayView<float> sinks,
        AttentionShape shape)
    {
        var status = kernels.AttentionDecode(
            stream.StreamPtr, Address(output), Address(partials), Address(qkv), Address(cache), Ints(staging.AttentionRows), Ints(staging.Positions), Ints(staging.Sequences),
            Ints(tables), shape.HasSinks != 0 ? Address(sinks) : 0, shape);
        Check(status);
    }

    private static void Check(CudaStatus status)
    {
        if (status != CudaStatus.Success) throw new IlgpuException(CudaDriver.Describe(status));
    }

    private static DeviceInts Ints(ArrayView<int> view) => new(Address(view), view.Length);

    private static ulong Address<T>(ArrayView<T> view) where T : unmanaged => (ulong)view.LoadEffectiveAddressAsPtr();
}

using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Runtime;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>A device's compiled kernels. Each is compiled when first asked for; the executor's warm-up asks for all that its program uses.</summary>
internal sealed class KernelSet(Accelerator accelerator)
{
    private readonly Dictionary<WeightType, DecoderKernels> _decoders = [];
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, RmsNormShape>? _rmsNorm;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<ushort>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RopeShape>? _ropeStoreKv;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape>? _attention;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, AttentionShape>? _attentionCombine;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ActMulShape>? _actMul;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, SelectRowsShape>? _selectRows;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, SoftcapShape>? _softcap;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, MoeRouteShape>? _moeRoute;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, MoeCombineShape>? _moeCombine;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArgmaxShape>? _argmaxPartial;
    private Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArgmaxShape>? _argmaxCombine;

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, RmsNormShape> RmsNorm =>
        _rmsNorm ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, RmsNormShape>(RmsNormKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<ushort>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RopeShape> RopeStoreKv =>
        _ropeStoreKv ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<ushort>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RopeShape>(RopeStoreKvKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape> Attention =>
        _attention ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape>(AttentionKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, AttentionShape> AttentionCombine =>
        _attentionCombine ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, AttentionShape>(AttentionCombineKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ActMulShape> ActMul =>
        _actMul ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, ActMulShape>(ActMulKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, SelectRowsShape> SelectRows =>
        _selectRows ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, ArrayView<int>, SelectRowsShape>(SelectRowsKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, SoftcapShape> Softcap => _softcap ??= accelerator.LoadKernel<ArrayView<float>, SoftcapShape>(SoftcapKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, MoeRouteShape> MoeRoute =>
        _moeRoute ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, MoeRouteShape>(MoeRouteKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, MoeCombineShape> MoeCombine =>
        _moeCombine ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, MoeCombineShape>(MoeCombineKernel.Run);

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArgmaxShape> ArgmaxPartial =>
        _argmaxPartial ??= accelerator.LoadKernel<ArrayView<float>, ArrayView<int>, ArrayView<float>, ArgmaxShape>(ArgmaxKernel.Partial);

    public Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArgmaxShape> ArgmaxCombine =>
        _argmaxCombine ??= accelerator.LoadKernel<ArrayView<int>, ArrayView<float>, ArrayView<int>, ArgmaxShape>(ArgmaxKernel.Combine);

    /// <summary>The kernels that decode a weight type.</summary>
    public DecoderKernels For(WeightType type)
    {
        if (!_decoders.TryGetValue(type, out var kernels)) _decoders[type] = kernels = DecoderKernels.For(type, accelerator);
        return kernels;
    }
}

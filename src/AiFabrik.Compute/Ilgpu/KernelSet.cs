using System.Reflection;
using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Runtime;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>Compiles a kernel and makes the delegate that launches it.</summary>
internal interface IKernelLoader
{
    /// <typeparam name="TLauncher">An Action of stream, KernelConfig and the kernel's parameters.</typeparam>
    TLauncher Load<TLauncher>(MethodInfo kernel) where TLauncher : Delegate;
}

/// <summary>Loads kernels on a device.</summary>
internal sealed class DeviceKernelLoader(Accelerator accelerator) : IKernelLoader
{
    public TLauncher Load<TLauncher>(MethodInfo kernel) where TLauncher : Delegate => accelerator.LoadKernel(kernel).CreateLauncherDelegate<TLauncher>();
}

/// <summary>A device's compiled kernels. Each is compiled when first asked for; the executor's warm-up asks for all that its program uses.</summary>
internal sealed class KernelSet(IKernelLoader loader)
{
    private readonly Dictionary<WeightType, DecoderKernels> _decoders = [];
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, RmsNormShape>? _rmsNorm;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<ushort>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RopeShape>? _ropeStoreKv;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape>? _attention;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>, AttentionShape>? _attentionCombine;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape>? _attentionPrefill;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ActMulShape>? _actMul;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, SelectRowsShape>? _selectRows;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, SoftcapShape>? _softcap;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, MoeRouteShape>? _moeRoute;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, MoeCombineShape>? _moeCombine;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArgmaxShape>? _argmaxPartial;
    private Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArgmaxShape>? _argmaxCombine;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<int>, TopKShape>? _topKPartial;
    private Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<int>, TopKShape>? _topKCombine;

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, RmsNormShape> RmsNorm =>
        _rmsNorm ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, RmsNormShape>>(KernelCatalog.Entry(typeof(RmsNormKernel), nameof(RmsNormKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<ushort>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RopeShape> RopeStoreKv =>
        _ropeStoreKv ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<ushort>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RopeShape>>(KernelCatalog.Entry(typeof(RopeStoreKvKernel), nameof(RopeStoreKvKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape> Attention =>
        _attention ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape>>(KernelCatalog.Entry(typeof(AttentionKernel), nameof(AttentionKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>, AttentionShape> AttentionCombine =>
        _attentionCombine ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>, AttentionShape>>(KernelCatalog.Entry(typeof(AttentionCombineKernel), nameof(AttentionCombineKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape> AttentionPrefill =>
        _attentionPrefill ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<Quad>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<float>, AttentionShape>>(KernelCatalog.Entry(typeof(AttentionPrefillKernel), nameof(AttentionPrefillKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ActMulShape> ActMul =>
        _actMul ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ActMulShape>>(KernelCatalog.Entry(typeof(ActMulKernel), nameof(ActMulKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, SelectRowsShape> SelectRows =>
        _selectRows ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, SelectRowsShape>>(KernelCatalog.Entry(typeof(SelectRowsKernel), nameof(SelectRowsKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, SoftcapShape> Softcap => _softcap ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, SoftcapShape>>(KernelCatalog.Entry(typeof(SoftcapKernel), nameof(SoftcapKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, MoeRouteShape> MoeRoute =>
        _moeRoute ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, MoeRouteShape>>(KernelCatalog.Entry(typeof(MoeRouteKernel), nameof(MoeRouteKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, MoeCombineShape> MoeCombine =>
        _moeCombine ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, MoeCombineShape>>(KernelCatalog.Entry(typeof(MoeCombineKernel), nameof(MoeCombineKernel.Run)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArgmaxShape> ArgmaxPartial =>
        _argmaxPartial ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArgmaxShape>>(KernelCatalog.Entry(typeof(ArgmaxKernel), nameof(ArgmaxKernel.Partial)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArgmaxShape> ArgmaxCombine =>
        _argmaxCombine ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArgmaxShape>>(KernelCatalog.Entry(typeof(ArgmaxKernel), nameof(ArgmaxKernel.Combine)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<int>, TopKShape> TopKPartial =>
        _topKPartial ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<int>, TopKShape>>(KernelCatalog.Entry(typeof(TopKKernel), nameof(TopKKernel.Partial)));

    public Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<int>, TopKShape> TopKCombine =>
        _topKCombine ??= loader.Load<Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<int>, TopKShape>>(KernelCatalog.Entry(typeof(TopKKernel), nameof(TopKKernel.Combine)));

    /// <summary>The kernels that decode a weight type.</summary>
    public DecoderKernels For(WeightType type)
    {
        if (!_decoders.TryGetValue(type, out var kernels)) _decoders[type] = kernels = DecoderKernels.For(type, loader);
        return kernels;
    }
}

using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Ilgpu.Kernels.Decoders;
using AiFabrik.Compute.Programs;
using Product = System.Action<ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<AiFabrik.Compute.Ilgpu.Kernels.Float4>, ILGPU.ArrayView<AiFabrik.Compute.Ilgpu.Kernels.Quad>, ILGPU.ArrayView<uint>, ILGPU.ArrayView<float>, AiFabrik.Compute.Ilgpu.Kernels.MatMulShape>;
using Embedding = System.Action<ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<int>, ILGPU.ArrayView<AiFabrik.Compute.Ilgpu.Kernels.Quad>, ILGPU.ArrayView<uint>, AiFabrik.Compute.Ilgpu.Kernels.EmbedShape>;
using ExpertProduct = System.Action<ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<AiFabrik.Compute.Ilgpu.Kernels.Float4>, ILGPU.ArrayView<float>, ILGPU.ArrayView<AiFabrik.Compute.Ilgpu.Kernels.Quad>, ILGPU.ArrayView<uint>, ILGPU.ArrayView<float>, AiFabrik.Compute.Ilgpu.Kernels.MoeShape>;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>The kernels that decode weights of one type, compiled when first asked for and kept.</summary>
internal abstract class DecoderKernels
{
    public abstract Product GemvOne { get; }
    public abstract Product GemvFour { get; }
    public abstract Product Gemm { get; }
    public abstract Embedding Embed { get; }
    public abstract ExpertProduct MoeGemv { get; }

    /// <summary>The decoder of a weight type.</summary>
    public static Type DecoderOf(WeightType type) => type switch
    {
        WeightType.F32 => typeof(F32Decoder),
        WeightType.F16 => typeof(F16Decoder),
        WeightType.BF16 => typeof(BF16Decoder),
        WeightType.Q4_0 => typeof(Q4_0Decoder),
        WeightType.Q4_1 => typeof(Q4_1Decoder),
        WeightType.Q5_0 => typeof(Q5_0Decoder),
        WeightType.Q5_1 => typeof(Q5_1Decoder),
        WeightType.Q8_0 => typeof(Q8_0Decoder),
        WeightType.Q2_K => typeof(Q2_KDecoder),
        WeightType.Q3_K => typeof(Q3_KDecoder),
        WeightType.Q4_K => typeof(Q4_KDecoder),
        WeightType.Q5_K => typeof(Q5_KDecoder),
        WeightType.Q6_K => typeof(Q6_KDecoder),
        WeightType.IQ4_NL => typeof(IQ4_NLDecoder),
        WeightType.IQ4_XS => typeof(IQ4_XSDecoder),
        WeightType.MXFP4 => typeof(MXFP4Decoder),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No such weight type."),
    };

    public static DecoderKernels For(WeightType type, IKernelLoader loader) =>
        (DecoderKernels)Activator.CreateInstance(typeof(DecoderKernels<>).MakeGenericType(DecoderOf(type)), loader)!;
}

/// <inheritdoc/>
internal sealed class DecoderKernels<TDecoder>(IKernelLoader loader) : DecoderKernels where TDecoder : struct, IBlockDecoder
{
    private Product? _gemvOne, _gemvFour, _gemm;
    private Embedding? _embed;
    private ExpertProduct? _moeGemv;

    public override Product GemvOne => _gemvOne ??= Load<Product>(typeof(GemvKernel), nameof(GemvKernel.One));
    public override Product GemvFour => _gemvFour ??= Load<Product>(typeof(GemvKernel), nameof(GemvKernel.Four));
    public override Product Gemm => _gemm ??= Load<Product>(typeof(GemmKernel), "Run");
    public override Embedding Embed => _embed ??= Load<Embedding>(typeof(EmbedKernel), "Run");
    public override ExpertProduct MoeGemv => _moeGemv ??= Load<ExpertProduct>(typeof(MoeGemvKernel), "Run");

    private TLauncher Load<TLauncher>(Type kernel, string entry) where TLauncher : Delegate => loader.Load<TLauncher>(KernelCatalog.Entry(kernel, entry).MakeGenericMethod(typeof(TDecoder)));
}

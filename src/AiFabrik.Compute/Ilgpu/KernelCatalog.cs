using System.Reflection;
using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>Every portable kernel by name, for tests and audits that compile them without a device.</summary>
internal static class KernelCatalog
{
    private static readonly WeightType[] Types = Enum.GetValues<WeightType>();

    /// <summary>Name ("GemvKernel.One/Q4_0") and entry point; generic kernels once for each weight type.</summary>
    public static IEnumerable<(string Name, MethodInfo Method)> All()
    {
        foreach (var (kernel, entry) in Plain) yield return (Name(kernel, entry), Entry(kernel, entry));
        foreach (var (kernel, entry) in Generic)
            foreach (var type in Types) yield return ($"{Name(kernel, entry)}/{type}", Entry(kernel, entry).MakeGenericMethod(DecoderKernels.DecoderOf(type)));
    }

    /// <summary>One kernel; <paramref name="type"/> for those that decode weights.</summary>
    public static MethodInfo Entry(Type kernel, string entry, WeightType? type = null)
    {
        var method = kernel.GetMethod(entry, BindingFlags.Static | BindingFlags.Public)!;
        return type is { } chosen ? method.MakeGenericMethod(DecoderKernels.DecoderOf(chosen)) : method;
    }

    private static (Type Kernel, string Entry)[] Plain =>
    [
        (typeof(RmsNormKernel), nameof(RmsNormKernel.Run)), (typeof(RopeStoreKvKernel), nameof(RopeStoreKvKernel.Run)),
        (typeof(AttentionKernel), nameof(AttentionKernel.Run)), (typeof(AttentionCombineKernel), nameof(AttentionCombineKernel.Run)),
        (typeof(AttentionPrefillKernel), nameof(AttentionPrefillKernel.Run)),
        (typeof(ActMulKernel), nameof(ActMulKernel.Run)), (typeof(SelectRowsKernel), nameof(SelectRowsKernel.Run)),
        (typeof(SoftcapKernel), nameof(SoftcapKernel.Run)), (typeof(MoeRouteKernel), nameof(MoeRouteKernel.Run)),
        (typeof(MoeCombineKernel), nameof(MoeCombineKernel.Run)), (typeof(ArgmaxKernel), nameof(ArgmaxKernel.Partial)), (typeof(ArgmaxKernel), nameof(ArgmaxKernel.Combine)),
        (typeof(TopKKernel), nameof(TopKKernel.Partial)), (typeof(TopKKernel), nameof(TopKKernel.Combine)),
    ];

    private static (Type Kernel, string Entry)[] Generic =>
    [
        (typeof(GemvKernel), "One"), (typeof(GemvKernel), "Four"), (typeof(GemmKernel), "Run"), (typeof(EmbedKernel), "Run"), (typeof(MoeGemvKernel), "Run"),
    ];

    private static string Name(Type kernel, string entry) => entry == "Run" ? kernel.Name : $"{kernel.Name}.{entry}";
}

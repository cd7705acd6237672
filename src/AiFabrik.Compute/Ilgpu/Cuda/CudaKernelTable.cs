using System.Reflection;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>The kernels of this folder, in the order of <see cref="CudaKernelTable"/>.</summary>
internal enum CudaKernelId
{
    GemmBf16,
    GemmQ8,
    GemmQ4,
    GemmNarrowBf16,
    GemmNarrowQ8,
    GemmNarrowQ4,
    GemvBf16,
    GemvQ8,
    GemvQ4,
    SplitSum,
    ToBf16,
    MatrixRate,
    AttentionTensor64,
    AttentionTensor96,
    AttentionTensor128,
    AttentionTensor256,
    AttentionDecode64,
    AttentionDecode96,
    AttentionDecode128,
    AttentionDecode256,
}

/// <summary>A kernel with its method and the occupancy that it is planned for.</summary>
/// <param name="Id">Which one.</param>
/// <param name="Type">The class whose static method <c>Run</c> is the kernel.</param>
/// <param name="Threads">Threads of a group.</param>
/// <param name="GroupsPlanned">Groups that shall be resident on a multiprocessor of sm_80 or newer at least; the audit checks registers and shared memory against it.</param>
/// <param name="WeightBytesInFlight">Bytes of weights, or of keys and values, that a group has asked for and not yet used, in its inner loop.</param>
internal sealed record CudaKernelSource(CudaKernelId Id, Type Type, int Threads, int GroupsPlanned, int WeightBytesInFlight)
{
    /// <summary>The kernel's method.</summary>
    public MethodInfo Method => Type.GetMethod("Run", BindingFlags.Public | BindingFlags.Static) ?? throw new MissingMethodException(Type.Name, "Run");
}

/// <summary>Every kernel that only CUDA devices run.</summary>
internal static class CudaKernelTable
{
    public static IReadOnlyList<CudaKernelSource> All { get; } =
    [
        new(CudaKernelId.GemmBf16, typeof(GemmBf16Kernel), GemmBf16Kernel.Threads, 2, 2 * 128 * 64),
        new(CudaKernelId.GemmQ8, typeof(GemmQ8Kernel), GemmBf16Kernel.Threads, 2, 128 * 34),
        new(CudaKernelId.GemmQ4, typeof(GemmQ4Kernel), GemmBf16Kernel.Threads, 2, 128 * 18),
        new(CudaKernelId.GemmNarrowBf16, typeof(GemmNarrowBf16Kernel), GemmNarrowBf16Kernel.Threads, 2, 4 * 64 * 64),
        new(CudaKernelId.GemmNarrowQ8, typeof(GemmNarrowQ8Kernel), GemmNarrowQ8Kernel.Threads, 2, 4 * 64 * 32),
        new(CudaKernelId.GemmNarrowQ4, typeof(GemmNarrowQ4Kernel), GemmNarrowQ4Kernel.Threads, 2, 4 * 64 * 16),
        new(CudaKernelId.GemvBf16, typeof(GemvBf16Kernel), GemvRows.Threads, 5, 128 * 8 * 16),
        new(CudaKernelId.GemvQ8, typeof(GemvQ8Kernel), GemvRows.Threads, 4, 128 * 8 * 16),
        new(CudaKernelId.GemvQ4, typeof(GemvQ4Kernel), GemvRows.Threads, 4, 128 * 8 * 16),
        new(CudaKernelId.SplitSum, typeof(SplitSumKernel), SplitSumKernel.Threads, 4, 256 * 4),
        new(CudaKernelId.ToBf16, typeof(ToBf16Kernel), ToBf16Kernel.Threads, 8, 128 * 32),
        new(CudaKernelId.MatrixRate, typeof(MatrixRateKernel), MatrixRateKernel.Threads, MatrixRateKernel.GroupsPerMultiprocessor, 0),
        new(CudaKernelId.AttentionTensor64, typeof(AttentionTensor64Kernel), AttentionTensor.Threads, 3, 0),
        new(CudaKernelId.AttentionTensor96, typeof(AttentionTensor96Kernel), AttentionTensor.Threads, 3, 0),
        new(CudaKernelId.AttentionTensor128, typeof(AttentionTensor128Kernel), AttentionTensor.Threads, 3, 0),
        new(CudaKernelId.AttentionTensor256, typeof(AttentionTensor256Kernel), AttentionTensor.Threads, 2, 0),
        new(CudaKernelId.AttentionDecode64, typeof(AttentionDecode64Kernel), AttentionDecode.Threads, 3, AttentionDecode.BytesInFlight),
        new(CudaKernelId.AttentionDecode96, typeof(AttentionDecode96Kernel), AttentionDecode.Threads, 3, AttentionDecode.BytesInFlight),
        new(CudaKernelId.AttentionDecode128, typeof(AttentionDecode128Kernel), AttentionDecode.Threads, 2, AttentionDecode.BytesInFlight),
        new(CudaKernelId.AttentionDecode256, typeof(AttentionDecode256Kernel), AttentionDecode.Threads, 2, AttentionDecode.BytesInFlight),
    ];
}

using System.Diagnostics;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>The limits that results are held against, measured on the device itself: what a data sheet says is reached by nobody.</summary>
internal static class DeviceRates
{
    /// <summary>Bytes that a copy moves at most: beyond every cache, and small beside a GPU's memory.</summary>
    private const long CopyBytesMax = 1L << 30;

    /// <summary>Of the memory that is free, so much serves for both sides of the copy.</summary>
    private const int FreeShare = 8;

    private const int Runs = 5;

    /// <summary>About 10 ms on a device that does 10¹⁵ operations a second with 132 multiprocessors.</summary>
    private const int Rounds = 150_000;

    /// <summary>Bytes a second (read + written) of the best of some copies, and operations a second of tensor cores in bf16; 0 where the device has none or no room.</summary>
    public static (double CopyBytes, double MatrixOperations) Measure(IlgpuDevice device)
    {
        device.Accelerator.Bind();
        return (CopyRate(device), device.IsCuda ? MatrixRate(device) : 0);
    }

    private static double CopyRate(IlgpuDevice device)
    {
        var bytes = Math.Min(CopyBytesMax, Math.Min(device.FreeBytes / FreeShare, device.AllocationBytesMax)) / sizeof(float) / 2 * sizeof(float);
        if (bytes <= 0) return 0;
        using var stream = device.Accelerator.CreateStream();
        using var from = device.Accelerator.Allocate1D<float>(bytes / sizeof(float));
        using var to = device.Accelerator.Allocate1D<float>(bytes / sizeof(float));
        from.MemSetToZero(stream);
        return 2.0 * bytes / Best(stream, () => to.View.CopyFrom(stream, from.View));
    }

    private static double MatrixRate(IlgpuDevice device)
    {
        device.LoadTensorKernels(null);
        if (device.TensorKernels is not { } kernels) return 0;
        using var stream = (CudaStream)device.Accelerator.CreateStream();
        var groups = device.Accelerator.NumMultiprocessors * MatrixRateKernel.GroupsPerMultiprocessor;
        using var output = device.Accelerator.Allocate1D<float>(groups * MatrixRateKernel.Threads);
        var failed = false;
        var seconds = Best(stream, () => failed |= kernels.MatrixRate(stream.StreamPtr, (ulong)output.NativePtr, groups, Rounds) != CudaStatus.Success);
        return failed ? 0 : MatrixRateKernel.Operations(groups, Rounds) / seconds;
    }

    /// <summary>Seconds of the fastest of some runs; the first, which only warms up, is among them and never the fastest.</summary>
    private static double Best(AcceleratorStream stream, Action queue)
    {
        var best = double.MaxValue;
        for (var run = 0; run <= Runs; run++)
        {
            stream.Synchronize();
            var started = Stopwatch.GetTimestamp();
            queue();
            stream.Synchronize();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return best;
    }
}

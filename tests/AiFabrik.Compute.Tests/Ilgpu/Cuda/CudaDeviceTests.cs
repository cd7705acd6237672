using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>The same cases on a real GPU; skipped, and said so, where there is none. <c>benchmarks/gpu.sh</c> runs these first.</summary>
public sealed class CudaDeviceTests
{
    private static GpuKernelDevice Open()
    {
        GpuKernelDevice? device = GpuKernelDevice.TryOpen(out string reason);
        Assert.SkipWhen(device is null, reason);
        return device!;
    }

    [Fact]
    public void Products_on_the_tensor_cores_are_right()
    {
        using GpuKernelDevice device = Open();
        foreach (TheoryDataRow<int, int, int, int, bool, bool> row in ParityRows.Bf16)
        {
            (int tokens, int rows, int cols, int gap, bool accumulate, bool bias) = row.Data;
            ParityRows.Wide(device, WeightType.BF16, tokens, rows, cols, gap, accumulate, bias);
            ParityRows.Narrow(device, WeightType.BF16, tokens, rows, cols, gap, accumulate, bias, 3);
        }
        foreach (TheoryDataRow<WeightType, int, int, int, int, bool, bool> row in ParityRows.Blocks)
        {
            (WeightType type, int tokens, int rows, int cols, int gap, bool accumulate, bool bias) = row.Data;
            ParityRows.Wide(device, type, tokens, rows, cols, gap, accumulate, bias);
            ParityRows.Narrow(device, type, tokens, rows, cols, gap, accumulate, bias, 2);
        }
    }

    [Fact]
    public void Matrix_vector_products_are_right()
    {
        using GpuKernelDevice device = Open();
        foreach (TheoryDataRow<WeightType, int, int, int, bool, bool> row in ParityRows.Vectors)
        {
            (WeightType type, int rows, int cols, int splits, bool accumulate, bool bias) = row.Data;
            ParityRows.Vector(device, type, rows, cols, splits, accumulate, bias);
        }
        ParityRows.ToBf16(device, 3, 1032, 1035);
    }

    [Fact]
    public void Attention_on_tensor_cores_is_right()
    {
        using GpuKernelDevice device = Open();
        foreach ((_, AttentionHeads heads, string sequences) in AttentionCase.Rows)
        {
            new AttentionCase(heads, sequences).Check(device);
        }
        foreach ((_, AttentionHeads heads, string sequences, int inert, int splitLength) in AttentionCase.Single)
        {
            new AttentionCase(heads, sequences, inert).CheckSingle(device, splitLength);
        }
    }

    [Fact]
    public void A_captured_graph_replays_and_takes_over_new_parameters()
    {
        using GpuKernelDevice device = Open();
        using var graph = new CudaGraph();
        float[] x = [.. Enumerable.Range(0, 100).Select(i => i * 0.5f)];
        ulong input = device.Upload<float>("x", x), first = device.Upload<ushort>("first", new ushort[104]), second = device.Upload<ushort>("second", new ushort[104]);
        foreach (ulong output in (ulong[])[first, second])
        {
            Assert.Equal(CudaStatus.Success, CudaGraph.BeginCapture(device.Stream));
            Assert.Equal(CudaStatus.Success, device.Kernels.ToBf16(device.Stream, output, input, 1, 100, 104, 100));
            Assert.Equal(CudaStatus.Success, graph.EndCapture(device.Stream, 3));
            Assert.Equal(0, device.Download<ushort>(output, 104)[99]);
            Assert.Equal(CudaStatus.Success, graph.Launch(3, device.Stream));
            Assert.Equal(CudaStatus.Success, CudaDriver.StreamSynchronize(device.Stream));
            Assert.Equal(x.Select(CudaReference.ToBf16), device.Download<ushort>(output, 100));
        }
    }

    /// <summary>Times every product at the 8b shape's sizes, where AIFABRIK_GPU_BENCH names the file for its rows (benchmarks/gpu.sh).</summary>
    [Fact]
    public void Kernels_are_timed_where_that_is_asked_for()
    {
        string? file = Environment.GetEnvironmentVariable("AIFABRIK_GPU_BENCH");
        Assert.SkipWhen(string.IsNullOrEmpty(file), "AIFABRIK_GPU_BENCH names no file");
        using GpuKernelDevice device = Open();
        File.WriteAllLines(file!, KernelBenchmark.Run(device));
    }
}

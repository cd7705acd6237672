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
}

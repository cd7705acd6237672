using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>Every CUDA kernel, whole grids at small shapes, on the PTX machine: right numbers, no races, nothing read or written that is not theirs.</summary>
public sealed class KernelParityTests
{
    public static TheoryData<int, int, int, int, bool, bool> Bf16Rows => ParityRows.Bf16;

    public static TheoryData<WeightType, int, int, int, int, bool, bool> BlockRows => ParityRows.Blocks;

    public static TheoryData<WeightType, int, int, int, bool, bool> VectorRows => ParityRows.Vectors;

    [Theory]
    [MemberData(nameof(Bf16Rows))]
    public void Wide_bf16_products_are_right(int tokens, int rows, int cols, int gap, bool accumulate, bool bias)
    {
        using var device = new PtxKernelDevice();
        ParityRows.Wide(device, WeightType.BF16, tokens, rows, cols, gap, accumulate, bias);
    }

    [Theory]
    [MemberData(nameof(BlockRows))]
    public void Wide_block_products_are_right(WeightType type, int tokens, int rows, int cols, int gap, bool accumulate, bool bias)
    {
        using var device = new PtxKernelDevice();
        ParityRows.Wide(device, type, tokens, rows, cols, gap, accumulate, bias);
    }

    [Theory]
    [MemberData(nameof(Bf16Rows))]
    public void Narrow_bf16_products_are_right(int tokens, int rows, int cols, int gap, bool accumulate, bool bias)
    {
        using var device = new PtxKernelDevice();
        ParityRows.Narrow(device, WeightType.BF16, tokens, rows, cols, gap, accumulate, bias, 1);
        ParityRows.Narrow(device, WeightType.BF16, tokens, rows, cols, gap, accumulate, bias, 3);
    }

    [Theory]
    [MemberData(nameof(BlockRows))]
    public void Narrow_block_products_are_right(WeightType type, int tokens, int rows, int cols, int gap, bool accumulate, bool bias)
    {
        using var device = new PtxKernelDevice();
        ParityRows.Narrow(device, type, tokens, rows, cols, gap, accumulate, bias, 1);
        ParityRows.Narrow(device, type, tokens, rows, cols, gap, accumulate, bias, 2);
    }

    [Fact]
    public void Long_sums_pass_every_stage_of_the_pipeline_more_than_once()
    {
        using var device = new PtxKernelDevice();
        ParityRows.Wide(device, WeightType.BF16, 5, 9, 328, 0, false, false);
        ParityRows.Wide(device, WeightType.Q8_0, 5, 9, 320, 0, false, false);
        ParityRows.Wide(device, WeightType.Q4_1, 5, 9, 320, 0, false, false);
        ParityRows.Narrow(device, WeightType.BF16, 5, 9, 411, 0, false, false, 1);
        ParityRows.Narrow(device, WeightType.Q8_0, 5, 9, 416, 0, false, false, 1);
        ParityRows.Narrow(device, WeightType.Q4_0, 5, 9, 416, 0, false, false, 1);
    }

    [Theory]
    [MemberData(nameof(VectorRows))]
    public void Matrix_vector_products_are_right(WeightType type, int rows, int cols, int splits, bool accumulate, bool bias)
    {
        using var device = new PtxKernelDevice();
        ParityRows.Vector(device, type, rows, cols, splits, accumulate, bias);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 17, 20)]
    [InlineData(2, 1032, 1035)]
    public void Activations_are_rounded_to_bf16(int tokens, int cols, int inputStride)
    {
        using var device = new PtxKernelDevice();
        ParityRows.ToBf16(device, tokens, cols, inputStride);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 5)]
    public void The_products_that_are_timed_are_done(int groups, int rounds)
    {
        using var device = new PtxKernelDevice();
        ParityRows.MatrixRate(device, groups, rounds);
    }
}

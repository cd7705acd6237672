using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Ilgpu.Kernels;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>Attention on tensor cores, whole grids at small shapes, on the PTX machine: right numbers, no races, nothing read that no token may see.</summary>
public sealed class AttentionParityTests
{
    public static TheoryData<string> Names => [.. AttentionCase.Rows.Select(r => r.Name)];
    public static TheoryData<string> SingleNames => [.. AttentionCase.Single.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Attention_on_tensor_cores_is_right(string name)
    {
        (_, AttentionHeads heads, string sequences) = AttentionCase.Rows.Single(r => r.Name == name);
        using var device = new PtxKernelDevice();
        var launched = new List<CudaKernelId>();
        new AttentionCase(heads, sequences).Check(device, device.Kernels(launched));
        Assert.Equal([AttentionTensor.KernelFor(heads.HeadDim, heads.BlockSize)], launched);
    }

    [Theory]
    [MemberData(nameof(SingleNames))]
    public void Attention_of_single_rows_on_tensor_cores_is_right(string name)
    {
        (_, AttentionHeads heads, string sequences, int inert, int splitLength) = AttentionCase.Single.Single(r => r.Name == name);
        using var device = new PtxKernelDevice();
        var launched = new List<CudaKernelId>();
        new AttentionCase(heads, sequences, inert).CheckSingle(device, splitLength, device.Kernels(launched));
        Assert.Equal([AttentionDecode.KernelFor(heads.HeadDim, heads.BlockSize)], launched);
    }

    [Theory]
    [InlineData(64, 32, CudaKernelId.AttentionDecode64)]
    [InlineData(64, 16, CudaKernelId.AttentionDecode96)]
    [InlineData(128, 16, CudaKernelId.AttentionDecode128)]
    [InlineData(256, 16, CudaKernelId.AttentionDecode256)]
    internal void Each_head_has_its_kernel_for_single_rows(int headDim, int blockSize, CudaKernelId kernel) => Assert.Equal(kernel, AttentionDecode.KernelFor(headDim, blockSize));

    [Theory]
    [InlineData(1, 4096, 0, 16, 256)]
    [InlineData(17, 4096, 0, 1, 4096)]
    [InlineData(1, 100_000, 512, 3, 192)]
    [InlineData(1, 128, 512, 1, 128)]
    [InlineData(1, 100_000, int.MaxValue, 16, 6272)]
    public void What_a_window_hides_is_not_split(int rows, int longest, int window, int splits, int length)
    {
        var shape = new AttentionShape { Rows = rows, Window = window };
        AttentionDecode.Split(ref shape, longest);
        Assert.Equal((splits, length), (shape.Splits, shape.SplitLength));
        Assert.True((long)splits * length >= Math.Min(longest, window == 0 ? longest : (long)window + 31));
    }

    [Fact]
    public void Heads_and_blocks_that_copies_cannot_follow_are_left_to_the_portable_kernel()
    {
        Assert.True(AttentionTensor.Supports(128, 16));
        Assert.True(AttentionTensor.Supports(64, 16));
        Assert.False(AttentionTensor.Supports(128, 8));
        Assert.False(AttentionTensor.Supports(128, 48));
        Assert.False(AttentionTensor.Supports(100, 32));
        Assert.False(AttentionTensor.Supports(264, 32));
    }
}

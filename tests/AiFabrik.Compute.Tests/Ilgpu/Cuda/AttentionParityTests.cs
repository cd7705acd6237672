using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>Attention on tensor cores, whole grids at small shapes, on the PTX machine: right numbers, no races, nothing read that no token may see.</summary>
public sealed class AttentionParityTests
{
    public static TheoryData<string> Names => [.. AttentionCase.Rows.Select(r => r.Name)];

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

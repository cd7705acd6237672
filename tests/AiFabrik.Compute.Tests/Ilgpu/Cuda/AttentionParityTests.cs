using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>Attention on tensor cores, whole grids at small shapes, on the PTX machine: right numbers, no races, nothing read that no token may see.</summary>
public sealed class AttentionParityTests
{
    /// <summary>Heads and sequences ("cached+new"), on the PTX machine and on a GPU.</summary>
    internal static IReadOnlyList<(string Name, AttentionHeads Heads, string Sequences)> Rows { get; } =
    [
        ("one token", new(1, 1, 64), "0+1"),
        ("every length around a warp", new(1, 1, 64), "0+15 0+16 0+17 0+2 0+3"),
        ("a tile of one head's tokens and one more", new(2, 2, 128), "0+64 0+65"),
        ("two heads share keys", new(4, 2, 128), "0+33 5+31"),
        ("four heads share keys", new(8, 2, 128), "0+40"),
        ("eight heads of one key", new(8, 1, 64), "3+18"),
        ("odd groups", new(6, 2, 96), "0+20 7+3"),
        ("seven heads of a key", new(7, 1, 128), "31+18"),
        ("chunks that begin anywhere", new(4, 1, 128), "1+16 31+17 32+5 33+16 95+33 160+4"),
        ("long past, 64 dimensions", new(4, 1, 64), "300+20 127+1"),
        ("long past, 128 dimensions", new(4, 1, 128, 16), "300+20 127+1"),
        ("256 dimensions", new(2, 1, 256), "0+37 61+5"),
        ("256 dimensions, four heads, small blocks", new(4, 1, 256, 16), "40+18"),
        ("8 dimensions", new(3, 3, 8), "0+70"),
        ("24 dimensions", new(4, 2, 24), "11+40"),
        ("80 dimensions", new(4, 4, 80), "11+40"),
        ("104 dimensions", new(4, 1, 104, 64), "11+40 0+5"),
        ("200 dimensions", new(2, 2, 200), "11+24"),
        ("blocks of 128", new(4, 1, 96, 128), "120+20 128+9"),
        ("window", new(4, 1, 128, Window: 20), "0+50 100+30"),
        ("window of one", new(2, 1, 64, Window: 1), "5+20"),
        ("window across many tiles", new(2, 2, 64, Window: 70), "0+140 250+10"),
        ("window, 256 dimensions", new(2, 1, 256, 16, Window: 33), "90+20"),
        ("soft cap", new(4, 2, 128, Softcap: 3), "10+40"),
        ("soft cap, large scores", new(4, 2, 64, Softcap: 50, Size: 30), "10+40"),
        ("sinks", new(8, 2, 64, Sinks: true), "0+20 40+33"),
        ("everything", new(10, 2, 256, Window: 19, Softcap: 5, Sinks: true), "0+26 70+7 2+6"),
        ("everything, 64 dimensions", new(8, 1, 64, Window: 19, Softcap: 5, Sinks: true), "0+26 70+7 2+6"),
        ("growing maxima", new(4, 1, 96, Size: 8), "90+30"),
    ];

    public static TheoryData<string> Names => [.. Rows.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Attention_on_tensor_cores_is_right(string name)
    {
        (_, AttentionHeads heads, string sequences) = Rows.Single(r => r.Name == name);
        using var device = new PtxKernelDevice();
        new AttentionCase(heads, sequences).Check(device);
    }

    [Fact]
    public void Heads_and_blocks_that_copies_cannot_follow_are_left_to_the_portable_kernel()
    {
        Assert.True(AttentionTensor.Supports(128, 16));
        Assert.True(AttentionTensor.Supports(64, 32));
        Assert.False(AttentionTensor.Supports(64, 16));
        Assert.False(AttentionTensor.Supports(128, 8));
        Assert.False(AttentionTensor.Supports(128, 48));
        Assert.False(AttentionTensor.Supports(100, 32));
        Assert.False(AttentionTensor.Supports(264, 32));
    }
}

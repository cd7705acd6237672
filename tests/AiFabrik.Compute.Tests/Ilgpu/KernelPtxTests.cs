using AiFabrik.Compute.Ilgpu;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>What a CUDA device would load, without one: every kernel compiles, keeps no arrays in local memory, and gives right results on the PTX machine.</summary>
public sealed class KernelPtxTests
{
    public static TheoryData<string> Cases => [.. KernelCases.All.Where(row => !row.IsHeavy).Select(row => row.ToString())];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_kernel_gives_on_the_PTX_machine_what_the_reference_gives(string name)
    {
        var row = KernelCases.All.Single(item => item.ToString() == name);
        var made = row.Make();
        using var executor = IlgpuExecutor.Create(PtxDevice.Shared, made.Program, made.Limits, new IlgpuOptions { WarmUp = false });
        float[] expected = made.OnReference(), ours = made.OnDevice(executor);
        Assert.InRange(Parity.Error(ours, expected), 0, row.Bound);
    }

    public static TheoryData<int, int, string> TopKCases => TopKCheck.Cases;

    [Theory]
    [MemberData(nameof(TopKCases))]
    public void The_best_few_on_the_PTX_machine_are_those_of_the_reference(int vocab, int count, string values) => TopKCheck.Run(PtxDevice.Shared, vocab, count, values);

    [Fact]
    public void Every_kernel_compiles_to_PTX_without_local_memory()
    {
        foreach (var (name, method) in KernelCatalog.All()) Assert.False(PtxDevice.Assembly(method).Contains(".local", StringComparison.Ordinal), $"{name} has arrays in local memory.");
    }

    [Theory]
    [InlineData("GemvKernel.One/Q4_0")]
    [InlineData("GemvKernel.One/Q8_0")]
    [InlineData("GemvKernel.One/BF16")]
    [InlineData("GemvKernel.Four/Q4_K")]
    [InlineData("AttentionKernel")]
    public void Weights_and_keys_are_loaded_16_bytes_at_a_time(string kernel)
    {
        var method = KernelCatalog.All().Single(item => item.Name == kernel).Method;
        // At O1 ILGPU leaves the address space of a view generic.
        Assert.Matches(@"ld\.(global\.)?v4\.", PtxDevice.Assembly(method));
    }
}

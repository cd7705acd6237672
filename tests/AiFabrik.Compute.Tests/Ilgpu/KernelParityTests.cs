using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>Every row of <see cref="KernelCases"/> on the OpenCL device against the reference.</summary>
public sealed class KernelParityTests
{
    public static TheoryData<string> Cases => [.. KernelCases.All.Select(row => row.ToString())];
    public static TheoryData<int, bool> ArgmaxCases => [.. KernelCases.Argmax.Select(row => new TheoryDataRow<int, bool>(row.Vocab, row.Ties))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_kernel_gives_what_the_reference_gives(string name)
    {
        var row = KernelCases.All.Single(item => item.ToString() == name);
        var made = row.Make();
        float[] expected = made.OnReference(), ours = made.OnDevice(OpenCLDevice.Name);
        Assert.Equal(expected.Length, ours.Length);
        Assert.Contains(expected, value => value != 0);
        Assert.InRange(Parity.Error(ours, expected), 0, row.Bound);
    }

    public static TheoryData<int, int, string> TopKCases => TopKCheck.Cases;

    [Theory]
    [MemberData(nameof(TopKCases))]
    public void The_best_few_are_those_of_the_reference(int vocab, int count, string values) => TopKCheck.Run(IlgpuDevices.Open(OpenCLDevice.Name), vocab, count, values);

    [Theory]
    [MemberData(nameof(ArgmaxCases))]
    public void The_best_token_is_the_first_of_the_largest(int vocab, bool ties)
    {
        var made = new CaseProgram(12, tokens: 7, vocab);
        var x = made.Buffer(vocab);
        made.Add(Op.Of(OpKind.SelectRows) with { Input = x, Output = made.LogitsBuffer });
        using var executor = IlgpuExecutor.Create(OpenCLDevice.Name, made.Program, made.Limits, new IlgpuOptions { WarmUp = false });
        float[] Content(int buffer) => [.. made.Content(buffer).Select(value => (ties ? MathF.Round(value) : value) - 5)];
        made.Write(executor, Content);
        executor.Run(made.Batch);
        var values = Content(x);
        for (var r = 0; r < made.Batch.LogitRowCount; r++)
        {
            var row = values.AsSpan(made.Batch.LogitRows[r] * vocab, vocab);
            var best = 0;
            for (var i = 1; i < vocab; i++) if (row[i] > row[best]) best = i;
            Assert.Equal(best, executor.Argmax(r));
            Assert.Equal(row, executor.Logits(r));
        }
    }
}

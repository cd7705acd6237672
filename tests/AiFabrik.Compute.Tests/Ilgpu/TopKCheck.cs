using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>A row of <see cref="KernelCases.TopK"/> through an executor, beside rows that want something else.</summary>
internal static class TopKCheck
{
    public static TheoryData<int, int, string> Cases => [.. KernelCases.TopK.Select(row => new TheoryDataRow<int, int, string>(row.Vocab, row.Count, row.Values))];

    public static void Run(IlgpuDevice device, int vocab, int count, string values)
    {
        var made = new CaseProgram(13, tokens: 7, vocab);
        var x = made.Buffer(vocab);
        made.Add(Op.Of(OpKind.SelectRows) with { Input = x, Output = made.LogitsBuffer });
        using var executor = IlgpuExecutor.Create(device, made.Program, made.Limits, new IlgpuOptions { WarmUp = false });
        float[] Content(int buffer) => [.. made.Content(buffer).Select((value, i) => Value(value, i % vocab, values))];
        made.Write(executor, Content);
        var batch = made.Batch;
        for (var r = 0; r < batch.LogitRowCount; r++) (batch.Wanted[r], batch.TopWanted[r]) = (r == 1 ? (int)LogitsWanted.Argmax : (int)LogitsWanted.Top, Math.Max(count - r, 1));
        executor.Run(batch);
        var logits = Content(x);
        int[] ids = new int[TopLogits.CountMax];
        var best = new float[TopLogits.CountMax];
        for (var r = 0; r < batch.LogitRowCount; r++)
        {
            if (r == 1) continue;
            var expected = TopK.Select(logits.AsSpan(batch.LogitRows[r] * vocab, vocab), Math.Max(count - r, 1), ids, best);
            var ours = executor.Top(r);
            Assert.Equal(expected.Ids, ours.Ids);
            Assert.Equal(expected.Logits, ours.Logits);
            Assert.Equal(expected.Largest, ours.Largest);
            Assert.InRange(ours.SumExp - expected.SumExp, -1e-5 * expected.SumExp, 1e-5 * expected.SumExp);
        }
    }

    private static float Value(float random, int i, string values) => values switch
    {
        "ties" => MathF.Round(random * 3),
        "falling" => -i,
        "few are numbers" => i % 97 == 5 ? random : i % 2 == 0 ? float.NaN : float.NegativeInfinity,
        "none is a number" => i % 2 == 0 ? float.NaN : float.NegativeInfinity,
        _ => random,
    };
}

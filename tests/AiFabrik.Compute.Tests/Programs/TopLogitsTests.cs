using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using AiFabrik.Compute.Tests.Ilgpu;
using AiFabrik.Compute.Tests.Native;
using Xunit;

namespace AiFabrik.Compute.Tests.Programs;

/// <summary>The best few logits from executors whose logits lie in the host's memory.</summary>
public sealed class TopLogitsTests
{
    [Fact]
    public void They_are_in_order_ties_by_id_without_NaN_and_infinities()
    {
        float[] logits = [1, float.NaN, 3, -0f, 3, float.NegativeInfinity, 2, 0];
        int[] ids = new int[TopLogits.CountMax];
        var best = new float[TopLogits.CountMax];
        var top = TopK.Select(logits, 5, ids, best);
        Assert.Equal([2, 4, 6, 0, 3], top.Ids);
        Assert.Equal(3, top.Largest);
        Assert.Equal(Math.Log(2 * Math.Exp(3) + Math.Exp(2) + Math.Exp(1) + 2), top.LogSumExp, 1e-12);
        Assert.Equal(6, TopK.Select(logits, 64, ids, best).Ids.Length);
        Assert.True(TopK.Select([float.NaN, float.NegativeInfinity], 3, ids, best).Ids.IsEmpty);
    }

    [Fact]
    public void The_reference_and_the_native_executor_give_their_rows_best()
    {
        var program = new RandomProgram(1).Program;
        var steps = new MixedSteps(program, 1);
        using var reference = new ReferenceExecutor(program, steps.Limits);
        using var native = NativeExecutor.Create(program, steps.Limits, new NativeOptions { Threads = 1, PinThreads = false });
        int[] ids = new int[TopLogits.CountMax];
        var best = new float[TopLogits.CountMax];
        steps.Next();
        for (var row = 0; row < steps.Batch.LogitRowCount; row++) (steps.Batch.Wanted[row], steps.Batch.TopWanted[row]) = ((int)LogitsWanted.Top, 3 + row);
        foreach (var executor in (IExecutor[])[reference, native])
        {
            Assert.False(executor.Info.CopiesLogits);
            executor.Run(steps.Batch);
            for (var row = 0; row < steps.Batch.LogitRowCount; row++)
            {
                var expected = TopK.Select(executor.Logits(row), 3 + row, ids, best);
                var top = executor.Top(row);
                Assert.Equal(expected.Ids, top.Ids);
                Assert.Equal(expected.Logits, top.Logits);
                Assert.Equal(executor.Argmax(row), top.Ids[0]);
            }
        }
    }
}

using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Tests.Native;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>Decode steps padded to a bucket: the rows that are added change nothing.</summary>
public sealed class DecodeStepTests
{
    private static readonly IlgpuOptions Cold = new() { WarmUp = false };

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Inert_rows_change_no_bit_of_the_others_nor_of_the_cache(int seed)
    {
        var program = Fusion.Apply(new RandomProgram(seed).Program);
        var steps = new MixedSteps(program, seed);
        using var plain = IlgpuExecutor.Create(OpenCLDevice.Name, program, steps.Limits, Cold);
        using var padded = IlgpuExecutor.Create(OpenCLDevice.Name, program, steps.Limits, Cold with { PadsDecode = true });
        for (var step = 0; step < 10; step++)
        {
            if (step % 4 == 0) steps.Next();
            else steps.NextDecode(3 - step % 3);
            plain.Run(steps.Batch);
            padded.Run(steps.Batch);
            for (var row = 0; row < steps.Batch.LogitRowCount; row++)
            {
                Assert.Equal(plain.Logits(row), padded.Logits(row));
                Assert.Equal(plain.Argmax(row), padded.Argmax(row));
            }
        }
        Assert.Equal(Residue.Bytes(plain.ContentArenas.First().Arena), Residue.Bytes(padded.ContentArenas.First().Arena));
    }

    [Theory]
    [InlineData(1, 1, 1, 0, 128)]
    [InlineData(3, 130, 4, 2, 256)]
    [InlineData(5, 20, 5, 3, 128)]
    public void A_plan_rounds_batch_and_context_up_within_the_limits(int sequences, int contextLen, int rows, int bucket, int longest)
    {
        var limits = new StepLimits(96, 5, 5, 16, [100], 20);
        var batch = new StepBatch(limits, 1) { TokenCount = sequences, SequenceCount = sequences, LogitRowCount = sequences };
        for (var s = 0; s < sequences; s++) (batch.QueryStart[s + 1], batch.ContextLen[s], batch.LogitRows[s]) = (s + 1, contextLen, s);
        Assert.Equal(new StepPlan(rows, rows, longest, bucket, longest / 256), StepPlan.For(batch, limits, pads: true));
        Assert.Equal(new StepPlan(sequences, sequences, longest, -1, longest / 256), StepPlan.For(batch, limits, pads: false));
        batch.LogitRowCount--;
        Assert.Equal(-1, StepPlan.For(batch, limits, pads: true).BatchBucket);
    }

    [Fact]
    public void The_longest_bucket_ends_with_the_context()
    {
        Assert.Equal(320, StepPlan.ContextBucketLen(StepPlan.ContextBucketOf(300), 320));
        Assert.Equal(24, StepPlan.ContextBucketOf(int.MaxValue));
    }
}

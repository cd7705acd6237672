using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using Xunit;

namespace AiFabrik.Compute.Tests.Native;

public sealed class NativeExecutorTests
{
    private const int BlockSize = 32, Sequences = 6, BlocksEach = 6;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 24)];

    /// <summary>rms(native − reference) / std(reference): the cache's float16 is all that differs.</summary>
    private const double Bound = 3e-3;

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_programs_give_what_the_reference_gives(int seed)
    {
        var made = new RandomProgram(seed);
        var limits = Limits(made.Program);
        using var native = NativeExecutor.Create(made.Program, limits, new NativeOptions { Threads = 1 + seed % 3, PinThreads = false });
        using var plain = NativeExecutor.Create(made.Program, limits, new NativeOptions { Threads = 2, PinThreads = false, Fuse = false });
        using var reference = new ReferenceExecutor(made.Program, limits, new ReferenceOptions { Threads = 1 });
        Assert.True(native.Program.Ops.Count < made.Program.Ops.Count);
        var random = new Random(seed);
        var batch = new StepBatch(limits, made.Program.KvGroups.Count);
        var lengths = new int[Sequences];
        for (var step = 0; step < 8; step++)
        {
            Fill(batch, lengths, step, random, made.Program.VocabSize);
            native.Run(batch);
            plain.Run(batch);
            reference.Run(batch);
            for (var row = 0; row < batch.LogitRowCount; row++)
            {
                Assert.InRange(Error(native.Logits(row), reference.Logits(row)), 0, Bound);
                Assert.InRange(Error(plain.Logits(row), reference.Logits(row)), 0, Bound);
                Assert.Equal(native.Logits(row)[native.Argmax(row)], Largest(native.Logits(row)));
            }
        }
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var made = new RandomProgram(3);
        var limits = Limits(made.Program);
        using var native = NativeExecutor.Create(made.Program, limits, new NativeOptions { Threads = 2, PinThreads = false });
        var batch = new StepBatch(limits, made.Program.KvGroups.Count);
        Fill(batch, new int[Sequences], 1, new Random(1), made.Program.VocabSize);
        int[] blocks = [0, 3];
        Assert.Equal(0, Allocations.Steady(() =>
        {
            native.Run(batch);
            _ = native.Argmax(0) + native.Logits(0).Length;
            native.ClearBlocks(0, blocks);
            native.ClearActivations();
        }));
    }

    [Fact]
    public void Cleared_activations_are_zero()
    {
        var made = new RandomProgram(4);
        var limits = Limits(made.Program);
        using var native = NativeExecutor.Create(made.Program, limits, new NativeOptions { Threads = 1 });
        var batch = new StepBatch(limits, made.Program.KvGroups.Count);
        Fill(batch, new int[Sequences], 0, new Random(1), made.Program.VocabSize);
        native.Run(batch);
        Assert.NotEqual(-1, native.Logits(0).IndexOfAnyExcept(0f));
        native.ClearActivations();
        Assert.Equal(-1, native.Logits(0).IndexOfAnyExcept(0f));
        Assert.Equal(0, native.Argmax(0));
    }

    [Fact]
    public void It_says_what_it_is()
    {
        var made = new RandomProgram(5);
        using var native = NativeExecutor.Create(made.Program, Limits(made.Program), new NativeOptions { Threads = 2, PinThreads = false });
        Assert.Equal(("cpu", 2, ExactnessClass.Float16), (native.Info.Device, native.Info.Threads, native.Info.Class));
        Assert.Contains(NativeDevice.InstructionSet, native.Info.Description, StringComparison.Ordinal);
        Assert.True(native.PackedBytes > 0 && native.KvBytes > 0 && native.ActivationBytes > 0);
        Assert.True(NativeDevice.DefaultThreads >= 1);
        Assert.True(NativeDevice.MeasureReadBandwidth(1, 16 << 20) > 1e8);
    }

    [Fact]
    public void Bf16_weights_round_their_columns_where_the_processor_multiplies_such_pairs()
    {
        var made = new RandomProgram(5, WeightType.BF16);
        using var native = NativeExecutor.Create(made.Program, Limits(made.Program), new NativeOptions { Threads = 1 });
        var pairs = NativeDevice.InstructionSet.Contains("bf16", StringComparison.Ordinal);
        Assert.Equal(pairs ? ExactnessClass.BFloat16 : ExactnessClass.Float16, native.Info.Class);
    }

    [Fact]
    public void More_threads_than_processors_are_not_started()
    {
        var made = new RandomProgram(5);
        using var native = NativeExecutor.Create(made.Program, Limits(made.Program), new NativeOptions { Threads = 4096 });
        Assert.InRange(native.Info.Threads, 1, Environment.ProcessorCount);
    }

    [Fact]
    public void A_program_that_contradicts_itself_is_refused_with_a_sentence()
    {
        var made = new RandomProgram(6);
        var ops = made.Program.Ops.ToArray();
        var product = Array.FindIndex(ops, op => op.Kind == OpKind.MatMul);
        ops[product] = ops[product] with { W1 = -1 };
        var error = Assert.Throws<NativeModelException>(() => NativeExecutor.Create(made.Program with { Ops = ops }, Limits(made.Program)));
        Assert.Contains("MatMul", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_beyond_the_cache_is_refused()
    {
        var made = new RandomProgram(7);
        var limits = Limits(made.Program);
        using var native = NativeExecutor.Create(made.Program, limits, new NativeOptions { Threads = 1 });
        var batch = new StepBatch(limits, made.Program.KvGroups.Count);
        Fill(batch, new int[Sequences], 0, new Random(1), made.Program.VocabSize);
        batch.BlockTable(0, 0)[0] = Sequences * BlocksEach;
        Assert.Throws<ArgumentException>(() => native.Run(batch));
        Assert.Throws<ArgumentOutOfRangeException>(() => native.ClearBlocks(0, [Sequences * BlocksEach]));
    }

    [Fact]
    public void Progress_ends_at_one()
    {
        var made = new RandomProgram(8);
        var seen = new Seen();
        using var native = NativeExecutor.Create(made.Program, Limits(made.Program), new NativeOptions { Threads = 1, Progress = seen });
        Assert.Equal(1, seen.Last);
    }

    private sealed class Seen : IProgress<double>
    {
        public double Last { get; private set; }

        public void Report(double value) => Last = value;
    }

    private static StepLimits Limits(TransformerProgram program) =>
        new(160, Sequences, Sequences, BlockSize, [.. program.KvGroups.Select(_ => Sequences * BlocksEach)], BlocksEach);

    /// <summary>Steps in turn: prompts of all sequences, one token each, a chunk beside single tokens, a few tokens of two sequences.</summary>
    private static void Fill(StepBatch batch, int[] lengths, int step, Random random, int vocabSize)
    {
        batch.Clear();
        for (var s = 0; s < Sequences; s++)
        {
            var count = (step % 4) switch { 0 => 5 + 4 * s, 1 => 1, 2 => s == 2 ? 60 : 1, _ => s is 1 or 4 ? 3 : 0 };
            count = Math.Min(count, BlocksEach * BlockSize - lengths[s]);
            if (count == 0) continue;
            int row = batch.TokenCount, at = batch.SequenceCount;
            lengths[s] += count;
            (batch.QueryStart[at], batch.QueryStart[at + 1], batch.ContextLen[at], batch.RopeVariant[at]) = (row, row + count, lengths[s], s % 2);
            for (var i = 0; i < count; i++)
            {
                (batch.Tokens[row + i], batch.Positions[row + i]) = (random.Next(vocabSize), lengths[s] - count + i);
                for (var g = 0; g < batch.KvGroups; g++) batch.SlotMapping(g)[row + i] = Block(s, batch.Positions[row + i] / BlockSize) * BlockSize + batch.Positions[row + i] % BlockSize;
            }
            for (var g = 0; g < batch.KvGroups; g++)
                for (var b = 0; b < BlocksEach; b++) batch.BlockTable(g, at)[b] = Block(s, b);
            (batch.LogitRows[at], batch.Wanted[at]) = (row + count - 1, (int)LogitsWanted.Full);
            (batch.TokenCount, batch.SequenceCount, batch.LogitRowCount) = (row + count, at + 1, at + 1);
        }
    }

    private static int Block(int sequence, int n) => n * Sequences + (sequence * 5 + n) % Sequences;

    private static float Largest(ReadOnlySpan<float> values)
    {
        var largest = values[0];
        foreach (var value in values) largest = Math.Max(largest, value);
        return largest;
    }

    private static double Error(ReadOnlySpan<float> ours, ReadOnlySpan<float> expected)
    {
        double mean = 0, squares = 0, variance = 0;
        foreach (var value in expected) mean += value / (double)expected.Length;
        for (var i = 0; i < expected.Length; i++)
        {
            squares += Math.Pow(ours[i] - expected[i], 2);
            variance += Math.Pow(expected[i] - mean, 2);
        }
        return Math.Sqrt(squares / variance);
    }
}

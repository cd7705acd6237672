using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Native;

/// <summary>
/// A token's logits are the same bits whatever else the step holds: alone, in prompts of any length, beside other sequences.
/// Preemption, chunked prefill and batching may therefore not change an answer.
/// </summary>
public sealed class NativeBatchTests
{
    private const int BlockSize = 32, Sequences = 17, BlocksEach = 5, Tokens = 140;

    private static readonly int[] Lengths = [2, 3, 4, 8, 16, 17, 33, 64, 129];

    public static TheoryData<WeightType> Types => [.. Enum.GetValues<WeightType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void The_bits_of_a_token_do_not_depend_on_the_prompt_it_comes_in(WeightType type)
    {
        foreach (var seed in (int[])[1, 2, 3, 4])
        {
            using var run = new Steps(new RandomProgram(seed, type), seed);
            var expected = run.OneByOne();
            Assert.DoesNotContain(expected[^1], value => !float.IsFinite(value));
            Assert.NotEqual(expected[^2], expected[^1]);
            for (var n = 0; n < Lengths.Length; n++)
            {
                for (var at = 0; at < Tokens; at += Lengths[n])
                {
                    var end = Math.Min(Tokens, at + Lengths[n]);
                    run.Begin();
                    run.Add(n + 1, at, end);
                    run.Go();
                    AssertSameBits(expected[end - 1], run.Logits(0));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void The_bits_of_a_token_do_not_depend_on_other_sequences(WeightType type)
    {
        foreach (var seed in (int[])[5, 6])
        {
            using var run = new Steps(new RandomProgram(seed, type), seed);
            var expected = run.OneByOne();
            // The same tokens in sixteen more sequences, each one further behind: every position beside every number of neighbours.
            for (var step = 0; step < Tokens; step++)
            {
                run.Begin();
                var neighbours = 1 + step % 16;
                for (var s = 1; s <= 16; s++)
                {
                    if (s > neighbours || run.Length(s) >= Tokens) continue;
                    run.Add(s, run.Length(s), Math.Min(Tokens, run.Length(s) + (s == 1 + step % 5 ? 6 : 1)));
                }
                if (run.Count == 0) continue;
                run.Go();
                for (var row = 0; row < run.Count; row++) AssertSameBits(expected[run.LastToken(row)], run.Logits(row));
            }
        }
    }

    private static void AssertSameBits(float[] expected, ReadOnlySpan<float> actual)
    {
        for (var i = 0; i < expected.Length; i++) Assert.Equal(BitConverter.SingleToUInt32Bits(expected[i]), BitConverter.SingleToUInt32Bits(actual[i]));
    }

    /// <summary>One executor, the tokens that all sequences have, and steps of parts of them.</summary>
    private sealed class Steps : IDisposable
    {
        private readonly NativeExecutor _native;
        private readonly StepBatch _batch;
        private readonly int[] _tokens = new int[Tokens], _lengths = new int[Sequences];

        public Steps(RandomProgram made, int seed)
        {
            var program = made.Program;
            var limits = new StepLimits(160, Sequences, Sequences, BlockSize, [.. program.KvGroups.Select(_ => Sequences * BlocksEach)], BlocksEach);
            _native = NativeExecutor.Create(program, limits, new NativeOptions { Threads = 1 + seed % 2, PinThreads = false });
            _batch = new StepBatch(limits, program.KvGroups.Count);
            var random = new Random(seed);
            for (var i = 0; i < Tokens; i++) _tokens[i] = random.Next(program.VocabSize);
        }

        public int Count => _batch.SequenceCount;

        public int Length(int sequence) => _lengths[sequence];

        public int LastToken(int row) => _batch.ContextLen[row] - 1;

        public ReadOnlySpan<float> Logits(int row) => _native.Logits(row);

        public float[][] OneByOne()
        {
            var logits = new float[Tokens][];
            for (var t = 0; t < Tokens; t++)
            {
                Begin();
                Add(0, t, t + 1);
                Go();
                logits[t] = Logits(0).ToArray();
            }
            return logits;
        }

        public void Begin() => _batch.Clear();

        public void Go() => _native.Run(_batch);

        public void Add(int sequence, int begin, int end)
        {
            int row = _batch.TokenCount, at = _batch.SequenceCount;
            _lengths[sequence] = end;
            (_batch.QueryStart[at], _batch.QueryStart[at + 1], _batch.ContextLen[at], _batch.RopeVariant[at]) = (row, row + end - begin, end, 0);
            for (var t = begin; t < end; t++, row++)
            {
                (_batch.Tokens[row], _batch.Positions[row]) = (_tokens[t], t);
                for (var g = 0; g < _batch.KvGroups; g++) _batch.SlotMapping(g)[row] = Block(sequence, t / BlockSize) * BlockSize + t % BlockSize;
            }
            for (var g = 0; g < _batch.KvGroups; g++)
                for (var b = 0; b < BlocksEach; b++) _batch.BlockTable(g, at)[b] = Block(sequence, b);
            (_batch.LogitRows[at], _batch.Wanted[at]) = (row - 1, (int)LogitsWanted.Full);
            (_batch.TokenCount, _batch.SequenceCount, _batch.LogitRowCount) = (row, at + 1, at + 1);
        }

        public void Dispose() => _native.Dispose();

        private static int Block(int sequence, int n) => n * Sequences + (sequence * 5 + n) % Sequences;
    }
}

using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>
/// Steps that a scheduler might make, at random: whole prompts, chunks of prompts and single tokens side by side, sequences that pause,
/// blocks in any order, entries that a window has left behind as −1.
/// </summary>
internal sealed class MixedSteps
{
    private const int Sequences = 5, BlockSize = 16, BlocksEach = 10;
    private readonly Random _random;
    private readonly TransformerProgram _program;
    private readonly int[] _lengths = new int[Sequences];
    private readonly int[][] _blocks;

    public MixedSteps(TransformerProgram program, int seed)
    {
        _random = new Random(seed);
        _program = program;
        Limits = new StepLimits(96, Sequences, Sequences, BlockSize, [.. program.KvGroups.Select(_ => Sequences * BlocksEach)], BlocksEach);
        Batch = new StepBatch(Limits, program.KvGroups.Count);
        _blocks = [.. program.KvGroups.Select(_ => Enumerable.Range(0, Sequences * BlocksEach).ToArray())];
        foreach (var blocks in _blocks) _random.Shuffle(blocks);
    }

    public StepLimits Limits { get; }
    public StepBatch Batch { get; }

    /// <summary>Fills the batch with the next step.</summary>
    public void Next()
    {
        Batch.Clear();
        for (var s = 0; s < Sequences; s++)
        {
            var count = _random.Next(4) switch { 0 => 0, 1 => 1, 2 => _random.Next(2, 6), _ => _random.Next(10, 40) };
            count = Math.Min(Math.Min(count, BlocksEach * BlockSize - _lengths[s]), Limits.MaxTokens - Batch.TokenCount);
            if (count > 0) Add(s, count);
        }
        if (Batch.TokenCount == 0) Add(0, 0);
    }

    /// <summary>Fills the batch with a step in which <paramref name="sequences"/> of the sequences have one token each.</summary>
    public void NextDecode(int sequences)
    {
        Batch.Clear();
        for (var s = 0; s < Sequences && Batch.SequenceCount < sequences; s++) if (_lengths[s] < BlocksEach * BlockSize) Add(s, 1);
    }

    private void Add(int s, int count)
    {
        int row = Batch.TokenCount, at = Batch.SequenceCount;
        if (count == 0) return;
        var before = _lengths[s];
        _lengths[s] += count;
        (Batch.QueryStart[at], Batch.QueryStart[at + 1], Batch.ContextLen[at], Batch.RopeVariant[at]) = (row, row + count, _lengths[s], s % 2);
        for (var g = 0; g < Batch.KvGroups; g++)
        {
            var window = _program.KvGroups[g].Window;
            var table = Batch.BlockTable(g, at);
            for (var b = 0; b < BlocksEach; b++)
            {
                var isLeft = window > 0 && (b + 1) * BlockSize <= before - window + 1;
                table[b] = isLeft || b * BlockSize >= _lengths[s] ? -1 : _blocks[g][s * BlocksEach + b];
            }
        }
        for (var i = 0; i < count; i++)
        {
            var position = before + i;
            (Batch.Tokens[row + i], Batch.Positions[row + i]) = (_random.Next(_program.VocabSize), position);
            for (var g = 0; g < Batch.KvGroups; g++) Batch.SlotMapping(g)[row + i] = Batch.BlockTable(g, at)[position / BlockSize] * BlockSize + position % BlockSize;
        }
        (Batch.LogitRows[at], Batch.Wanted[at]) = (row + count - 1, (int)LogitsWanted.Full);
        (Batch.TokenCount, Batch.SequenceCount, Batch.LogitRowCount) = (row + count, at + 1, at + 1);
    }
}

using AiFabrik.Compute.Programs;

namespace AiFabrik.Host.Commands;

/// <summary>Batches of made-up tokens: sequence s has blocks s·n to s·n + n − 1 of every KV group.</summary>
internal sealed class BenchBatch
{
    private readonly StepBatch _batch;
    private readonly TransformerProgram _program;
    private readonly int _blocksPerSequence;
    private uint _random = 2463534242;

    public BenchBatch(TransformerProgram program, StepLimits limits, int blocksPerSequence)
    {
        _program = program;
        _blocksPerSequence = blocksPerSequence;
        _batch = new StepBatch(limits, program.KvGroups.Count);
    }

    /// <summary>One step with a whole prompt.</summary>
    public void Prefill(IExecutor executor, int sequence, int tokens)
    {
        Begin(tokens, 1);
        Sequence(0, sequence, 0, tokens);
        Want(0, tokens - 1);
        executor.Run(_batch);
    }

    /// <summary>One step with a token of each sequence.</summary>
    public void Decode(IExecutor executor, int sequences, int position)
    {
        Begin(sequences, sequences);
        for (var s = 0; s < sequences; s++)
        {
            Sequence(s, s, position, 1);
            Want(s, s);
        }
        executor.Run(_batch);
    }

    private void Begin(int tokens, int sequences)
    {
        _batch.TokenCount = tokens;
        _batch.SequenceCount = sequences;
        _batch.LogitRowCount = 0;
        _batch.QueryStart[0] = 0;
    }

    private void Sequence(int index, int sequence, int position, int count)
    {
        var row = _batch.QueryStart[index];
        var size = _batch.Limits.BlockSize;
        _batch.QueryStart[index + 1] = row + count;
        _batch.ContextLen[index] = position + count;
        for (var i = 0; i < count; i++)
        {
            _batch.Tokens[row + i] = (int)(Random() % (uint)_program.VocabSize);
            _batch.Positions[row + i] = position + i;
        }
        for (var group = 0; group < _program.KvGroups.Count; group++)
        {
            var table = _batch.BlockTable(group, index);
            table.Fill(-1);
            for (var b = 0; b <= (position + count - 1) / size; b++) table[b] = sequence * _blocksPerSequence + b;
            for (var i = 0; i < count; i++) _batch.SlotMapping(group)[row + i] = table[(position + i) / size] * size + (position + i) % size;
        }
    }

    private void Want(int index, int row)
    {
        _batch.LogitRows[index] = row;
        _batch.Wanted[index] = (int)LogitsWanted.Argmax;
        _batch.LogitRowCount = index + 1;
    }

    private uint Random()
    {
        _random ^= _random << 13;
        _random ^= _random >> 17;
        return _random ^= _random << 5;
    }
}

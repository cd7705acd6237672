using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>A batch that would read or write outside the buffers is the caller's bug: refused, without quoting what is in it.</summary>
internal static class BatchCheck
{
    public static void Run(StepBatch batch, TransformerProgram program, StepLimits limits)
    {
        var tokens = batch.TokenCount;
        if (tokens < 0 || tokens > limits.MaxTokens || (uint)batch.SequenceCount > limits.MaxSequences || (uint)batch.LogitRowCount > limits.MaxLogitRows)
            throw new ArgumentException("The batch exceeds the executor's limits.", nameof(batch));
        if (batch.QueryStart[0] != 0 || batch.QueryStart[batch.SequenceCount] != tokens)
            throw new ArgumentException("The batch's sequences don't cover its tokens.", nameof(batch));
        foreach (var token in batch.Tokens[..tokens])
            if ((uint)token >= (uint)program.VocabSize) throw new ArgumentException("A token of the batch is outside the vocabulary.", nameof(batch));
        foreach (var row in batch.LogitRows[..batch.LogitRowCount])
            if ((uint)row >= (uint)tokens) throw new ArgumentException("A logit row of the batch is not one of its tokens.", nameof(batch));
        for (var row = 0; row < batch.LogitRowCount; row++)
            if (batch.Wanted[row] == (int)LogitsWanted.Top && batch.TopWanted[row] is < 1 or > TopLogits.CountMax) throw new ArgumentException("A logit row of the batch wants more of the best than an executor gives.", nameof(batch));
        for (var group = 0; group < program.KvGroups.Count; group++)
        {
            foreach (var slot in batch.SlotMapping(group)[..tokens])
                if ((uint)slot >= (uint)(limits.BlocksPerGroup[group] * limits.BlockSize)) throw new ArgumentException("A slot of the batch is outside the cache.", nameof(batch));
        }
        for (var s = 0; s < batch.SequenceCount; s++) Sequence(batch, s, program, limits);
    }

    private static void Sequence(StepBatch batch, int s, TransformerProgram program, StepLimits limits)
    {
        int first = batch.QueryStart[s], end = batch.QueryStart[s + 1], length = batch.ContextLen[s];
        if (first < 0 || end < first || end > batch.TokenCount || length > limits.MaxBlocksPerSequence * limits.BlockSize || length < end - first)
            throw new ArgumentException("A sequence of the batch is outside the context.", nameof(batch));
        for (var t = first; t < end; t++)
            if (batch.Positions[t] != length - (end - t)) throw new ArgumentException("Positions of the batch are not consecutive.", nameof(batch));
        for (var table = 0; table < program.RopeTables.Count; table++)
            if ((uint)batch.RopeVariant[s] >= (uint)program.RopeTables[table].InverseFrequencies.Length) throw new ArgumentException("A rope variant of the batch doesn't exist.", nameof(batch));
        if (end == first) return;
        for (var group = 0; group < program.KvGroups.Count; group++)
        {
            var window = program.KvGroups[group].Window;
            var seen = window > 0 ? Math.Max(batch.Positions[first] - window + 1, 0) : 0;
            foreach (var block in batch.BlockTable(group, s)[(seen / limits.BlockSize)..((length + limits.BlockSize - 1) / limits.BlockSize)])
                if ((uint)block >= (uint)limits.BlocksPerGroup[group]) throw new ArgumentException("A block table of the batch is outside the cache.", nameof(batch));
        }
    }
}

namespace AiFabrik.Compute.Programs;

/// <summary>The sizes that everything of a step is allocated for at start.</summary>
/// <param name="MaxTokens">Tokens in one step (prefill chunks and decode tokens together).</param>
/// <param name="MaxSequences">Sequences in one step.</param>
/// <param name="MaxLogitRows">Rows whose logits may be wanted in one step.</param>
/// <param name="BlockSize">Slots per KV block; a multiple of 16.</param>
/// <param name="BlocksPerGroup">KV blocks that exist, for each KV group.</param>
/// <param name="MaxBlocksPerSequence">Entries of a sequence's block table: ceil(context / BlockSize).</param>
public sealed record StepLimits(int MaxTokens, int MaxSequences, int MaxLogitRows, int BlockSize, int[] BlocksPerGroup, int MaxBlocksPerSequence);

/// <summary>What the caller needs of a logit row.</summary>
public enum LogitsWanted
{
    /// <summary>The best token only (ties to the lowest id).</summary>
    Argmax = 0,

    /// <summary>All logits.</summary>
    Full = 1,

    /// <summary>The best few (<see cref="StepBatch.TopWanted"/>) with their logits, and the sum that their probabilities need.</summary>
    Top = 2,
}

/// <summary>
/// What one step computes: prefill chunks and decode tokens of several sequences side by side. Filled by the scheduler, read by an executor.
/// The tokens of sequence s are rows [QueryStart[s], QueryStart[s+1]) with consecutive positions, the last of which is ContextLen[s] − 1.
/// Arrays are allocated once at the limits, pinned, in content memory, and cleared by <see cref="Clear"/>.
/// </summary>
public sealed class StepBatch
{
    private readonly int[] _memory;
    private readonly int _tokens, _positions, _slots, _queryStart, _contextLen, _ropeVariant, _blockTables, _logitRows, _logitsWanted, _topWanted;

    public StepBatch(StepLimits limits, int kvGroups)
    {
        Limits = limits;
        KvGroups = kvGroups;
        var next = 0;
        int Take(int count) { var at = next; next += count; return at; }
        _tokens = Take(limits.MaxTokens);
        _positions = Take(limits.MaxTokens);
        _slots = Take(limits.MaxTokens * kvGroups);
        _queryStart = Take(limits.MaxSequences + 1);
        _contextLen = Take(limits.MaxSequences);
        _ropeVariant = Take(limits.MaxSequences);
        _blockTables = Take(limits.MaxSequences * limits.MaxBlocksPerSequence * kvGroups);
        _logitRows = Take(limits.MaxLogitRows);
        _logitsWanted = Take(limits.MaxLogitRows);
        _topWanted = Take(limits.MaxLogitRows);
        _memory = GC.AllocateArray<int>(next, pinned: true);
    }

    public StepLimits Limits { get; }
    public int KvGroups { get; }
    public int TokenCount { get; set; }
    public int SequenceCount { get; set; }
    public int LogitRowCount { get; set; }

    /// <summary>[MaxTokens] token ids.</summary>
    public Span<int> Tokens => _memory.AsSpan(_tokens, Limits.MaxTokens);

    /// <summary>[MaxTokens] positions in their sequence, from 0.</summary>
    public Span<int> Positions => _memory.AsSpan(_positions, Limits.MaxTokens);

    /// <summary>[MaxTokens] slot (block · BlockSize + offset) of each token in a KV group.</summary>
    public Span<int> SlotMapping(int group) => _memory.AsSpan(_slots + group * Limits.MaxTokens, Limits.MaxTokens);

    /// <summary>[MaxSequences + 1] first row of each sequence.</summary>
    public Span<int> QueryStart => _memory.AsSpan(_queryStart, Limits.MaxSequences + 1);

    /// <summary>[MaxSequences] tokens of the sequence in the cache after this step.</summary>
    public Span<int> ContextLen => _memory.AsSpan(_contextLen, Limits.MaxSequences);

    /// <summary>[MaxSequences] which variant of the rope tables serves the sequence.</summary>
    public Span<int> RopeVariant => _memory.AsSpan(_ropeVariant, Limits.MaxSequences);

    /// <summary>[MaxBlocksPerSequence] blocks of a sequence in a KV group; entry i holds positions [i·BlockSize, (i+1)·BlockSize). Entries that a window has left behind are −1 and never read.</summary>
    public Span<int> BlockTable(int group, int sequence) =>
        _memory.AsSpan(_blockTables + (group * Limits.MaxSequences + sequence) * Limits.MaxBlocksPerSequence, Limits.MaxBlocksPerSequence);

    /// <summary>All block tables [KvGroups][MaxSequences][MaxBlocksPerSequence].</summary>
    public Span<int> BlockTables => _memory.AsSpan(_blockTables, Limits.MaxSequences * Limits.MaxBlocksPerSequence * KvGroups);

    /// <summary>[MaxLogitRows] token rows whose logits are wanted, ascending.</summary>
    public Span<int> LogitRows => _memory.AsSpan(_logitRows, Limits.MaxLogitRows);

    /// <summary>[MaxLogitRows] what is wanted of each (<see cref="LogitsWanted"/>).</summary>
    public Span<int> Wanted => _memory.AsSpan(_logitsWanted, Limits.MaxLogitRows);

    /// <summary>[MaxLogitRows] how many of the best tokens are wanted where <see cref="LogitsWanted.Top"/> is: 1 to <see cref="TopLogits.CountMax"/>.</summary>
    public Span<int> TopWanted => _memory.AsSpan(_topWanted, Limits.MaxLogitRows);

    /// <summary>Zeroes everything: token ids are content.</summary>
    public void Clear()
    {
        Array.Clear(_memory);
        TokenCount = SequenceCount = LogitRowCount = 0;
    }
}

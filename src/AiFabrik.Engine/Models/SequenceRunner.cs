using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>Receives the logits [vocabulary] of one position of a sequence. They are valid during the call and may be changed.</summary>
public delegate void LogitsReceiver(int position, Span<float> logits);

/// <summary>
/// Feeds one sequence through an executor, chunk by chunk, without a scheduler: for log-probabilities, perplexity and tests.
/// It uses every KV block of the executor itself. Not for serving: one sequence at a time.
/// </summary>
/// <remarks>
/// A sequence that grows past a rotation table's original context is computed again with the other variant from its first token on,
/// so token ids are kept until <see cref="Reset"/>.
/// </remarks>
public sealed class SequenceRunner : IDisposable
{
    /// <summary>Slots per KV block of <see cref="LimitsFor"/>.</summary>
    public const int DefaultBlockSize = 16;

    /// <summary>Tokens per step of <see cref="LimitsFor"/>.</summary>
    public const int DefaultMaxTokens = 256;

    /// <summary>Logit rows per step of <see cref="LimitsFor"/>.</summary>
    public const int DefaultMaxLogitRows = 64;

    private readonly IExecutor _executor;
    private readonly TransformerProgram _program;
    private readonly StepBatch _batch;
    private readonly int[] _tokens;
    private int _variant;

    public SequenceRunner(IExecutor executor, TransformerProgram program)
    {
        _executor = executor;
        _program = program;
        _batch = new StepBatch(executor.Limits, program.KvGroups.Count);
        Capacity = executor.Limits.MaxBlocksPerSequence * executor.Limits.BlockSize;
        for (var group = 0; group < program.KvGroups.Count; group++)
            if (program.KvGroups[group].Window == 0) Capacity = Math.Min(Capacity, executor.Limits.BlocksPerGroup[group] * executor.Limits.BlockSize);
        _tokens = GC.AllocateArray<int>(Capacity, pinned: true);
    }

    /// <summary>Tokens that a sequence may have.</summary>
    public int Capacity { get; }

    /// <summary>Tokens fed since the last <see cref="Reset"/>.</summary>
    public int Length { get; private set; }

    /// <summary>Limits for one sequence of up to <paramref name="contextLen"/> tokens; windowed groups get the blocks that a window and a chunk need.</summary>
    public static StepLimits LimitsFor(TransformerProgram program, int contextLen,
        int maxTokens = DefaultMaxTokens, int maxLogitRows = DefaultMaxLogitRows, int blockSize = DefaultBlockSize)
    {
        maxTokens = Math.Min(maxTokens, contextLen);
        var all = (contextLen + blockSize - 1) / blockSize;
        var blocks = new int[program.KvGroups.Count];
        for (var group = 0; group < blocks.Length; group++)
        {
            var window = program.KvGroups[group].Window;
            // One block more than window and chunk fill, since neither has to begin at a block's first slot.
            blocks[group] = window == 0 ? all : Math.Min(all, (window + maxTokens + blockSize - 1) / blockSize + 1);
        }
        return new StepLimits(maxTokens, 1, Math.Min(maxLogitRows, contextLen), blockSize, blocks, all);
    }

    /// <summary>Appends tokens and hands over the logits after each of those that <paramref name="rows"/> lists.</summary>
    /// <param name="rows">Indices into <paramref name="tokens"/>, ascending.</param>
    /// <exception cref="ArgumentException">The sequence would exceed <see cref="Capacity"/>.</exception>
    public void Append(ReadOnlySpan<int> tokens, ReadOnlySpan<int> rows, LogitsReceiver receiver)
    {
        var (from, total) = Take(tokens);
        var next = 0;
        for (var position = from; position < total;)
        {
            var count = Math.Min(Math.Min(_executor.Limits.MaxTokens, total - position), Room(position));
            var wanted = 0;
            for (; next + wanted < rows.Length && Length + rows[next + wanted] < position + count; wanted++)
            {
                if (wanted < _executor.Limits.MaxLogitRows) continue;
                count = Length + rows[next + wanted] - position;
                break;
            }
            Step(position, count);
            for (var i = 0; i < wanted; i++) Want(i, Length + rows[next + i] - position, LogitsWanted.Full);
            _executor.Run(_batch);
            for (var i = 0; i < wanted; i++) receiver(Length + rows[next + i], _executor.Logits(i));
            next += wanted;
            position += count;
        }
        Length = total;
    }

    /// <summary>Appends tokens (at least one) and returns the best token after the last of them; ties go to the lowest id.</summary>
    /// <exception cref="ArgumentException">The sequence would exceed <see cref="Capacity"/>.</exception>
    public int AppendAndPredict(ReadOnlySpan<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length, nameof(tokens));
        var (from, total) = Take(tokens);
        for (int position = from, count; position < total; position += count)
        {
            count = Math.Min(Math.Min(_executor.Limits.MaxTokens, total - position), Room(position));
            Step(position, count);
            if (position + count == total) Want(0, count - 1, LogitsWanted.Argmax);
            _executor.Run(_batch);
        }
        Length = total;
        return _executor.Argmax(0);
    }

    /// <summary>Forgets the sequence: zeroes its tokens, its KV blocks and the executor's activations.</summary>
    public void Reset()
    {
        Span<int> block = stackalloc int[1];
        for (var group = 0; group < _program.KvGroups.Count; group++)
        {
            var used = Math.Min(_executor.Limits.BlocksPerGroup[group], (Length + _executor.Limits.BlockSize - 1) / _executor.Limits.BlockSize);
            for (block[0] = 0; block[0] < used; block[0]++) _executor.ClearBlocks(group, block);
        }
        _executor.ClearActivations();
        _batch.Clear();
        Array.Clear(_tokens);
        Length = 0;
        _variant = 0;
    }

    /// <summary>Forgets the sequence; the executor stays its owner's.</summary>
    public void Dispose() => Reset();

    /// <summary>Keeps the tokens and says which positions to compute: the new ones, or all if the rotation changes.</summary>
    private (int From, int Total) Take(ReadOnlySpan<int> tokens)
    {
        var total = Length + tokens.Length;
        if (total > Capacity) throw new ArgumentException($"The sequence would be {total} tokens long, but {Capacity} fit.", nameof(tokens));
        tokens.CopyTo(_tokens.AsSpan(Length));
        var variant = VariantOf(total);
        var from = variant == _variant ? Length : 0;
        _variant = variant;
        return (from, total);
    }

    private int VariantOf(int length)
    {
        foreach (var table in _program.RopeTables)
            if (table.OriginalContextLen > 0 && length > table.OriginalContextLen) return 1;
        return 0;
    }

    /// <summary>Tokens from a position on whose slots, and those their windows reach, fit into every group's blocks.</summary>
    private int Room(int position)
    {
        var room = int.MaxValue;
        for (var group = 0; group < _program.KvGroups.Count; group++)
            room = Math.Min(room, (FirstBlock(group, position) + _executor.Limits.BlocksPerGroup[group]) * _executor.Limits.BlockSize - position);
        return room > 0 ? room : throw new InvalidOperationException("A windowed KV group has too few blocks for its window.");
    }

    /// <summary>The first block that a token at a position still sees.</summary>
    private int FirstBlock(int group, int position)
    {
        var window = _program.KvGroups[group].Window;
        return window == 0 ? 0 : Math.Max(0, position - window + 1) / _executor.Limits.BlockSize;
    }

    /// <summary>Fills the batch with tokens [position, position + count). Block i of the sequence is block i mod n of a group of n.</summary>
    private void Step(int position, int count)
    {
        _batch.TokenCount = count;
        _batch.SequenceCount = 1;
        _batch.LogitRowCount = 0;
        _batch.QueryStart[0] = 0;
        _batch.QueryStart[1] = count;
        _batch.ContextLen[0] = position + count;
        _batch.RopeVariant[0] = _variant;
        _tokens.AsSpan(position, count).CopyTo(_batch.Tokens);
        for (var i = 0; i < count; i++) _batch.Positions[i] = position + i;
        var blockSize = _executor.Limits.BlockSize;
        for (var group = 0; group < _program.KvGroups.Count; group++)
        {
            var blocks = _executor.Limits.BlocksPerGroup[group];
            var table = _batch.BlockTable(group, 0);
            table.Fill(-1);
            for (var i = FirstBlock(group, position); i <= (position + count - 1) / blockSize; i++) table[i] = i % blocks;
            var slots = _batch.SlotMapping(group);
            for (var i = 0; i < count; i++) slots[i] = table[(position + i) / blockSize] * blockSize + (position + i) % blockSize;
        }
    }

    private void Want(int index, int row, LogitsWanted wanted)
    {
        _batch.LogitRows[index] = row;
        _batch.Wanted[index] = (int)wanted;
        _batch.LogitRowCount = index + 1;
    }
}

using AiFabrik.Compute.Memory;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Scheduling;

/// <summary>What the memory of a sequence is cut for.</summary>
internal sealed record SequenceLimits(int ContextLen, int KvGroups, int MaxBlocks, int RingEvents, int MaxTop, int MaxStopStrings, int MaxStopBytes, int DecoderBytes)
{
    /// <summary>Text of one event at most: what was held back, a token, and what the decoder still held.</summary>
    public int EventTextBytes => MaxStopBytes + 2 * DecoderBytes;
}

/// <summary>
/// One choice of a request: its tokens, its place in the KV cache and its way to the reader. Pooled; belongs to the engine's thread,
/// except for the reader's end of <see cref="Events"/>.
/// </summary>
internal sealed class Sequence : IDisposable
{
    private readonly ContentArena _arena;
    private readonly int _tokens, _held, _matched;
    private readonly SequenceLimits _limits;
    private bool _isPaused;

    public Sequence(SequenceLimits limits, ITokenDecoder decoder)
    {
        _limits = limits;
        Decoder = decoder;
        var textBytes = 2 * limits.EventTextBytes;
        _arena = new ContentArena(checked(limits.ContextLen * sizeof(int) + limits.MaxStopBytes + limits.MaxStopStrings * sizeof(int)
            + EventRing.Bytes(limits.RingEvents, limits.MaxTop, textBytes) + 4 * ContentArena.DefaultAlignment));
        if (!_arena.TryAllocate(limits.ContextLen * sizeof(int), out _tokens) || !_arena.TryAllocate(limits.MaxStopBytes, out _held) ||
            !_arena.TryAllocate(limits.MaxStopStrings * sizeof(int), out _matched))
            throw new InvalidOperationException("The arena is too small for a sequence.");
        Events = new EventRing(_arena, limits.RingEvents, limits.MaxTop, textBytes);
        Tables = new int[limits.KvGroups][];
        FirstBlock = new int[limits.KvGroups];
        for (var g = 0; g < limits.KvGroups; g++)
        {
            Tables[g] = new int[limits.MaxBlocks];
            Array.Fill(Tables[g], -1);
        }
    }

    public ITokenDecoder Decoder { get; }
    public EventRing Events { get; }

    public Generation Generation { get; set; } = null!;
    public int Choice { get; set; }

    /// <summary>Order of arrival; kept through preemptions.</summary>
    public long Ticket { get; set; }

    public int PromptLength { get; set; }

    /// <summary>Tokens known: prompt and output.</summary>
    public int Length { get; set; }

    /// <summary>Tokens whose keys and values are in the cache.</summary>
    public int Computed { get; set; }

    /// <summary>Tokens that the current step computes.</summary>
    public int Scheduled { get; set; }

    /// <summary>Row of the current step's logits; −1: none wanted.</summary>
    public int LogitRow { get; set; }

    /// <summary>What its next token needs of its logits, and how many of the best where that is a few.</summary>
    public LogitsWanted Wanted { get; set; }
    public int TopWanted { get; set; }
    public int RopeVariant { get; set; }
    public bool IsFinished { get; set; }

    /// <summary>Steps for which its reader has kept it waiting.</summary>
    public int PausedSteps { get; set; }

    /// <summary>Its reader is to wake the engine when there is room again.</summary>
    public bool IsPaused
    {
        get => Volatile.Read(ref _isPaused);
        set => Volatile.Write(ref _isPaused, value);
    }

    public int Remaining => Length - Computed;
    public int CompletionTokens => Length - PromptLength;

    /// <summary>[ContextLen] token ids.</summary>
    public Span<int> Tokens => _arena.Values<int>(_tokens, _limits.ContextLen);

    /// <summary>Prompt and output.</summary>
    public Span<int> History => _arena.Values<int>(_tokens, Length);

    /// <summary>For each KV group [MaxBlocks] blocks; −1 where there is none (yet, or any more).</summary>
    public int[][] Tables { get; }

    /// <summary>For each KV group the first entry that its window has not left behind.</summary>
    public int[] FirstBlock { get; }

    /// <summary>Entries of the tables up to which blocks were taken.</summary>
    public int BlockCount { get; set; }

    /// <summary>Text that may be the beginning of a stop string.</summary>
    public Span<byte> Held => _arena.Bytes(_held, _limits.MaxStopBytes);
    public int HeldBytes { get; set; }

    /// <summary>For each stop string how many of its bytes the text ends with.</summary>
    public Span<int> StopMatched(int count) => _arena.Values<int>(_matched, count);

    /// <summary>Its reader has left room for one more event.</summary>
    public bool CanEmit => Events.HasRoom(HeldBytes + 2 * _limits.DecoderBytes);

    /// <summary>Zeroes everything.</summary>
    public void Reset()
    {
        _arena.Bytes(0, _arena.CapacityBytes).Clear();
        Events.Reset();
        Decoder.Reset();
        Generation = null!;
        Choice = PromptLength = Length = Computed = Scheduled = RopeVariant = PausedSteps = BlockCount = HeldBytes = 0;
        Ticket = 0;
        LogitRow = -1;
        (Wanted, TopWanted) = (LogitsWanted.Argmax, 0);
        IsFinished = IsPaused = false;
    }

    /// <summary>Copies this sequence's part of a step into the batch.</summary>
    public void Fill(StepBatch batch, int blockSize)
    {
        var sequence = batch.SequenceCount++;
        var row = batch.TokenCount;
        History.Slice(Computed, Scheduled).CopyTo(batch.Tokens[row..]);
        var positions = batch.Positions;
        for (var i = 0; i < Scheduled; i++) positions[row + i] = Computed + i;
        for (var g = 0; g < Tables.Length; g++)
        {
            var table = Tables[g];
            var slots = batch.SlotMapping(g);
            for (var i = 0; i < Scheduled; i++)
            {
                var position = Computed + i;
                slots[row + i] = table[position / blockSize] * blockSize + position % blockSize;
            }
            table.AsSpan(0, BlockCount).CopyTo(batch.BlockTable(g, sequence));
        }
        batch.TokenCount = row + Scheduled;
        batch.QueryStart[sequence] = row;
        batch.QueryStart[sequence + 1] = row + Scheduled;
        batch.ContextLen[sequence] = Computed + Scheduled;
        batch.RopeVariant[sequence] = RopeVariant;
        LogitRow = -1;
        if (Computed + Scheduled < Length) return;
        LogitRow = batch.LogitRowCount++;
        batch.LogitRows[LogitRow] = batch.TokenCount - 1;
        (batch.Wanted[LogitRow], batch.TopWanted[LogitRow]) = ((int)Wanted, TopWanted);
    }

    public void Dispose() => _arena.Dispose();
}

using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// Decides what each step computes. Sequences keep the order of their arrival: decoding ones come first and get a token each, the rest of the
/// step's budget goes to prefill. A sequence that finds no block displaces the one that arrived last, which starts over when there is room again.
/// </summary>
internal sealed class Scheduler
{
    /// <summary>Row of a sequence that is in the step, but not yet in the batch.</summary>
    private const int NotFilled = int.MinValue;

    private readonly EngineOptions _options;
    private readonly StepLimits _limits;
    private readonly int[] _windows;
    private readonly int[] _reserved;
    private readonly int _contextLen, _ropeSwitchLen;

    public Scheduler(TransformerProgram program, StepLimits limits, EngineOptions options, BlockManager blocks, int contextLen)
    {
        (_options, _limits, _contextLen, Blocks) = (options, limits, contextLen, blocks);
        _windows = new int[program.KvGroups.Count];
        _reserved = new int[_windows.Length];
        for (var g = 0; g < _windows.Length; g++) _windows[g] = program.KvGroups[g].Window;
        foreach (var table in program.RopeTables)
            if (table.OriginalContextLen > 0 && table.InverseFrequencies.Length > 1) _ropeSwitchLen = table.OriginalContextLen;

        MaxRunning = Math.Min(options.MaxSequences, Math.Min(limits.MaxSequences, limits.MaxLogitRows));
        Running = new SequenceList(MaxRunning);
        Waiting = new SequenceList(options.MaxUnfinishedSequences);
        Step = new SequenceList(MaxRunning);
    }

    public BlockManager Blocks { get; }
    public int MaxRunning { get; }

    /// <summary>Sequences with blocks.</summary>
    public SequenceList Running { get; }

    /// <summary>Sequences without: new, or preempted.</summary>
    public SequenceList Waiting { get; }

    /// <summary>Sequences of the current step.</summary>
    public SequenceList Step { get; }

    public int Paused { get; private set; }
    public long Preemptions { get; private set; }

    /// <summary>Fills the next step. False: there is nothing to compute until somebody submits, reads or cancels.</summary>
    public bool Schedule(StepBatch batch)
    {
        batch.TokenCount = batch.SequenceCount = batch.LogitRowCount = 0;
        Step.Clear();
        foreach (var running in Running.AsSpan()) running.Scheduled = 0;
        Prepare();
        var tokens = ScheduleDecode();
        var budget = _limits.MaxTokens - tokens;
        if (tokens > 0) budget = Math.Min(budget, _options.MaxPrefillTokensWhileDecoding);
        budget = SchedulePrefill(budget);
        Admit(ref budget);
        while (Step.Count == 0 && MakeRoom())
        {
            budget = SchedulePrefill(_limits.MaxTokens);
            Admit(ref budget);
        }
        // Decode rows first, then prefill: executors treat short sequences alike.
        foreach (var sequence in Step.AsSpan())
            if (sequence.Remaining == 1) sequence.Fill(batch, _limits.BlockSize);
        foreach (var sequence in Step.AsSpan())
            if (sequence.LogitRow == NotFilled) sequence.Fill(batch, _limits.BlockSize);
        return Step.Count > 0;
    }

    /// <summary>Frees what windows have left behind, restarts what outgrew its rope variant, and finds out whose reader is behind.</summary>
    private void Prepare()
    {
        Paused = 0;
        for (var i = Running.Count - 1; i >= 0; i--)
        {
            var sequence = Running[i];
            if (VariantOf(sequence) != sequence.RopeVariant)
            {
                Evict(sequence);
                continue;
            }
            FreeBehindWindows(sequence);
            if (!MayEmit(sequence)) Paused++;
        }
    }

    private int ScheduleDecode()
    {
        var tokens = 0;
        for (var i = 0; i < Running.Count; i++)
        {
            var sequence = Running[i];
            if (sequence.Remaining != 1 || sequence.IsPaused || tokens == _limits.MaxTokens) continue;
            while (!TryExtend(sequence, sequence.Length))
            {
                var victim = Victim();
                if (victim is null) break;
                var isEarlier = victim.Ticket < sequence.Ticket;
                Preempt(victim);
                if (isEarlier) i--;
                if (victim == sequence) { i--; break; }
            }
            if (sequence.BlockCount * _limits.BlockSize < sequence.Length) continue;
            Take(sequence, 1);
            tokens++;
        }
        return tokens;
    }

    private int SchedulePrefill(int budget)
    {
        for (var i = 0; i < Running.Count && budget > 0; i++)
        {
            var sequence = Running[i];
            if (sequence.Scheduled == 0 && sequence.Remaining > 1) budget -= TakeChunk(sequence, budget);
        }
        return budget;
    }

    /// <summary>Gives a sequence as many tokens of the budget as there are blocks for; returns how many.</summary>
    private int TakeChunk(Sequence sequence, int budget)
    {
        var tokens = Math.Min(sequence.Remaining, budget);
        if (tokens == sequence.Remaining && sequence.IsPaused) return 0;
        var room = sequence.BlockCount * _limits.BlockSize - sequence.Computed;
        var free = int.MaxValue;
        for (var g = 0; g < _windows.Length; g++) free = Math.Min(free, Blocks.Free(g));
        tokens = (int)Math.Min(tokens, room + (long)free * _limits.BlockSize);
        if (tokens <= 0 || !TryExtend(sequence, sequence.Computed + tokens)) return 0;
        Take(sequence, tokens);
        return tokens;
    }

    private void Take(Sequence sequence, int tokens)
    {
        sequence.Scheduled = tokens;
        sequence.LogitRow = NotFilled;
        Step.Insert(sequence);
    }

    /// <summary>Lets waiting sequences run, in order, as long as there is room for all that they bring and all that others have yet to prefill.</summary>
    private void Admit(ref int budget)
    {
        for (var i = 0; i < Waiting.Count && budget > 0; i++)
        {
            var sequence = Waiting[i];
            if (!MayEmit(sequence)) continue;
            if (Running.Count == MaxRunning || !HasBlocksFor(sequence))
            {
                if (!YieldPaused(_options.StepsBeforePausedYields)) return;
                i = -1; // the one that yielded now waits too, perhaps before this one
                continue;
            }
            Waiting.Remove(sequence);
            i--;
            Running.Insert(sequence);
            sequence.RopeVariant = VariantOf(sequence);
            SharePrompt(sequence);
            budget -= TakeChunk(sequence, budget);
        }
    }

    /// <summary>
    /// Nothing can run: a paused sequence yields to those that wait; else prefills have taken each other's blocks, and the last of them starts over.
    /// </summary>
    private bool MakeRoom()
    {
        var isWanted = false;
        foreach (var waiting in Waiting.AsSpan()) isWanted |= MayEmit(waiting);
        foreach (var running in Running.AsSpan()) isWanted |= !running.IsPaused;
        if (!isWanted) return false;
        if (YieldPaused(0)) return true;
        if (Running.Count < 2) return false;
        Preempt(Running[Running.Count - 1]);
        return true;
    }

    private bool YieldPaused(int steps)
    {
        for (var i = Running.Count - 1; i >= 0; i--)
        {
            if (!Running[i].IsPaused || Running[i].PausedSteps < steps || Running[i].Scheduled > 0) continue;
            Preempt(Running[i]);
            return true;
        }
        return false;
    }

    /// <summary>Who gives up its blocks: a paused sequence, else the one that arrived last, of those that are not in this step already.</summary>
    private Sequence? Victim()
    {
        Sequence? victim = null;
        foreach (var sequence in Running.AsSpan())
            if (sequence.Scheduled == 0 && (victim is null || sequence.IsPaused || !victim.IsPaused)) victim = sequence;
        return victim;
    }

    private void Preempt(Sequence sequence)
    {
        Preemptions++;
        Evict(sequence);
    }

    /// <summary>Back to waiting, at its place by arrival; its tokens are kept and will be computed again.</summary>
    private void Evict(Sequence sequence)
    {
        ReleaseBlocks(sequence);
        Running.Remove(sequence);
        Waiting.Insert(sequence);
    }

    /// <summary>Takes a sequence out for good.</summary>
    public void Remove(Sequence sequence)
    {
        ReleaseBlocks(sequence);
        Running.Remove(sequence);
        Waiting.Remove(sequence);
    }

    private void ReleaseBlocks(Sequence sequence)
    {
        for (var g = 0; g < _windows.Length; g++)
        {
            Blocks.Release(g, sequence.Tables[g].AsSpan(0, sequence.BlockCount));
            sequence.FirstBlock[g] = 0;
        }
        sequence.BlockCount = sequence.Computed = sequence.PausedSteps = 0;
    }

    private static bool MayEmit(Sequence sequence)
    {
        if (sequence.CanEmit)
        {
            sequence.IsPaused = false;
            sequence.PausedSteps = 0;
            return true;
        }
        sequence.IsPaused = true;
        sequence.PausedSteps++;
        Interlocked.MemoryBarrier(); // the reader frees, then looks at IsPaused; we set it, then look again
        if (!sequence.CanEmit) return false;
        sequence.IsPaused = false;
        return true;
    }

    private int VariantOf(Sequence sequence) => _ropeSwitchLen > 0 && sequence.Length > _ropeSwitchLen ? 1 : 0;

    private void FreeBehindWindows(Sequence sequence)
    {
        for (var g = 0; g < _windows.Length; g++)
        {
            if (_windows[g] == 0) continue;
            var first = FirstVisibleBlock(g, sequence.Computed);
            if (first <= sequence.FirstBlock[g]) continue;
            Blocks.Release(g, sequence.Tables[g].AsSpan(sequence.FirstBlock[g], first - sequence.FirstBlock[g]));
            sequence.FirstBlock[g] = first;
        }
    }

    /// <summary>The first block that a token at <paramref name="position"/> sees.</summary>
    private int FirstVisibleBlock(int group, int position) =>
        _windows[group] == 0 ? 0 : Math.Max(0, position - _windows[group] + 1) / _limits.BlockSize;

    /// <summary>Takes blocks in all groups up to <paramref name="tokens"/>, or in none.</summary>
    private bool TryExtend(Sequence sequence, int tokens)
    {
        var count = KvBudget.BlocksFor(tokens, _limits.BlockSize);
        var missing = count - sequence.BlockCount;
        if (missing <= 0) return true;
        for (var g = 0; g < _windows.Length; g++)
            if (Blocks.Free(g) < missing) return false;
        for (var g = 0; g < _windows.Length; g++)
            for (var i = sequence.BlockCount; i < count; i++) sequence.Tables[g][i] = Blocks.Take(g);
        sequence.BlockCount = count;
        return true;
    }

    /// <summary>Blocks for the whole sequence are free beyond what running prefills will take, and one for each running sequence to go on with.</summary>
    private bool HasBlocksFor(Sequence sequence)
    {
        Array.Clear(_reserved);
        foreach (var running in Running.AsSpan())
            for (var g = 0; g < _windows.Length; g++)
                _reserved[g] += 1 + Math.Max(0, BlocksOf(g, running.Length) - (running.BlockCount - running.FirstBlock[g]));
        for (var g = 0; g < _windows.Length; g++)
            if (Blocks.Free(g) < BlocksOf(g, sequence.Length) + _reserved[g] && Running.Count > 0) return false;
        return true;
    }

    private int BlocksOf(int group, int length) => KvBudget.BlocksPerSequence(_windows[group], Math.Min(length, _contextLen), _limits.MaxTokens, _limits.BlockSize);

    /// <summary>
    /// Holds the full blocks of the prompt that another choice of the same request has in the cache. Nothing writes to a full block, so none is
    /// ever copied. The last prompt token is always computed, for its logits.
    /// </summary>
    private void SharePrompt(Sequence sequence)
    {
        foreach (var other in sequence.Generation.Choices)
        {
            if (other == sequence || other.BlockCount == 0 || other.RopeVariant != sequence.RopeVariant) continue;
            var count = Math.Min(other.Computed, Math.Min(sequence.PromptLength, sequence.Length - 1)) / _limits.BlockSize;
            var isThere = count > 0;
            for (var g = 0; g < _windows.Length; g++) isThere &= other.FirstBlock[g] <= FirstVisibleBlock(g, count * _limits.BlockSize);
            if (!isThere) continue;
            for (var g = 0; g < _windows.Length; g++)
            {
                var first = sequence.FirstBlock[g] = FirstVisibleBlock(g, count * _limits.BlockSize);
                for (var i = first; i < count; i++) Blocks.Share(g, sequence.Tables[g][i] = other.Tables[g][i]);
            }
            sequence.BlockCount = count;
            sequence.Computed = count * _limits.BlockSize;
            return;
        }
    }
}

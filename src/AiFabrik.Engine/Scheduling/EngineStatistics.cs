namespace AiFabrik.Engine.Scheduling;

/// <summary>Where the engine stands.</summary>
public enum EngineState
{
    Running,
    Draining,

    /// <summary>The executor failed; nothing will run any more.</summary>
    Failed,
    Disposed,
}

/// <summary>Gauges and totals, numbers only: no content. Read without a lock, so they may be a step apart from each other.</summary>
public readonly record struct EngineStatistics
{
    public EngineState State { get; init; }

    /// <summary>Sequences that hold KV blocks.</summary>
    public int RunningSequences { get; init; }

    /// <summary>Sequences that wait for their first or, preempted, for their next turn.</summary>
    public int WaitingSequences { get; init; }

    /// <summary>Running sequences whose reader doesn't drain.</summary>
    public int PausedSequences { get; init; }

    /// <summary>Blocks of all KV groups.</summary>
    public int KvBlocksUsed { get; init; }
    public int KvBlocksTotal { get; init; }

    /// <summary>Sequences whose memory somebody has: unfinished, or finished and not yet disposed of by their reader.</summary>
    public int SequencesInMemory { get; init; }

    public long Steps { get; init; }

    /// <summary>Tokens computed as part of a prompt or recomputed after a preemption.</summary>
    public long TokensPrefilled { get; init; }

    /// <summary>Tokens drawn.</summary>
    public long TokensDecoded { get; init; }
    public long Preemptions { get; init; }
    public long RequestsAccepted { get; init; }
    public long RequestsRefused { get; init; }
    public long RequestsFinished { get; init; }
}

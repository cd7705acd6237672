using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// Every limit of the engine. The blocks themselves belong to the executor (<see cref="StepLimits"/>, made by <see cref="Limits"/>).
/// </summary>
public sealed record EngineOptions
{
    public const int DefaultMaxSequences = 16;
    public const int DefaultMaxQueuedSequences = 64;
    public const int DefaultMaxTokensPerStep = 512;
    public const int DefaultMaxPrefillTokensWhileDecoding = 128;
    public const int DefaultBlockSize = 16;
    public const int DefaultRingEvents = 64;
    public const int DefaultMaxTopLogprobs = 20;
    public const int DefaultMaxLogitBias = 1024;
    public const int DefaultMaxStopTokenIds = 64;
    public const int DefaultMaxStopStrings = 16;
    public const int DefaultMaxStopBytes = 4096;
    public const int DefaultMaxChoices = 128;
    public const int DefaultMaxUndrainedSequences = 32;
    public const int DefaultStepsBeforePausedYields = 32;

    /// <summary>Sequences that run, that is, hold KV blocks.</summary>
    public int MaxSequences { get; init; } = DefaultMaxSequences;

    /// <summary>Unfinished sequences beyond <see cref="MaxSequences"/>; further ones are refused at once.</summary>
    public int MaxQueuedSequences { get; init; } = DefaultMaxQueuedSequences;

    /// <summary>Tokens of one step, prefill and decode together.</summary>
    public int MaxTokensPerStep { get; init; } = DefaultMaxTokensPerStep;

    /// <summary>Prefill tokens of a step in which sequences decode, so that these keep their pace.</summary>
    public int MaxPrefillTokensWhileDecoding { get; init; } = DefaultMaxPrefillTokensWhileDecoding;

    /// <summary>Slots per KV block; a multiple of 16.</summary>
    public int BlockSize { get; init; } = DefaultBlockSize;

    /// <summary>Tokens of a sequence; 0: the model's own context.</summary>
    public int ContextLen { get; init; }

    /// <summary>Events that a choice may be ahead of its reader before it pauses; at least 4.</summary>
    public int RingEvents { get; init; } = DefaultRingEvents;

    public int MaxTopLogprobs { get; init; } = DefaultMaxTopLogprobs;
    public int MaxLogitBias { get; init; } = DefaultMaxLogitBias;
    public int MaxStopTokenIds { get; init; } = DefaultMaxStopTokenIds;
    public int MaxStopStrings { get; init; } = DefaultMaxStopStrings;

    /// <summary>Bytes of all stop strings of a request together.</summary>
    public int MaxStopBytes { get; init; } = DefaultMaxStopBytes;

    /// <summary>Choices of a request (n).</summary>
    public int MaxChoices { get; init; } = DefaultMaxChoices;

    /// <summary>Finished sequences whose events somebody has still to read, beyond those that are unfinished.</summary>
    public int MaxUndrainedSequences { get; init; } = DefaultMaxUndrainedSequences;

    /// <summary>Steps that a paused sequence keeps its blocks while another sequence waits for them.</summary>
    public int StepsBeforePausedYields { get; init; } = DefaultStepsBeforePausedYields;

    /// <summary>Blocks that exist, for each KV group; set by <see cref="Derive"/>.</summary>
    public int[] BlocksPerGroup { get; init; } = [];

    /// <summary>Unfinished sequences at most.</summary>
    public int MaxUnfinishedSequences => MaxSequences + MaxQueuedSequences;

    /// <summary>
    /// These options with <see cref="ContextLen"/> and <see cref="BlocksPerGroup"/> for a program: as many blocks as
    /// <paramref name="kvMemoryBytes"/> holds, never more than <see cref="MaxSequences"/> full contexts need. Where the memory does not hold one
    /// full context, the context is shortened to what it holds.
    /// </summary>
    /// <param name="kvMemoryBytes">Memory for the KV cache of all groups.</param>
    /// <param name="kvElementBytes">Bytes of a cached value: 4 for the reference executor, 2 for fp16 and bf16 caches.</param>
    public EngineOptions Derive(TransformerProgram program, long kvMemoryBytes, int kvElementBytes) =>
        KvBudget.Derive(this, program, kvMemoryBytes, kvElementBytes);

    /// <summary>The sizes to make an executor with.</summary>
    public StepLimits Limits => new(MaxTokensPerStep, MaxSequences, MaxSequences, BlockSize, BlocksPerGroup, (ContextLen + BlockSize - 1) / BlockSize);
}

using AiFabrik.Engine.Sampling;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// What a generation starts from. Everything is copied when it is submitted. The caller has checked the values of
/// <see cref="Sampling"/>; sizes beyond <see cref="EngineOptions"/> are refused with <see cref="SubmitStatus.NeverFits"/>.
/// </summary>
public readonly ref struct GenerationRequest
{
    public GenerationRequest() { }

    /// <summary>Token ids, at least one.</summary>
    public required ReadOnlySpan<int> Prompt { get; init; }

    public SamplingParameters Sampling { get; init; } = new();

    /// <summary>Tokens of a choice at most; the context's end cuts earlier. At least 1.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Until a choice has this many tokens, no eos and no stop token is drawn and no stop string is looked for.</summary>
    public int MinTokens { get; init; }

    /// <summary>Choices.</summary>
    public int N { get; init; } = 1;

    public ReadOnlySpan<LogitBias> LogitBias { get; init; }

    /// <summary>Tokens that end a choice like eos does.</summary>
    public ReadOnlySpan<int> StopTokenIds { get; init; }

    /// <summary>UTF-8 that <see cref="StopStrings"/> are ranges of.</summary>
    public ReadOnlySpan<byte> StopBytes { get; init; }

    /// <summary>Ranges of <see cref="StopBytes"/>, none of them empty: the text ends before the first that appears in it.</summary>
    public ReadOnlySpan<Range> StopStrings { get; init; }

    /// <summary>eos is a token like any other.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>Events carry the log-probability of their token.</summary>
    public bool Logprobs { get; init; }

    /// <summary>With <see cref="Logprobs"/>: how many of the best tokens an event carries.</summary>
    public int TopLogprobs { get; init; }
}

/// <summary>What became of a request that was submitted.</summary>
public enum SubmitStatus
{
    Ok,

    /// <summary>As many sequences as <see cref="EngineOptions"/> allows are unfinished: try again later (429).</summary>
    QueueFull,

    /// <summary>The engine finishes what it has and takes no more (503).</summary>
    Draining,

    /// <summary>The prompt leaves no room for a token in <see cref="InferenceEngine.ContextLen"/> (400 context_length_exceeded).</summary>
    PromptTooLong,

    /// <summary>Beyond a limit of <see cref="EngineOptions"/>, or out of range: no later attempt will do (400).</summary>
    NeverFits,

    /// <summary>The executor failed and the engine stopped (500, not ready).</summary>
    Failed,
}

using AiFabrik.Engine.Sampling;

namespace AiFabrik.Engine.Scheduling;

/// <summary>Why a choice ended.</summary>
public enum FinishReason
{
    None = 0,

    /// <summary>eos, a stop token or a stop string.</summary>
    Stop,

    /// <summary>max_tokens or the context's end.</summary>
    Length,

    /// <summary>Internal error: nothing more of this choice will come.</summary>
    Error,

    /// <summary><see cref="Generation.Cancel"/>, or the engine was disposed of.</summary>
    Cancelled,
}

/// <summary>
/// One token of a choice, or its end. The spans lie in the generation's own memory and are valid until the next
/// <see cref="Generation.TryRead"/> or <see cref="Generation.Dispose"/>.
/// </summary>
public readonly ref struct GenerationEvent
{
    /// <summary>0 to N − 1.</summary>
    public int Choice { get; init; }

    /// <summary>Token id; −1 where the choice ended without one (error, cancelled).</summary>
    public int Token { get; init; }

    /// <summary>log p of the token under the model alone; 0 unless asked for.</summary>
    public float Logprob { get; init; }

    /// <summary>The best tokens under the model alone, descending, ties to the lower id; as many as asked for.</summary>
    public ReadOnlySpan<TokenLogprob> TopLogprobs { get; init; }

    /// <summary>UTF-8 that is now certain: whole characters, and nothing that may be the beginning of a stop string. May be empty.</summary>
    public ReadOnlySpan<byte> Text { get; init; }

    /// <summary>Anything but <see cref="FinishReason.None"/>: the choice's last event.</summary>
    public FinishReason Finish { get; init; }
}

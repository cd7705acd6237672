namespace AiFabrik.Host.Http;

/// <summary>Limits of the HTTP side. Each is named in the error that it causes; <c>aifabrik doctor</c> prints them.</summary>
public sealed record HttpLimits
{
    /// <summary>A body and its unescaped copy are one piece of memory, whose size is an int.</summary>
    private const int BodyBytesCeiling = 512 << 20;

    /// <summary>The check of JSON recurses: so deep it may, on any thread's stack.</summary>
    private const int JsonDepthCeiling = 1000;

    /// <summary>No time here is longer than a day.</summary>
    private const int SecondsCeiling = 24 * 60 * 60;

    /// <summary>Bytes of a request's body. 8 MiB hold about two million tokens of prose, more than any context here.</summary>
    public int BodyBytesMax { get; init; } = 8 << 20;

    /// <summary>Nesting of the body's JSON: tool schemas reach 20.</summary>
    public int JsonDepthMax { get; init; } = 128;

    /// <summary>A body that comes slower than this for longer than the grace period is answered with 408.</summary>
    public int BodyBytesPerSecondMin { get; init; } = 240;

    /// <summary>How long a body may be slow at its beginning.</summary>
    public int BodyGraceSeconds { get; init; } = 5;

    /// <summary>A body must be complete after this time, however steadily it comes.</summary>
    public int BodySecondsMax { get; init; } = 120;

    /// <summary>Requests whose content is in memory at once; more are refused with 429.</summary>
    public int ConcurrentRequestsMax { get; init; } = 512;

    /// <summary>Choices of one request.</summary>
    public int ChoicesMax { get; init; } = 16;

    /// <summary>Stop strings of one request. OpenAI allows 4; others allow more.</summary>
    public int StopStringsMax { get; init; } = 16;

    /// <summary>UTF-8 bytes of one stop string.</summary>
    public int StopStringBytesMax { get; init; } = 256;

    /// <summary>Stop token ids of one request.</summary>
    public int StopTokensMax { get; init; } = 64;

    /// <summary>Entries of logit_bias.</summary>
    public int LogitBiasMax { get; init; } = 1024;

    /// <summary>Alternatives per token in logprobs (OpenAI's limit).</summary>
    public int TopLogprobsMax { get; init; } = 20;

    /// <summary>Silence after which a stream gets a comment line, so that proxies keep it open during a long prefill.</summary>
    public int HeartbeatSeconds { get; init; } = 5;

    /// <summary>A TLS handshake must be complete after this time.</summary>
    public int HandshakeSecondsMax { get; init; } = 10;

    /// <summary>How long a stop waits for running requests.</summary>
    public int DrainSecondsMax { get; init; } = 30;

    /// <summary>One sentence if a limit is out of its own bounds, else null.</summary>
    public string? Problem()
    {
        foreach (var property in typeof(HttpLimits).GetProperties())
        {
            if (property.PropertyType != typeof(int)) continue;
            var most = property.Name switch
            {
                nameof(BodyBytesMax) => BodyBytesCeiling,
                nameof(JsonDepthMax) => JsonDepthCeiling,
                _ => property.Name.Contains("Seconds", StringComparison.Ordinal) ? SecondsCeiling : int.MaxValue,
            };
            var value = (int)property.GetValue(this)!;
            if (value < 1 || value > most) return FormattableString.Invariant($"Setting 'Limits:{property.Name}' must be between 1 and {most}.");
        }
        return null;
    }
}

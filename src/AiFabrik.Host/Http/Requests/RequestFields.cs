namespace AiFabrik.Host.Http.Requests;

/// <summary>A stretch of the request's body, in bytes.</summary>
internal readonly record struct BodyRange(int Start, int Length)
{
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> body) => body.Slice(Start, Length);
}

/// <summary>
/// What a chat or text completion request asks for, apart from its content: numbers and ranges of the body.
/// Pooled with the request's memory; <see cref="Clear"/> makes it as new.
/// </summary>
internal sealed class RequestFields(HttpLimits limits)
{
    public HttpLimits Limits { get; } = limits;

    /// <summary>Fields seen so far, by their index in the field table: finds duplicates.</summary>
    public UInt128 Seen;

    public BodyRange Model;
    public bool HasModel;

    /// <summary>The messages array, as it stands in the body.</summary>
    public BodyRange Messages;
    public bool HasMessages;

    /// <summary>Tools are offered: some models have a template of their own for that.</summary>
    public bool HasTools;

    /// <summary>prompt of a text completion: a string's raw bytes (escaped), or token ids.</summary>
    public BodyRange Prompt;
    public PromptKind PromptKind;

    public bool Stream;
    public bool IncludeUsage;
    public bool Echo;

    public int? MaxTokens;
    public int MinTokens;
    public int Choices = 1;
    public long? Seed;
    public bool IgnoreEos;

    public bool Logprobs;
    public int TopLogprobs;

    public float Temperature = 1f;
    public int TopK;
    public float TopP = 1f;
    public float MinP;
    public float TypicalP = 1f;
    public float RepetitionPenalty = 1f;
    public float PresencePenalty;
    public float FrequencyPenalty;

    /// <summary>Raw (escaped) stop strings in the body.</summary>
    public readonly BodyRange[] StopStrings = new BodyRange[limits.StopStringsMax];
    public int StopStringCount;

    public readonly int[] StopTokens = new int[limits.StopTokensMax];
    public int StopTokenCount;

    public readonly int[] BiasTokens = new int[limits.LogitBiasMax];
    public readonly float[] BiasValues = new float[limits.LogitBiasMax];
    public int BiasCount;

    public void Clear()
    {
        Seen = 0;
        Model = Messages = Prompt = default;
        HasModel = HasMessages = HasTools = Stream = IncludeUsage = Echo = IgnoreEos = Logprobs = false;
        PromptKind = PromptKind.None;
        MaxTokens = null;
        Seed = null;
        MinTokens = TopLogprobs = TopK = 0;
        Choices = 1;
        Temperature = TopP = TypicalP = RepetitionPenalty = 1f;
        MinP = PresencePenalty = FrequencyPenalty = 0f;
        Array.Clear(StopStrings, 0, StopStringCount);
        Array.Clear(StopTokens, 0, StopTokenCount);
        Array.Clear(BiasTokens, 0, BiasCount);
        Array.Clear(BiasValues, 0, BiasCount);
        StopStringCount = StopTokenCount = BiasCount = 0;
    }
}

/// <summary>Forms of a text completion's prompt.</summary>
internal enum PromptKind
{
    None,
    Text,
    TokenIds,
}

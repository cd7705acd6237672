namespace AiFabrik.Engine.Sampling;

/// <summary>
/// How the next token is drawn. <c>new SamplingParameters()</c> draws from the model's own distribution. Order of application:
/// logit_bias, repetition penalty, presence and frequency penalty, min_tokens, temperature, top_k, top_p, min_p, typical_p.
/// At least one token always remains.
/// </summary>
public readonly record struct SamplingParameters
{
    public SamplingParameters() { }

    /// <summary>Divides the logits; 0: the best token, ties to the lowest id. At least 0 and finite.</summary>
    public float Temperature { get; init; } = 1f;

    /// <summary>Keeps the k best tokens; 0 or less: all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of best tokens whose probability reaches this; 1 or more: all.</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>Keeps tokens with at least this share of the best token's probability; 0 or less: all.</summary>
    public float MinP { get; init; }

    /// <summary>Locally typical sampling (Meister et al. 2022): keeps tokens by |−log p − entropy|, ascending, until their sum reaches this; 1 or more: all.</summary>
    public float TypicalP { get; init; } = 1f;

    /// <summary>Tokens of prompt and output: positive logits are divided by it, negative ones multiplied. Above 0; 1: none.</summary>
    public float RepetitionPenalty { get; init; } = 1f;

    /// <summary>Subtracted from the logit of every token that the output holds.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's logit once for each time the output holds it.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>The same seed and request give the same tokens on the same device. None: a seed is drawn for each request.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Below it the best token is all there is, and 1/temperature would overflow.</summary>
    internal const float GreedyTemperature = 1e-6f;

    /// <summary>The best token, after whatever changes the logits.</summary>
    internal bool IsGreedy => Temperature < GreedyTemperature;

    /// <summary>Some token of the history changes its logit.</summary>
    internal bool HasPenalties => RepetitionPenalty != 1f || PresencePenalty != 0f || FrequencyPenalty != 0f;
}

/// <summary>Added to the logit of a token before anything else.</summary>
/// <param name="Token">Token id.</param>
/// <param name="Bias">Finite; OpenAI: −100 to 100.</param>
public readonly record struct LogitBias(int Token, float Bias);

/// <summary>A token and the natural logarithm of its probability in the model's own distribution.</summary>
public readonly record struct TokenLogprob(int Token, float Logprob);

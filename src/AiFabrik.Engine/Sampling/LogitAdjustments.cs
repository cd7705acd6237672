namespace AiFabrik.Engine.Sampling;

/// <summary>What a request changes of its logits before a token is drawn; in place.</summary>
internal static class LogitAdjustments
{
    public static void AddBias(Span<float> logits, ReadOnlySpan<LogitBias> bias)
    {
        foreach (var (token, value) in bias) logits[token] += value;
    }

    /// <summary>
    /// Repetition penalty over prompt and output (Keskar et al. 2019), then presence and frequency penalty over the output.
    /// </summary>
    /// <param name="history">Prompt and output; the output begins at <paramref name="promptLength"/>.</param>
    /// <param name="counts">[VocabSize] scratch, zero before and after.</param>
    public static void Penalize(Span<float> logits, in SamplingParameters parameters, ReadOnlySpan<int> history, int promptLength, Span<int> counts)
    {
        if (parameters.RepetitionPenalty != 1f)
        {
            foreach (var token in history)
            {
                if (counts[token]++ > 0) continue;
                logits[token] = logits[token] > 0 ? logits[token] / parameters.RepetitionPenalty : logits[token] * parameters.RepetitionPenalty;
            }
            foreach (var token in history) counts[token] = 0;
        }
        if (parameters.PresencePenalty == 0f && parameters.FrequencyPenalty == 0f) return;

        var output = history[promptLength..];
        foreach (var token in output) counts[token]++;
        foreach (var token in output)
        {
            if (counts[token] == 0) continue;
            logits[token] -= parameters.PresencePenalty + parameters.FrequencyPenalty * counts[token];
            counts[token] = 0;
        }
    }

    /// <summary>These tokens can't be drawn (min_tokens).</summary>
    public static void Ban(Span<float> logits, ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens) logits[token] = float.NegativeInfinity;
    }
}

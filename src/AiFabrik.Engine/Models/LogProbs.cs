namespace AiFabrik.Engine.Models;

/// <summary>Log-probabilities of one row of logits, in double: natural logarithms of the model's softmax before any sampling.</summary>
public static class LogProbs
{
    /// <summary>ln Σ exp(logits[i]).</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        var best = float.NegativeInfinity;
        foreach (var logit in logits) best = MathF.Max(best, logit);
        double sum = 0;
        foreach (var logit in logits) sum += Math.Exp((double)logit - best);
        return best + Math.Log(sum);
    }

    /// <summary>ln p(token).</summary>
    public static double Of(ReadOnlySpan<float> logits, int token) => logits[token] - LogSumExp(logits);

    /// <summary>
    /// The tokens with the largest logits, in descending order (ties to the lower id), and their log-probabilities.
    /// Returns how many: the spans' common length, at most the vocabulary.
    /// </summary>
    public static int Top(ReadOnlySpan<float> logits, Span<int> tokens, Span<double> logProbs)
    {
        var count = Math.Min(Math.Min(tokens.Length, logProbs.Length), logits.Length);
        var filled = 0;
        for (var i = 0; i < logits.Length && count > 0; i++)
        {
            if (filled == count && !(logits[i] > logits[tokens[count - 1]])) continue;
            var at = filled < count ? filled++ : count - 1;
            for (; at > 0 && logits[i] > logits[tokens[at - 1]]; at--) tokens[at] = tokens[at - 1];
            tokens[at] = i;
        }
        var normalizer = LogSumExp(logits);
        for (var i = 0; i < count; i++) logProbs[i] = logits[tokens[i]] - normalizer;
        return count;
    }
}

namespace AiFabrik.Engine.Models;

/// <summary>What <see cref="Perplexity.Measure"/> found.</summary>
/// <param name="Scored">Tokens that were scored.</param>
/// <param name="MeanNll">Mean negative log-likelihood of a scored token, in nats.</param>
/// <param name="ChunkMeanNll">The same for each chunk.</param>
public sealed record PerplexityResult(int Scored, double MeanNll, double[] ChunkMeanNll)
{
    /// <summary>exp(mean negative log-likelihood).</summary>
    public double Value => Math.Exp(MeanNll);
}

/// <summary>Perplexity by llama.cpp's definition.</summary>
public static class Perplexity
{
    /// <summary>
    /// Cuts the tokens into chunks of <paramref name="context"/> (an incomplete last one is dropped), each a sequence of its own;
    /// scores positions context/2 + 1 … context − 1 of each, the first half being context only.
    /// </summary>
    /// <exception cref="ArgumentException">Fewer tokens than one chunk, a context below 4, or one beyond the runner's capacity.</exception>
    public static PerplexityResult Measure(SequenceRunner runner, ReadOnlySpan<int> tokens, int context)
    {
        if (context < 4 || context > runner.Capacity) throw new ArgumentException($"A context of {context} tokens can't be measured; 4 to {runner.Capacity} can.", nameof(context));
        if (tokens.Length < context) throw new ArgumentException($"The text has {tokens.Length} tokens, fewer than one chunk of {context}.", nameof(tokens));
        var rows = new int[context - 1 - context / 2];
        for (var i = 0; i < rows.Length; i++) rows[i] = context / 2 + i;

        var chunks = new double[tokens.Length / context];
        // The token that each row should have predicted; content, so zeroed at the end.
        var expected = GC.AllocateArray<int>(context, pinned: true);
        double sum = 0;
        for (var i = 0; i < chunks.Length; i++)
        {
            tokens.Slice(i * context, context).CopyTo(expected);
            double nll = 0;
            runner.Reset();
            runner.Append(expected, rows, (position, logits) => nll -= LogProbs.Of(logits, expected[position + 1]));
            sum += nll;
            chunks[i] = nll / rows.Length;
        }
        runner.Reset();
        Array.Clear(expected);
        return new PerplexityResult(rows.Length * chunks.Length, sum / (rows.Length * chunks.Length), chunks);
    }
}

using AiFabrik.Compute.Memory;

namespace AiFabrik.Engine.Sampling;

/// <summary>What a sequence brings to the drawing of its next token.</summary>
internal readonly ref struct SamplingInput
{
    public required SamplingParameters Parameters { get; init; }

    /// <summary>Prompt and output so far.</summary>
    public required ReadOnlySpan<int> History { get; init; }
    public required int PromptLength { get; init; }
    public ReadOnlySpan<LogitBias> Bias { get; init; }

    /// <summary>Tokens that can't be drawn now: eos and stop tokens before min_tokens.</summary>
    public ReadOnlySpan<int> Banned { get; init; }
    public ReadOnlySpan<int> BannedToo { get; init; }

    /// <summary>Counter of the random number.</summary>
    public ulong Seed { get; init; }
    public int Choice { get; init; }

    public bool Logprobs { get; init; }
}

/// <summary>
/// Draws tokens from logits. Scratch for one row is allocated at start; <see cref="Clear"/> zeroes it. One thread.
/// </summary>
internal sealed class Sampler : IDisposable
{
    /// <summary>Up to here the best k are found with one pass and a sorted list; beyond, by partition.</summary>
    private const int MaxListLength = 128;

    /// <summary>First guess how far below the best token (in nats, after temperature) top_p reaches; doubled until it holds.</summary>
    private const float FirstReach = 8f;

    private const float MaxReach = 1e30f;

    private readonly ContentArena _scratch;
    private readonly int _vocabSize, _keys, _weights, _scores, _order, _counts, _raw, _chunks;
    private int _used;

    public Sampler(int vocabSize)
    {
        _vocabSize = vocabSize;
        var chunks = (vocabSize + LogitMath.ChunkLength - 1) / LogitMath.ChunkLength;
        _scratch = new ContentArena(checked(vocabSize * (3 * sizeof(double) + 3 * sizeof(int)) + chunks * sizeof(double) + 8 * 64));
        int Take(int bytes)
        {
            if (!_scratch.TryAllocate(bytes, out var offset, 64)) throw new InvalidOperationException("The sampler's scratch is too small.");
            return offset;
        }
        _keys = Take(vocabSize * sizeof(ulong));
        _weights = Take(vocabSize * sizeof(double));
        _scores = Take(vocabSize * sizeof(double));
        _order = Take(vocabSize * sizeof(int));
        _counts = Take(vocabSize * sizeof(int));
        _raw = Take(vocabSize * sizeof(float));
        _chunks = Take(chunks * sizeof(double));
    }

    /// <summary>Keys of the tokens left to draw from.</summary>
    private Span<ulong> Keys => _scratch.Values<ulong>(_keys, _vocabSize);

    /// <summary>Their unnormalised probabilities.</summary>
    private Span<double> Weights => _scratch.Values<double>(_weights, _vocabSize);

    /// <summary>
    /// The next token. <paramref name="logits"/> [VocabSize] are changed. <paramref name="logprob"/> and <paramref name="top"/> are of the
    /// unchanged logits, and filled only if asked for.
    /// </summary>
    public int Sample(Span<float> logits, in SamplingInput input, out float logprob, Span<TokenLogprob> top, out int topCount)
    {
        var raw = ReadOnlySpan<float>.Empty;
        double logSum = 0;
        topCount = 0;
        if (input.Logprobs)
        {
            var max = LogitMath.Max(logits);
            logSum = max + Math.Log(LogitMath.SumExp(logits, max, 1f));
            var copy = _scratch.Values<float>(_raw, _vocabSize);
            logits.CopyTo(copy);
            raw = copy;
            topCount = LogitMath.CollectTop(logits, Math.Min(top.Length, _vocabSize), Keys);
            _used = Math.Max(_used, topCount);
            for (var i = 0; i < topCount; i++)
            {
                var id = LogitMath.KeyToken(Keys[i]);
                top[i] = new TokenLogprob(id, (float)(logits[id] - logSum));
            }
        }
        Adjust(logits, input);
        var token = Draw(logits, input);
        logprob = input.Logprobs ? (float)(raw[token] - logSum) : 0f;
        return token;
    }

    private void Adjust(Span<float> logits, in SamplingInput input)
    {
        LogitAdjustments.AddBias(logits, input.Bias);
        if (input.Parameters.HasPenalties)
            LogitAdjustments.Penalize(logits, input.Parameters, input.History, input.PromptLength, _scratch.Values<int>(_counts, _vocabSize));
        LogitAdjustments.Ban(logits, input.Banned);
        LogitAdjustments.Ban(logits, input.BannedToo);
    }

    private int Draw(ReadOnlySpan<float> logits, in SamplingInput input)
    {
        var parameters = input.Parameters;
        if (parameters.IsGreedy) return LogitMath.ArgMax(logits);
        var uniform = CounterRandom.Uniform(input.Seed, input.Choice, input.History.Length - input.PromptLength);
        var max = LogitMath.Max(logits);
        if (float.IsInfinity(max)) return LogitMath.ArgMax(logits); // nothing, or certainty
        if (!IsFiltered(parameters)) return DrawFromAll(logits, max, 1f / parameters.Temperature, uniform);

        var count = Select(logits, max, parameters, out var sum);
        var target = uniform * sum;
        var weights = Weights;
        for (var i = 0; i < count; i++)
        {
            target -= weights[i];
            if (target < 0) return LogitMath.KeyToken(Keys[i]);
        }
        return LogitMath.KeyToken(Keys[0]); // rounding: the sum was a hair above the weights'
    }

    private static bool IsFiltered(in SamplingParameters parameters) =>
        parameters.TopK > 0 || parameters.TopP < 1f || parameters.MinP > 0f || parameters.TypicalP < 1f;

    /// <summary>Inverse of the cumulative distribution in the order of ids: first over the chunks' sums, then within one chunk.</summary>
    private int DrawFromAll(ReadOnlySpan<float> logits, float max, float scale, double uniform)
    {
        var chunks = _scratch.Values<double>(_chunks, (_vocabSize + LogitMath.ChunkLength - 1) / LogitMath.ChunkLength);
        var target = uniform * LogitMath.SumExp(logits, max, scale, chunks);
        var chunk = 0;
        while (chunk < chunks.Length - 1 && target >= chunks[chunk]) target -= chunks[chunk++];

        var last = -1;
        var end = Math.Min(logits.Length, (chunk + 1) * LogitMath.ChunkLength);
        for (var i = chunk * LogitMath.ChunkLength; i < end; i++)
        {
            var weight = LogitMath.Weight(logits[i], max, scale);
            if (weight <= 0) continue;
            last = i;
            target -= weight;
            if (target < 0) return i;
        }
        return last >= 0 ? last : LogitMath.ArgMax(logits); // rounding at a chunk's end
    }

    /// <summary>
    /// What the filters leave, in <see cref="Keys"/> and <see cref="Weights"/>; returns how many and their sum.
    /// top_k, top_p and min_p each keep a prefix of the tokens sorted by probability, so no more is sorted than they reach.
    /// </summary>
    private int Select(ReadOnlySpan<float> logits, float max, in SamplingParameters parameters, out double sum)
    {
        var scale = 1f / parameters.Temperature;
        var count = parameters.TopK > 0 && parameters.TopK < _vocabSize ? CollectBest(logits, parameters.TopK)
            : parameters.TopP < 1f || parameters.MinP > 0f ? CollectReach(logits, max, scale, parameters)
            : LogitMath.CollectAtLeast(logits, float.MinValue, Keys);
        _used = Math.Max(_used, count);
        var keys = Keys[..count];
        var weights = Weights[..count];
        double kept = 0;
        for (var i = 0; i < count; i++) kept += weights[i] = LogitMath.Weight(logits[LogitMath.KeyToken(keys[i])], max, scale);

        if (parameters.TopP < 1f)
        {
            var all = parameters.TopK > 0 ? kept : LogitMath.SumExp(logits, max, scale);
            var target = parameters.TopP * all;
            double reached = 0;
            var n = 0;
            while (n < count && (n == 0 || reached < target)) reached += weights[n++];
            count = n;
        }
        if (parameters.MinP > 0f)
        {
            var n = 1;
            while (n < count && weights[n] >= parameters.MinP) n++;
            count = n;
        }
        if (parameters.TypicalP < 1f) count = SelectTypical(count, parameters.TypicalP);

        sum = 0;
        foreach (var weight in Weights[..count]) sum += weight;
        return count;
    }

    /// <summary>The best k, descending.</summary>
    private int CollectBest(ReadOnlySpan<float> logits, int k)
    {
        if (k <= MaxListLength) return LogitMath.CollectTop(logits, k, Keys);
        var count = LogitMath.CollectAtLeast(logits, float.MinValue, Keys);
        _used = Math.Max(_used, count);
        if (k < count) LogitMath.PartitionLargest(Keys[..count], k);
        return SortDescending(Math.Min(k, count));
    }

    /// <summary>Descending, all that top_p and min_p over the whole vocabulary can reach.</summary>
    private int CollectReach(ReadOnlySpan<float> logits, float max, float scale, in SamplingParameters parameters)
    {
        // A little more than min_p's own bound, for rounding: what is exact is decided on the weights.
        var bound = parameters.MinP > 0f ? -MathF.Log(parameters.MinP) + 0.01f : float.PositiveInfinity;
        var target = parameters.TopP < 1f ? parameters.TopP * LogitMath.SumExp(logits, max, scale) : double.PositiveInfinity;
        for (var reach = parameters.TopP < 1f ? FirstReach : bound; ; reach *= 2)
        {
            if (reach > bound) reach = bound;
            var threshold = reach >= MaxReach ? float.MinValue : max - reach / scale;
            var count = LogitMath.CollectAtLeast(logits, threshold, Keys);
            _used = Math.Max(_used, count);
            if (reach >= bound || reach >= MaxReach || threshold <= float.MinValue) return SortDescending(count);
            double mass = 0;
            foreach (var key in Keys[..count]) mass += LogitMath.Weight(logits[LogitMath.KeyToken(key)], max, scale);
            if (mass >= target * (1 + 1e-6)) return SortDescending(count);
        }
    }

    private int SortDescending(int count)
    {
        var keys = Keys[..count];
        keys.Sort();
        keys.Reverse();
        return count;
    }

    /// <summary>Of the first <paramref name="count"/>, those nearest to the entropy until their sum reaches <paramref name="typicalP"/>; nearest first.</summary>
    private int SelectTypical(int count, float typicalP)
    {
        var weights = Weights[..count];
        double sum = 0;
        foreach (var weight in weights) sum += weight;
        double entropy = 0;
        foreach (var weight in weights)
            if (weight > 0) entropy -= weight / sum * Math.Log(weight / sum);

        var scores = _scratch.Values<double>(_scores, count);
        var order = _scratch.Values<int>(_order, count);
        for (var i = 0; i < count; i++)
        {
            scores[i] = weights[i] > 0 ? Math.Abs(-Math.Log(weights[i] / sum) - entropy) : double.PositiveInfinity;
            order[i] = i;
        }
        scores.Sort(order);
        for (int start = 0, end; start < count; start = end) // equal scores: the better token first
        {
            end = start + 1;
            while (end < count && scores[end] == scores[start]) end++;
            if (end - start > 1) order[start..end].Sort();
        }

        double reached = 0;
        var kept = 0;
        while (kept < count && (kept == 0 || reached < typicalP * sum)) reached += weights[order[kept++]];

        // order[0..kept) becomes the list; the scores' memory holds weights, then keys, meanwhile.
        for (var i = 0; i < kept; i++) scores[i] = weights[order[i]];
        scores[..kept].CopyTo(weights);
        var keys = Keys[..count];
        var moved = _scratch.Values<ulong>(_scores, count);
        for (var i = 0; i < kept; i++) moved[i] = keys[order[i]];
        moved[..kept].CopyTo(keys);
        return kept;
    }

    /// <summary>For tests: the probability of each token [VocabSize] to be drawn. <paramref name="logits"/> are changed.</summary>
    internal void Probabilities(Span<float> logits, in SamplingInput input, Span<double> probabilities)
    {
        probabilities.Clear();
        Adjust(logits, input);
        var parameters = input.Parameters;
        var max = LogitMath.Max(logits);
        if (parameters.IsGreedy || float.IsInfinity(max))
        {
            probabilities[LogitMath.ArgMax(logits)] = 1;
        }
        else if (!IsFiltered(parameters))
        {
            var all = LogitMath.SumExp(logits, max, 1f / parameters.Temperature);
            for (var i = 0; i < logits.Length; i++) probabilities[i] = LogitMath.Weight(logits[i], max, 1f / parameters.Temperature) / all;
        }
        else
        {
            var count = Select(logits, max, parameters, out var sum);
            for (var i = 0; i < count; i++) probabilities[LogitMath.KeyToken(Keys[i])] = Weights[i] / sum;
        }
    }

    /// <summary>Zeroes what was used.</summary>
    public void Clear()
    {
        _scratch.Values<ulong>(_keys, _used).Clear();
        _scratch.Values<double>(_weights, _used).Clear();
        _scratch.Values<double>(_scores, _used).Clear();
        _scratch.Values<int>(_order, _used).Clear();
        _scratch.Values<float>(_raw, _vocabSize).Clear();
        _scratch.Bytes(_chunks, (_vocabSize + LogitMath.ChunkLength - 1) / LogitMath.ChunkLength * sizeof(double)).Clear();
        _used = 0;
    }

    public void Dispose() => _scratch.Dispose();
}

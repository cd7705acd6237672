using AiFabrik.Compute.Memory;
using AiFabrik.Compute.Programs;

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

    /// <summary>Tokens around top_p's border that are sorted outright.</summary>
    private const int BorderLength = 32;

    private readonly ContentArena _scratch;
    private readonly int _vocabSize, _keys, _weights, _counts, _raw, _chunks;
    private int _used;

    public Sampler(int vocabSize)
    {
        _vocabSize = vocabSize;
        var chunks = (vocabSize + LogitMath.ChunkLength - 1) / LogitMath.ChunkLength;
        _scratch = new ContentArena(checked(vocabSize * (2 * sizeof(double) + 2 * sizeof(int)) + chunks * sizeof(double) + 8 * 64));
        int Take(int bytes)
        {
            if (!_scratch.TryAllocate(bytes, out var offset, 64)) throw new InvalidOperationException("The sampler's scratch is too small.");
            return offset;
        }
        _keys = Take(vocabSize * sizeof(ulong));
        _weights = Take(vocabSize * sizeof(double));
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

    /// <summary>
    /// The next token of a row of which only the best logits are known: the same as from the full row, for requests that change no logits and are greedy
    /// or keep no more than these (top_k; the other filters look only at what top_k leaves). <paramref name="logprob"/> and <paramref name="top"/> as
    /// for <see cref="Sample"/>.
    /// </summary>
    public int SampleTop(in TopLogits best, in SamplingInput input, out float logprob, Span<TokenLogprob> top, out int topCount)
    {
        var logSum = input.Logprobs ? best.LogSumExp : 0;
        topCount = input.Logprobs ? Math.Min(top.Length, best.Ids.Length) : 0;
        for (var i = 0; i < topCount; i++) top[i] = new TokenLogprob(best.Ids[i], (float)(best.Logits[i] - logSum));
        var token = DrawTop(best, input);
        var at = best.Ids.IndexOf(token);
        logprob = input.Logprobs ? (float)((at >= 0 ? best.Logits[at] : float.NegativeInfinity) - logSum) : 0f;
        return token;
    }

    private int DrawTop(in TopLogits best, in SamplingInput input)
    {
        var parameters = input.Parameters;
        if (best.Ids.IsEmpty) return 0; // nothing is above −∞: as of the full row
        if (parameters.IsGreedy || float.IsInfinity(best.Largest)) return best.Ids[0];
        var count = Math.Min(parameters.TopK, best.Ids.Length);
        for (var i = 0; i < count; i++) Keys[i] = LogitMath.Key(best.Logits[i], best.Ids[i]);
        var scale = 1f / parameters.Temperature;
        count = Filter(CutTop(count, best.Largest, scale, parameters), best.Largest, scale, parameters, out var sum);
        return Pick(count, Uniform(input) * sum);
    }

    private static double Uniform(in SamplingInput input) => CounterRandom.Uniform(input.Seed, input.Choice, input.History.Length - input.PromptLength);

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
        var uniform = Uniform(input);
        var max = LogitMath.Max(logits);
        if (float.IsInfinity(max)) return LogitMath.ArgMax(logits); // nothing, or certainty
        if (!IsFiltered(parameters)) return DrawFromAll(logits, max, 1f / parameters.Temperature, uniform);

        var count = Select(logits, max, parameters, out var sum);
        return Pick(count, uniform * sum);
    }

    /// <summary>Inverse of the cumulative distribution in the order of the keys.</summary>
    private int Pick(int count, double target)
    {
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
    /// What the filters leave, in <see cref="Keys"/> and <see cref="Weights"/>, in an order that depends on the logits alone; returns how many and their sum.
    /// top_k, top_p and min_p each keep the most probable tokens down to some border, so that only what is near a border is ever sorted.
    /// </summary>
    private int Select(ReadOnlySpan<float> logits, float max, in SamplingParameters parameters, out double sum)
    {
        var scale = 1f / parameters.Temperature;
        int count;
        if (parameters.TopK > 0 && parameters.TopK < _vocabSize)
        {
            count = CutTop(CollectBest(logits, parameters.TopK), max, scale, parameters);
        }
        else if (parameters.TopP < 1f || parameters.MinP > 0f)
        {
            count = CollectReach(logits, max, scale, parameters);
        }
        else
        {
            count = LogitMath.CollectAtLeast(logits, float.MinValue, Keys);
            Weigh(count, max, scale);
        }
        return Filter(count, max, scale, parameters, out sum);
    }

    /// <summary>top_p over what top_k left.</summary>
    private int CutTop(int count, float max, float scale, in SamplingParameters parameters)
    {
        var all = Weigh(count, max, scale);
        return parameters.TopP < 1f ? CutAtMass(count, parameters.TopP * all) : count;
    }

    /// <summary>min_p and typical_p over what top_k and top_p left; the sum of the weights.</summary>
    private int Filter(int count, float max, float scale, in SamplingParameters parameters, out double sum)
    {
        if (parameters.MinP > 0f) count = CutBelow(count, parameters.MinP);
        if (parameters.TypicalP < 1f) count = SelectTypical(count, max, scale, parameters.TypicalP);

        sum = 0;
        foreach (var weight in Weights[..count]) sum += weight;
        return count;
    }

    /// <summary>Fills the weights of the first <paramref name="count"/> keys; returns their sum.</summary>
    private double Weigh(int count, float max, float scale)
    {
        _used = Math.Max(_used, count);
        var keys = Keys[..count];
        var weights = Weights[..count];
        double sum = 0;
        for (var i = 0; i < count; i++) sum += weights[i] = LogitMath.Weight(LogitMath.KeyLogit(keys[i]), max, scale);
        return sum;
    }

    /// <summary>The best k.</summary>
    private int CollectBest(ReadOnlySpan<float> logits, int k)
    {
        if (k <= MaxListLength) return LogitMath.CollectTop(logits, k, Keys);
        var count = LogitMath.CollectAtLeast(logits, float.MinValue, Keys);
        _used = Math.Max(_used, count);
        if (k >= count) return count;
        LogitMath.PartitionLargest(Keys[..count], k);
        return k;
    }

    /// <summary>What top_p leaves of the whole vocabulary; without top_p, all that min_p can reach.</summary>
    private int CollectReach(ReadOnlySpan<float> logits, float max, float scale, in SamplingParameters parameters)
    {
        // A little more than min_p's own bound, for rounding: what is exact is decided on the weights.
        var bound = parameters.MinP > 0f ? -MathF.Log(parameters.MinP) + 0.01f : float.PositiveInfinity;
        var target = parameters.TopP < 1f ? parameters.TopP * LogitMath.SumExp(logits, max, scale) : double.PositiveInfinity;
        for (var reach = parameters.TopP < 1f ? FirstReach : bound; ; reach *= 2)
        {
            reach = Math.Min(reach, bound);
            var threshold = reach >= MaxReach ? float.MinValue : max - reach / scale;
            var count = LogitMath.CollectAtLeast(logits, threshold, Keys);
            var mass = Weigh(count, max, scale);
            if (mass >= target * (1 + 1e-6) || reach >= bound || reach >= MaxReach || threshold <= float.MinValue)
                return parameters.TopP < 1f ? CutAtMass(count, target) : count;
        }
    }

    /// <summary>
    /// Moves the smallest set of best tokens whose weights reach <paramref name="target"/> to the front and returns its size, at least 1:
    /// quickselect by weight instead of rank, then a sort of the few tokens around the border.
    /// </summary>
    private int CutAtMass(int count, double target)
    {
        var keys = Keys;
        var weights = Weights;
        int low = 0, high = count; // the border lies within
        double reached = 0; // by all before low
        while (high - low > BorderLength)
        {
            var split = PartitionByPivot(keys, weights, low, high);
            double mass = 0;
            foreach (var weight in weights[low..split]) mass += weight;
            if (reached + mass >= target)
            {
                high = split;
            }
            else
            {
                reached += mass;
                low = split;
            }
        }
        for (var i = low + 1; i < high; i++)
            for (var j = i; j > low && keys[j - 1] < keys[j]; j--) Swap(keys, weights, j - 1, j);

        var kept = low;
        while (kept < high && (kept == 0 || reached < target)) reached += weights[kept++];
        return kept;
    }

    /// <summary>Larger keys to the front of [low, high); returns where the others begin, strictly between the two.</summary>
    private static int PartitionByPivot(Span<ulong> keys, Span<double> weights, int low, int high)
    {
        ulong a = keys[low], b = keys[(low + high) >>> 1], c = keys[high - 1];
        var pivot = Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
        int i = low, j = high - 1;
        while (true)
        {
            while (keys[i] > pivot) i++;
            while (keys[j] < pivot) j--;
            if (i >= j) return i == low ? low + 1 : i;
            Swap(keys, weights, i++, j--);
        }
    }

    private static void Swap(Span<ulong> keys, Span<double> weights, int i, int j)
    {
        (keys[i], keys[j]) = (keys[j], keys[i]);
        (weights[i], weights[j]) = (weights[j], weights[i]);
    }

    /// <summary>Keeps weights of at least <paramref name="minP"/>, the best token's being 1, and the best token whatever happens.</summary>
    private int CutBelow(int count, float minP)
    {
        var keys = Keys[..count];
        var weights = Weights[..count];
        int kept = 0, best = 0;
        for (var i = 1; i < count; i++)
            if (keys[i] > keys[best]) best = i;
        Swap(keys, weights, 0, best);
        for (var i = 0; i < count; i++)
            if (i == 0 || weights[i] >= minP) (keys[kept], weights[kept++]) = (keys[i], weights[i]);
        return kept;
    }

    /// <summary>
    /// Of the first <paramref name="count"/>, those whose −log p is nearest to the entropy until their sum reaches <paramref name="typicalP"/>.
    /// Their keys get the distance in place of the logit, nearest largest, so that the border is found like top_p's.
    /// </summary>
    private int SelectTypical(int count, float max, float scale, float typicalP)
    {
        var keys = Keys[..count];
        var weights = Weights[..count];
        double sum = 0;
        foreach (var weight in weights) sum += weight;
        var logSum = Math.Log(sum);
        double entropy = 0;
        for (var i = 0; i < count; i++)
            if (weights[i] > 0) entropy += weights[i] / sum * Surprise(keys[i], max, scale, logSum);
        for (var i = 0; i < count; i++)
            keys[i] = LogitMath.Key(-(float)Math.Abs(Surprise(keys[i], max, scale, logSum) - entropy), LogitMath.KeyToken(keys[i]));
        return CutAtMass(count, typicalP * sum);
    }

    /// <summary>−log p.</summary>
    private static double Surprise(ulong key, float max, float scale, double logSum) => logSum - ((double)(LogitMath.KeyLogit(key) - max) * scale);

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
        _scratch.Values<float>(_raw, _vocabSize).Clear();
        _scratch.Bytes(_chunks, (_vocabSize + LogitMath.ChunkLength - 1) / LogitMath.ChunkLength * sizeof(double)).Clear();
        _used = 0;
    }

    public void Dispose() => _scratch.Dispose();
}

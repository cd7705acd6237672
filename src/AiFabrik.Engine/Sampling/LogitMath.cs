using System.Numerics;

namespace AiFabrik.Engine.Sampling;

/// <summary>Passes over a row of logits [VocabSize], vectorised. NaN counts as −∞.</summary>
internal static class LogitMath
{
    /// <summary>Elements whose exponentials are summed in float before they go into a double.</summary>
    public const int ChunkLength = 256;

    /// <summary>The largest logit; −∞ for none.</summary>
    public static float Max(ReadOnlySpan<float> logits)
    {
        var lanes = new Vector<float>(float.NegativeInfinity);
        var i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var v = new Vector<float>(logits[i..]);
            lanes = Vector.ConditionalSelect(Vector.GreaterThan(v, lanes), v, lanes);
        }
        var max = float.NegativeInfinity;
        for (var lane = 0; lane < Vector<float>.Count; lane++)
            if (lanes[lane] > max) max = lanes[lane];
        for (; i < logits.Length; i++)
            if (logits[i] > max) max = logits[i];
        return max;
    }

    /// <summary>The best token, ties to the lowest id; 0 where nothing is above −∞.</summary>
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        var max = Max(logits);
        var lanes = new Vector<float>(max);
        var i = 0;
        while (i <= logits.Length - Vector<float>.Count && !Vector.EqualsAny(new Vector<float>(logits[i..]), lanes)) i += Vector<float>.Count;
        for (; i < logits.Length; i++)
            if (logits[i] == max) return i;
        return 0;
    }

    /// <summary>Σ exp((logit − max) · scale). Where given, <paramref name="chunkSums"/>[c] is the sum of the c-th <see cref="ChunkLength"/> elements.</summary>
    public static double SumExp(ReadOnlySpan<float> logits, float max, float scale, Span<double> chunkSums = default)
    {
        double sum = 0;
        for (int start = 0, chunk = 0; start < logits.Length; start += ChunkLength, chunk++)
        {
            var part = SumExpChunk(logits.Slice(start, Math.Min(ChunkLength, logits.Length - start)), max, scale);
            if (chunk < chunkSums.Length) chunkSums[chunk] = part;
            sum += part;
        }
        return sum;
    }

    private static double SumExpChunk(ReadOnlySpan<float> logits, float max, float scale)
    {
        var shift = new Vector<float>(max);
        var factor = new Vector<float>(scale);
        var lanes = Vector<float>.Zero;
        var i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var e = Vector.Exp((new Vector<float>(logits[i..]) - shift) * factor);
            lanes += Vector.ConditionalSelect(Vector.Equals(e, e), e, Vector<float>.Zero);
        }
        double sum = Vector.Sum(lanes);
        for (; i < logits.Length; i++) sum += Weight(logits[i], max, scale);
        return sum;
    }

    /// <summary>exp((logit − max) · scale) of one token, 0 for NaN.</summary>
    public static double Weight(float logit, float max, float scale)
    {
        var e = Math.Exp((double)(logit - max) * scale);
        return double.IsNaN(e) ? 0 : e;
    }

    /// <summary>
    /// Sorts like (logit descending, id ascending) when sorted descending. The id is in the low half, inverted.
    /// </summary>
    public static ulong Key(float logit, int id)
    {
        var bits = BitConverter.SingleToUInt32Bits(logit + 0f); // + 0: −0 and 0 are one value
        bits ^= (bits & 0x80000000) != 0 ? 0xFFFFFFFF : 0x80000000;
        return (ulong)bits << 32 | ~(uint)id;
    }

    public static float KeyLogit(ulong key)
    {
        var bits = (uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle((bits & 0x80000000) != 0 ? bits ^ 0x80000000 : ~bits);
    }

    public static int KeyToken(ulong key) => (int)~(uint)key;

    /// <summary>Writes the keys of all logits that are at least <paramref name="threshold"/> and above −∞, in the order of ids. Returns how many.</summary>
    public static int CollectAtLeast(ReadOnlySpan<float> logits, float threshold, Span<ulong> keys)
    {
        threshold = Math.Max(threshold, float.MinValue);
        var lanes = new Vector<float>(threshold);
        var count = 0;
        var i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            if (!Vector.GreaterThanOrEqualAny(new Vector<float>(logits[i..]), lanes)) continue;
            for (var j = i; j < i + Vector<float>.Count; j++)
                if (logits[j] >= threshold) keys[count++] = Key(logits[j], j);
        }
        for (; i < logits.Length; i++)
            if (logits[i] >= threshold) keys[count++] = Key(logits[i], i);
        return count;
    }

    /// <summary>
    /// The keys of the best <paramref name="k"/> logits (fewer where fewer are above −∞), descending. One pass with a sorted list of k: for small k.
    /// </summary>
    public static int CollectTop(ReadOnlySpan<float> logits, int k, Span<ulong> keys)
    {
        if (k <= 0) return 0;
        var count = 0;
        var worst = float.NegativeInfinity; // of the list, once it is full
        var i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            if (!Vector.GreaterThanAny(new Vector<float>(logits[i..]), new Vector<float>(worst))) continue;
            for (var j = i; j < i + Vector<float>.Count; j++)
                if (logits[j] > worst) Insert(logits, j, k, keys, ref count, ref worst);
        }
        for (; i < logits.Length; i++)
            if (logits[i] > worst) Insert(logits, i, k, keys, ref count, ref worst);
        return count;
    }

    private static void Insert(ReadOnlySpan<float> logits, int id, int k, Span<ulong> keys, ref int count, ref float worst)
    {
        var key = Key(logits[id], id);
        var at = count < k ? count++ : k - 1;
        for (; at > 0 && keys[at - 1] < key; at--) keys[at] = keys[at - 1];
        keys[at] = key;
        if (count == k) worst = logits[KeyToken(keys[k - 1])];
    }

    /// <summary>Reorders so that the <paramref name="k"/> largest keys come first, in any order (Hoare's selection, middle of three).</summary>
    public static void PartitionLargest(Span<ulong> keys, int k)
    {
        var low = 0;
        var high = keys.Length - 1;
        while (low < high)
        {
            ulong a = keys[low], b = keys[(low + high) >>> 1], c = keys[high];
            var pivot = Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
            int i = low, j = high;
            while (i <= j)
            {
                while (keys[i] > pivot) i++;
                while (keys[j] < pivot) j--;
                if (i > j) break;
                (keys[i], keys[j]) = (keys[j], keys[i]);
                i++;
                j--;
            }
            if (k - 1 <= j) high = j;
            else if (k - 1 >= i) low = i;
            else return;
        }
    }
}

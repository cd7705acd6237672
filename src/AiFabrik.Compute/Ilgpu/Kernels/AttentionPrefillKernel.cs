using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>
/// What <see cref="AttentionKernel"/> computes, for up to 16 consecutive tokens of a sequence at a time. tiles [tiles, 2] int32 = first row
/// and rows of each; the other operands as there.
/// One group serves one query head of a tile: for each 64 positions every work-item scores one position against all queries, so that a key
/// is loaded once for 16 tokens; then an online softmax (Dao et al. 2022); then each work-item adds up two dimensions of the values for
/// eight queries. Bytes: 4·HeadStride a position for each 16 tokens and head; operations 4·HeadDim a position, token and head. Bound by
/// arithmetic.
/// Reference: Reference/AttentionOps.cs.
/// </summary>
internal static class AttentionPrefillKernel
{
    public const int GroupSize = 64, Chunk = 64;

    /// <summary>Tokens of a tile at most, and tokens of a sequence in a step from which tiles pay.</summary>
    public const int TileTokens = 16, TokensMin = 4;

    /// <summary>Work-items that share a query in the softmax.</summary>
    private const int Lanes = GroupSize / TileTokens;

    public static KernelConfig Config(in AttentionShape shape, int tiles) => new(new Index3D(tiles, shape.NHeads, 1), new Index3D(GroupSize, 1, 1));

    public static void Run(
        ArrayView<float> output, ArrayView<float> qkv, ArrayView<Quad> cacheQuads, ArrayView<uint> cacheWords, ArrayView<int> tiles, ArrayView<int> positions, ArrayView<int> sequences,
        ArrayView<int> tables, ArrayView<float> sinks, AttentionShape shape)
    {
        var q = SharedMemory.Allocate<float>(AttentionKernel.HeadDimMax * TileTokens);
        var sums = SharedMemory.Allocate<float>(AttentionKernel.HeadDimMax * TileTokens);
        var scores = SharedMemory.Allocate<float>(Chunk * TileTokens);
        var partsOf = SharedMemory.Allocate<float>(GroupSize);
        var state = SharedMemory.Allocate<float>(TileTokens * 3);
        var rows = SharedMemory.Allocate<int>(Chunk);

        int item = Group.IdxX, head = Grid.IdxY, kvHead = head / (shape.NHeads / shape.NKvHeads);
        int firstRow = tiles[Grid.IdxX * 2], count = tiles[Grid.IdxX * 2 + 1], position = positions[firstRow];
        int start = shape.Window > 0 ? IntrinsicMath.Max(position - shape.Window + 1, 0) : 0, end = position + count;
        var table = sequences[firstRow] * shape.MaxBlocks;

        for (var i = item; i < shape.HeadStride * TileTokens; i += GroupSize)
        {
            int d = i / TileTokens, t = i - d * TileTokens;
            var value = 0f;
            if (t < count && d < shape.HeadDim) value = qkv[(firstRow + t) * shape.QStride + head * shape.HeadDim + d] * shape.Scale;
            q[i] = value;
            sums[i] = 0f;
        }
        if (item < TileTokens)
        {
            state[item] = float.NegativeInfinity;
            state[TileTokens + item] = 0f;
        }
        Group.Barrier();

        for (var first = start; first < end; first += Chunk)
        {
            Scores(q, scores, rows, cacheQuads, tables, table, first + item, position, count, kvHead, item, shape);
            Group.Barrier();
            Softmax(scores, partsOf, state, item);
            Values(sums, scores, rows, state, cacheWords, IntrinsicMath.Min(end - first, Chunk), item, shape);
            Group.Barrier();
        }
        var sink = shape.HasSinks != 0 ? sinks[head] : float.NegativeInfinity;
        for (var i = item; i < shape.HeadDim * count; i += GroupSize)
        {
            int t = i / shape.HeadDim, d = i - t * shape.HeadDim;
            output[(firstRow + t) * shape.OutStride + head * shape.HeadDim + d] = AttentionKernel.Normalize(sums[d * TileTokens + t], state[t], state[TileTokens + t], sink);
        }
    }

    /// <summary>Scores of position j for all queries, −∞ where a query may not see it.</summary>
    private static void Scores(
        ArrayView<float> q, ArrayView<float> scores, ArrayView<int> rows, ArrayView<Quad> cache, ArrayView<int> tables, int table, int j, int position, int count, int kvHead,
        int item, AttentionShape shape)
    {
        Float8 low = default, high = default;
        var isThere = j < position + count;
        if (isThere)
        {
            int entry = j / shape.BlockSize, within = j - entry * shape.BlockSize;
            var row = (tables[table + entry] * 2 * shape.BlockSize + within) * shape.NKvHeads * shape.HeadStride + kvHead * shape.HeadStride;
            rows[item] = row;
            for (var d = 0; d < shape.HeadStride; d += 8)
            {
                var k = AttentionKernel.Halves(cache[row + d >> 3]);
                var at = d * TileTokens;
                low = Score(k, q, at, low);
                high = Score(k, q, at + 8, high);
            }
        }
        var to = item * TileTokens;
        Put(scores, to, Mask(low.A, j, position, isThere, shape), Mask(low.B, j, position + 1, isThere, shape), Mask(low.C, j, position + 2, isThere, shape), Mask(low.D, j, position + 3, isThere, shape));
        Put(scores, to + 4, Mask(low.E, j, position + 4, isThere, shape), Mask(low.F, j, position + 5, isThere, shape), Mask(low.G, j, position + 6, isThere, shape), Mask(low.H, j, position + 7, isThere, shape));
        Put(scores, to + 8, Mask(high.A, j, position + 8, isThere, shape), Mask(high.B, j, position + 9, isThere, shape), Mask(high.C, j, position + 10, isThere, shape), Mask(high.D, j, position + 11, isThere, shape));
        Put(scores, to + 12, Mask(high.E, j, position + 12, isThere, shape), Mask(high.F, j, position + 13, isThere, shape), Mask(high.G, j, position + 14, isThere, shape), Mask(high.H, j, position + 15, isThere, shape));
    }

    /// <summary>sums + Σ k[i] · q[i, eight queries].</summary>
    private static Float8 Score(Float8 k, ArrayView<float> q, int at, Float8 sums)
    {
        sums = Vectors.MultiplyAdd(k.A, Eight(q, at), sums);
        sums = Vectors.MultiplyAdd(k.B, Eight(q, at + TileTokens), sums);
        sums = Vectors.MultiplyAdd(k.C, Eight(q, at + 2 * TileTokens), sums);
        sums = Vectors.MultiplyAdd(k.D, Eight(q, at + 3 * TileTokens), sums);
        sums = Vectors.MultiplyAdd(k.E, Eight(q, at + 4 * TileTokens), sums);
        sums = Vectors.MultiplyAdd(k.F, Eight(q, at + 5 * TileTokens), sums);
        sums = Vectors.MultiplyAdd(k.G, Eight(q, at + 6 * TileTokens), sums);
        return Vectors.MultiplyAdd(k.H, Eight(q, at + 7 * TileTokens), sums);
    }

    private static float Mask(float score, int j, int position, bool isThere, AttentionShape shape)
    {
        if (shape.Softcap > 0f) score = SoftcapKernel.Cap(score, shape.Softcap);
        return isThere && j <= position && (shape.Window == 0 || j > position - shape.Window) ? score : float.NegativeInfinity;
    }

    private static void Put(ArrayView<float> scores, int at, float a, float b, float c, float d)
    {
        scores[at] = a;
        scores[at + 1] = b;
        scores[at + 2] = c;
        scores[at + 3] = d;
    }

    /// <summary>
    /// Scores to exp(score − maximum so far); state = maxima, sums, factors for what was summed under the old maximum. Four work-items
    /// share a query, which may see nothing of the chunk. Ends with a barrier.
    /// </summary>
    private static void Softmax(ArrayView<float> scores, ArrayView<float> partsOf, ArrayView<float> state, int item)
    {
        int t = item / Lanes, lane = item - t * Lanes;
        var most = float.NegativeInfinity;
        for (var j = lane; j < Chunk; j += Lanes) most = IntrinsicMath.Max(most, scores[j * TileTokens + t]);
        partsOf[item] = most;
        Group.Barrier();
        var before = state[t];
        most = before;
        for (var i = 0; i < Lanes; i++) most = IntrinsicMath.Max(most, partsOf[t * Lanes + i]);
        Group.Barrier();
        // Subtracting 0 where nothing was seen yet keeps −∞ − (−∞) away: every exponential is then 0.
        var zero = most == float.NegativeInfinity ? 0f : most;
        var sum = 0f;
        for (var j = lane; j < Chunk; j += Lanes)
        {
            var p = XMath.Exp(scores[j * TileTokens + t] - zero);
            scores[j * TileTokens + t] = p;
            sum += p;
        }
        partsOf[item] = sum;
        Group.Barrier();
        if (lane == 0)
        {
            var total = 0f;
            for (var i = 0; i < Lanes; i++) total += partsOf[t * Lanes + i];
            var factor = XMath.Exp(before - zero);
            state[t] = most;
            state[TileTokens + t] = state[TileTokens + t] * factor + total;
            state[2 * TileTokens + t] = factor;
        }
        Group.Barrier();
    }

    /// <summary>sums = sums·factor + Σ_j p_j·V_j; a work-item owns two dimensions for eight queries.</summary>
    private static void Values(
        ArrayView<float> sums, ArrayView<float> scores, ArrayView<int> rows, ArrayView<float> state, ArrayView<uint> cache, int count, int item, AttentionShape shape)
    {
        var toValues = shape.BlockSize * shape.NKvHeads * shape.HeadStride;
        for (var i = item; i < shape.HeadStride; i += GroupSize)
        {
            int d = i >> 1 << 1, queries = (i & 1) * 8, at = d * TileTokens + queries;
            var factors = Eight(state, 2 * TileTokens + queries);
            Float8 low = Times(Eight(sums, at), factors), high = Times(Eight(sums, at + TileTokens), factors);
            for (var j = 0; j < count; j++)
            {
                var pair = cache[rows[j] + toValues + d >> 1];
                var p = Eight(scores, j * TileTokens + queries);
                low = Vectors.MultiplyAdd(NumberFormats.FromHalf(pair & 0xFFFF), p, low);
                high = Vectors.MultiplyAdd(NumberFormats.FromHalf(pair >> 16), p, high);
            }
            Put(sums, at, low.A, low.B, low.C, low.D);
            Put(sums, at + 4, low.E, low.F, low.G, low.H);
            Put(sums, at + TileTokens, high.A, high.B, high.C, high.D);
            Put(sums, at + TileTokens + 4, high.E, high.F, high.G, high.H);
        }
    }

    private static Float8 Eight(ArrayView<float> values, int at) => new()
    {
        A = values[at], B = values[at + 1], C = values[at + 2], D = values[at + 3], E = values[at + 4], F = values[at + 5], G = values[at + 6], H = values[at + 7],
    };

    private static Float8 Times(Float8 a, Float8 b) => new()
    {
        A = a.A * b.A, B = a.B * b.B, C = a.C * b.C, D = a.D * b.D, E = a.E * b.E, F = a.F * b.F, G = a.G * b.G, H = a.H * b.H,
    };
}

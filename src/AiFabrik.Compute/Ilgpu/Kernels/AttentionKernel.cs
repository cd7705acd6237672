using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="AttentionKernel"/> and <see cref="AttentionCombineKernel"/>.</summary>
internal struct AttentionShape
{
    /// <summary>Rows of the step that the launch serves: all that its list of rows names.</summary>
    public int Rows;

    public int NHeads, NKvHeads, HeadDim, HeadStride, BlockSize;

    /// <summary>Entries of a sequence's block table.</summary>
    public int MaxBlocks;

    /// <summary>Floats of a qkv row and of an output row.</summary>
    public int QStride, OutStride;

    /// <summary>0: everything; else a token sees itself and the Window − 1 before it.</summary>
    public int Window;

    /// <summary>Parts of the context that different groups work on, and positions in each: a multiple of <see cref="AttentionKernel.Chunk"/>.</summary>
    public int Splits, SplitLength;

    /// <summary>Groups for the query heads of one key/value head: each serves <see cref="AttentionKernel.HeadsAtOnce"/>.</summary>
    public int HeadBlocks;

    public int HasSinks;
    public float Scale, Softcap;
}

/// <summary>
/// out[t, h, :] = Σ_j softmax_j(cap(Scale · q[t, h]·K[j, h'])) V[j, h'] over positions first(t) ≤ j ≤ pos(t) of the token's sequence, paged.
/// The launch serves the rows t in list [Rows] int32; a row at position −1 sees nothing and gives 0. qkv [T, QStride] float32; cache of a layer: blocks [2][slot][NKvHeads][HeadStride] IEEE half (keys, then values); block tables
/// [sequences, MaxBlocks] int32; sinks [NHeads] float32; out [T, OutStride] float32.
/// One group serves up to four query heads of one key/value head, which share each load, over one split of the context: scores of 64
/// positions at a time, then an online softmax (Milakov and Gimelshein 2018; Dao et al. 2022), then the values. With more than one split it
/// leaves maximum, sum and unnormalised output in partials [Rows, NHeads, Splits, 2 + HeadStride] for <see cref="AttentionCombineKernel"/>.
/// Bytes: 4·HeadStride a position and key/value head (for each four query heads); operations 4·HeadDim a position and query head. Bound
/// by memory when one token a sequence is decoded.
/// Reference: Reference/AttentionOps.cs.
/// </summary>
internal static class AttentionKernel
{
    public const int GroupSize = 64, Chunk = 64, HeadsAtOnce = 4;

    /// <summary>Head sizes up to which queries and sums fit in shared memory.</summary>
    public const int HeadDimMax = 256;

    /// <summary>Splits of a context at most, and tokens in a step up to which it is split.</summary>
    public const int SplitsMax = 16, SplitTokensMax = 16;

    /// <summary>Positions below which a split does not pay for the second pass.</summary>
    private const int SplitLengthMin = 128;

    private const int Lanes = GroupSize / HeadsAtOnce;

    /// <summary>Chooses how to split a context of at most <paramref name="longest"/> positions.</summary>
    public static void Split(ref AttentionShape shape, int longest)
    {
        var splits = shape.Rows > SplitTokensMax ? 1 : Math.Clamp(longest / SplitLengthMin, 1, SplitsMax);
        var length = (longest + splits - 1) / splits;
        shape.SplitLength = Math.Max((length + Chunk - 1) / Chunk * Chunk, Chunk);
        shape.Splits = Math.Max((longest + shape.SplitLength - 1) / shape.SplitLength, 1);
    }

    /// <summary>Floats of partials that a step may need.</summary>
    public static long PartialFloats(int maxTokens, int heads, int headStride) => (long)Math.Min(maxTokens, SplitTokensMax) * heads * SplitsMax * (2 + headStride);

    public static KernelConfig Config(in AttentionShape shape) =>
        new(new Index3D(shape.Rows, shape.NKvHeads * shape.HeadBlocks, shape.Splits), new Index3D(GroupSize, 1, 1));

    public static void Run(
        ArrayView<float> output, ArrayView<float> partials, ArrayView<float> qkv, ArrayView<Quad> cacheQuads, ArrayView<uint> cacheWords,
        ArrayView<int> list, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, ArrayView<float> sinks, AttentionShape shape)
    {
        var q = SharedMemory.Allocate<float>(HeadsAtOnce * HeadDimMax);
        var sums = SharedMemory.Allocate<float>(HeadsAtOnce * HeadDimMax);
        var scores = SharedMemory.Allocate<float>(HeadsAtOnce * Chunk);
        var partsOf = SharedMemory.Allocate<float>(GroupSize);
        var state = SharedMemory.Allocate<float>(HeadsAtOnce * 3);
        var rows = SharedMemory.Allocate<int>(Chunk);

        int item = Group.IdxX, t = list[Grid.IdxX], kvHead = Grid.IdxY / shape.HeadBlocks, ratio = shape.NHeads / shape.NKvHeads;
        int headInBlock = (Grid.IdxY - kvHead * shape.HeadBlocks) * HeadsAtOnce, firstHead = kvHead * ratio + headInBlock;
        var heads = IntrinsicMath.Min(HeadsAtOnce, ratio - headInBlock);
        int position = positions[t], windowFirst = shape.Window > 0 ? IntrinsicMath.Max(position - shape.Window + 1, 0) : 0;
        int start = IntrinsicMath.Max(windowFirst, Grid.IdxZ * shape.SplitLength), end = IntrinsicMath.Min(position + 1, (Grid.IdxZ + 1) * shape.SplitLength);
        var table = sequences[t] * shape.MaxBlocks;

        for (var i = item; i < HeadsAtOnce * shape.HeadStride; i += GroupSize)
        {
            int h = i / shape.HeadStride, d = i - h * shape.HeadStride;
            var value = 0f;
            if (h < heads && d < shape.HeadDim) value = qkv[t * shape.QStride + (firstHead + h) * shape.HeadDim + d] * shape.Scale;
            q[h * HeadDimMax + d] = value;
            sums[h * HeadDimMax + d] = 0f;
        }
        if (item < HeadsAtOnce)
        {
            state[item] = float.NegativeInfinity;
            state[HeadsAtOnce + item] = 0f;
        }
        Group.Barrier();

        for (var first = start; first < end; first += Chunk)
        {
            Scores(q, scores, rows, cacheQuads, tables, table, first + item, end, kvHead, item, shape);
            Group.Barrier();
            Softmax(scores, partsOf, state, item);
            Values(sums, scores, rows, state, cacheWords, IntrinsicMath.Min(end - first, Chunk), item, shape);
            Group.Barrier();
        }
        Finish(output, partials, sinks, sums, state, t, firstHead, heads, item, shape);
    }

    /// <summary>Scores of position j for the group's heads; rows = where the position's key stands in the cache.</summary>
    private static void Scores(
        ArrayView<float> q, ArrayView<float> scores, ArrayView<int> rows, ArrayView<Quad> cache, ArrayView<int> tables, int table, int j, int end, int kvHead, int item,
        AttentionShape shape)
    {
        float s0 = float.NegativeInfinity, s1 = s0, s2 = s0, s3 = s0;
        if (j < end)
        {
            int entry = j / shape.BlockSize, within = j - entry * shape.BlockSize;
            var row = (tables[table + entry] * 2 * shape.BlockSize + within) * shape.NKvHeads * shape.HeadStride + kvHead * shape.HeadStride;
            rows[item] = row;
            s0 = s1 = s2 = s3 = 0f;
            var quad = row >> 3;
            for (var d = 0; d < shape.HeadStride; d += 8)
            {
                var k = Halves(cache[quad + (d >> 3)]);
                s0 += Dot(k, q, d);
                s1 += Dot(k, q, HeadDimMax + d);
                s2 += Dot(k, q, 2 * HeadDimMax + d);
                s3 += Dot(k, q, 3 * HeadDimMax + d);
            }
            if (shape.Softcap > 0f)
            {
                s0 = SoftcapKernel.Cap(s0, shape.Softcap);
                s1 = SoftcapKernel.Cap(s1, shape.Softcap);
                s2 = SoftcapKernel.Cap(s2, shape.Softcap);
                s3 = SoftcapKernel.Cap(s3, shape.Softcap);
            }
        }
        scores[item] = s0;
        scores[Chunk + item] = s1;
        scores[2 * Chunk + item] = s2;
        scores[3 * Chunk + item] = s3;
    }

    /// <summary>
    /// Scores to exp(score − maximum so far); state = maxima, sums, factors for what was summed under the old maximum. Sixteen work-items
    /// share a head. Ends with a barrier.
    /// </summary>
    private static void Softmax(ArrayView<float> scores, ArrayView<float> partsOf, ArrayView<float> state, int item)
    {
        int head = item / Lanes, lane = item - head * Lanes, at = head * Chunk + lane;
        float a = scores[at], b = scores[at + Lanes], c = scores[at + 2 * Lanes], d = scores[at + 3 * Lanes];
        partsOf[item] = IntrinsicMath.Max(IntrinsicMath.Max(a, b), IntrinsicMath.Max(c, d));
        Group.Barrier();
        var before = state[head];
        var most = before;
        for (var i = 0; i < Lanes; i++) most = IntrinsicMath.Max(most, partsOf[head * Lanes + i]);
        Group.Barrier();
        a = XMath.Exp(a - most);
        b = XMath.Exp(b - most);
        c = XMath.Exp(c - most);
        d = XMath.Exp(d - most);
        scores[at] = a;
        scores[at + Lanes] = b;
        scores[at + 2 * Lanes] = c;
        scores[at + 3 * Lanes] = d;
        partsOf[item] = (a + b) + (c + d);
        Group.Barrier();
        if (lane == 0)
        {
            var sum = 0f;
            for (var i = 0; i < Lanes; i++) sum += partsOf[head * Lanes + i];
            var factor = XMath.Exp(before - most);
            state[head] = most;
            state[HeadsAtOnce + head] = state[HeadsAtOnce + head] * factor + sum;
            state[2 * HeadsAtOnce + head] = factor;
        }
        Group.Barrier();
    }

    /// <summary>sums = sums·factor + Σ_j p_j·V_j; a work-item owns pairs of dimensions.</summary>
    private static void Values(
        ArrayView<float> sums, ArrayView<float> scores, ArrayView<int> rows, ArrayView<float> state, ArrayView<uint> cache, int count, int item, AttentionShape shape)
    {
        float f0 = state[2 * HeadsAtOnce], f1 = state[2 * HeadsAtOnce + 1], f2 = state[2 * HeadsAtOnce + 2], f3 = state[2 * HeadsAtOnce + 3];
        var toValues = shape.BlockSize * shape.NKvHeads * shape.HeadStride;
        for (var d = item * 2; d < shape.HeadStride; d += GroupSize * 2)
        {
            int d1 = HeadDimMax + d, d2 = 2 * HeadDimMax + d, d3 = 3 * HeadDimMax + d;
            float a0 = sums[d] * f0, b0 = sums[d + 1] * f0, a1 = sums[d1] * f1, b1 = sums[d1 + 1] * f1;
            float a2 = sums[d2] * f2, b2 = sums[d2 + 1] * f2, a3 = sums[d3] * f3, b3 = sums[d3 + 1] * f3;
            for (var j = 0; j < count; j++)
            {
                var pair = cache[rows[j] + toValues + d >> 1];
                float x = NumberFormats.FromHalf(pair & 0xFFFF), y = NumberFormats.FromHalf(pair >> 16);
                float p0 = scores[j], p1 = scores[Chunk + j], p2 = scores[2 * Chunk + j], p3 = scores[3 * Chunk + j];
                a0 += p0 * x;
                b0 += p0 * y;
                a1 += p1 * x;
                b1 += p1 * y;
                a2 += p2 * x;
                b2 += p2 * y;
                a3 += p3 * x;
                b3 += p3 * y;
            }
            sums[d] = a0;
            sums[d + 1] = b0;
            sums[d1] = a1;
            sums[d1 + 1] = b1;
            sums[d2] = a2;
            sums[d2 + 1] = b2;
            sums[d3] = a3;
            sums[d3 + 1] = b3;
        }
    }

    private static void Finish(
        ArrayView<float> output, ArrayView<float> partials, ArrayView<float> sinks, ArrayView<float> sums, ArrayView<float> state, int t, int firstHead, int heads, int item,
        AttentionShape shape)
    {
        for (var i = item; i < heads * shape.HeadStride; i += GroupSize)
        {
            int h = i / shape.HeadStride, d = i - h * shape.HeadStride, head = firstHead + h;
            float most = state[h], sum = state[HeadsAtOnce + h], value = sums[h * HeadDimMax + d];
            if (shape.Splits > 1)
            {
                var at = ((Grid.IdxX * shape.NHeads + head) * shape.Splits + Grid.IdxZ) * (2 + shape.HeadStride);
                partials[at + 2 + d] = value;
                if (d == 0)
                {
                    partials[at] = most;
                    partials[at + 1] = sum;
                }
            }
            else if (d < shape.HeadDim)
            {
                output[t * shape.OutStride + head * shape.HeadDim + d] = Normalize(value, most, sum, shape.HasSinks != 0 ? sinks[head] : float.NegativeInfinity);
            }
        }
    }

    /// <summary>value / (sum + exp(sink − most)), rescaled should the sink be the largest of all; 0 where nothing was seen.</summary>
    public static float Normalize(float value, float most, float sum, float sink)
    {
        if (most == float.NegativeInfinity) return 0f;
        var top = IntrinsicMath.Max(most, sink);
        var factor = XMath.Exp(most - top);
        return value * factor / (sum * factor + XMath.Exp(sink - top));
    }

    /// <summary>The eight halves of a quad.</summary>
    public static Float8 Halves(Quad quad) => new()
    {
        A = NumberFormats.FromHalf(quad.X & 0xFFFF), B = NumberFormats.FromHalf(quad.X >> 16), C = NumberFormats.FromHalf(quad.Y & 0xFFFF), D = NumberFormats.FromHalf(quad.Y >> 16),
        E = NumberFormats.FromHalf(quad.Z & 0xFFFF), F = NumberFormats.FromHalf(quad.Z >> 16), G = NumberFormats.FromHalf(quad.W & 0xFFFF), H = NumberFormats.FromHalf(quad.W >> 16),
    };

    private static float Dot(Float8 k, ArrayView<float> q, int at) =>
        ((k.A * q[at] + k.B * q[at + 1]) + (k.C * q[at + 2] + k.D * q[at + 3])) + ((k.E * q[at + 4] + k.F * q[at + 5]) + (k.G * q[at + 6] + k.H * q[at + 7]));
}

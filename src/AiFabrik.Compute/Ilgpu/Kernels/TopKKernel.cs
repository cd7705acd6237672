using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="TopKKernel"/>: columns of the logits, floats between rows, chunks of a row, how many of the best.</summary>
internal struct TopKShape
{
    public int Cols, Stride, Chunks, Count;
}

/// <summary>A logit and its column; <see cref="TopKKernel.None"/> where there is none.</summary>
internal struct Candidate
{
    public float Value;
    public int Index;
}

/// <summary>
/// For each row r in list [rows] int32: the Count ≤ 64 largest of logits[r, :] in descending order, ties by ascending column, NaN and −∞ left out;
/// and total[r] = max, Σ_i exp(logits[r, i] − max). logits [R, Stride] float32; ids [R, 64] int32, −1 where there are no more; best [R, 64] and
/// total [R, 2] float32.
/// Two passes. <see cref="Partial"/>: a work-item finds the largest and the sum of a chunk of 32 values, 64 apart so that neighbours read neighbours,
/// without a barrier. The k best of a row lie in the k chunks with the best largest values: whoever beats a chunk's largest beats all of the chunk. So
/// <see cref="Combine"/>, one group a row, takes the best of the chunks' largest, Count times, and each time looks into that one chunk for its next.
/// Bytes: the logits twice (the second time from cache), 12 for each 32 of them; an exponential each. The first pass is bound by memory, the second by
/// Count rounds of four barriers. Measured share: none yet (no device).
/// Reference: Reference/TopK.cs.
/// </summary>
internal static class TopKKernel
{
    /// <summary>Work-items of the first pass' groups: how far apart a chunk's values are.</summary>
    public const int Lanes = 64;

    /// <summary>Values of a chunk.</summary>
    public const int ChunkLength = 32;

    public const int GroupSize = 256;

    /// <summary>The column of nothing: larger than any, so that it loses every tie.</summary>
    public const int None = int.MaxValue;

    private const int Piece = Lanes * ChunkLength, Leaders = 16;

    /// <summary>Chunks of a row, whole pieces of them.</summary>
    public static int Chunks(int cols) => (cols + Piece - 1) / Piece * Lanes;

    public static KernelConfig PartialConfig(in TopKShape shape, int rows) => new(new Index3D(shape.Chunks / Lanes, rows, 1), new Index3D(Lanes, 1, 1));

    public static KernelConfig CombineConfig(int rows) => new(new Index3D(rows, 1, 1), new Index3D(GroupSize, 1, 1));

    public static void Partial(ArrayView<float> values, ArrayView<int> indices, ArrayView<float> sums, ArrayView<float> logits, ArrayView<int> list, TopKShape shape)
    {
        int item = Group.IdxX, to = Grid.IdxY * shape.Chunks + Grid.IdxX * Lanes + item, row = list[Grid.IdxY] * shape.Stride;
        var first = Grid.IdxX * Piece + item;
        var most = float.NegativeInfinity;
        var index = None;
        for (var i = first; i < IntrinsicMath.Min(first + Piece, shape.Cols); i += Lanes)
        {
            var logit = logits[row + i];
            if (!NumberFormats.IsNaN(logit) && logit > most)
            {
                most = logit;
                index = i;
            }
        }
        var sum = 0f;
        if (index != None)
        {
            for (var i = first; i < IntrinsicMath.Min(first + Piece, shape.Cols); i += Lanes)
            {
                var share = XMath.Exp(logits[row + i] - most);
                if (!NumberFormats.IsNaN(share)) sum += share;
            }
        }
        values[to] = most;
        indices[to] = index;
        sums[to] = sum;
    }

    public static void Combine(
        ArrayView<int> ids, ArrayView<float> best, ArrayView<float> total, ArrayView<float> values, ArrayView<int> indices, ArrayView<float> sums, ArrayView<float> logits,
        ArrayView<int> list, TopKShape shape)
    {
        var sharedValues = SharedMemory.Allocate<float>(GroupSize);
        var sharedIndices = SharedMemory.Allocate<int>(GroupSize);
        var leadValues = SharedMemory.Allocate<float>(Leaders);
        var leadIndices = SharedMemory.Allocate<int>(Leaders);
        int item = Group.IdxX, row = list[Grid.IdxX], from = Grid.IdxX * shape.Chunks;
        var mine = Own(values, indices, from, item, shape.Chunks);
        var top = Best(sharedValues, sharedIndices, leadValues, leadIndices, mine, item);
        var sum = 0f;
        for (var chunk = item; chunk < shape.Chunks; chunk += GroupSize)
        {
            if (indices[from + chunk] != None) sum += sums[from + chunk] * XMath.Exp(values[from + chunk] - top.Value);
        }
        sharedValues[item] = sum;
        Group.Barrier();
        for (var half = GroupSize >> 1; half > 0; half >>= 1)
        {
            if (item < half) sharedValues[item] += sharedValues[item + half];
            Group.Barrier();
        }
        if (item == 0)
        {
            total[row * 2] = top.Value;
            total[row * 2 + 1] = sharedValues[0];
        }
        Group.Barrier();
        for (var k = 0; k < shape.Count; k++)
        {
            if (item == 0)
            {
                ids[row * TopLogits.CountMax + k] = top.Index == None ? -1 : top.Index;
                best[row * TopLogits.CountMax + k] = top.Value;
            }
            // With nothing left, some chunk is looked at in vain: barriers are for all or none.
            int at = top.Index == None ? 0 : top.Index, piece = at / Piece, lane = at % Lanes, chunk = piece * Lanes + lane;
            if (item < ChunkLength)
            {
                var next = Next(logits, row * shape.Stride, piece * Piece + item * Lanes + lane, top, shape.Cols);
                sharedValues[item] = next.Value;
                sharedIndices[item] = next.Index;
            }
            Group.Barrier();
            if (item == chunk % GroupSize)
            {
                var largest = Largest(sharedValues, sharedIndices, 0, ChunkLength);
                values[from + chunk] = largest.Value;
                indices[from + chunk] = largest.Index;
                mine = Own(values, indices, from, item, shape.Chunks);
            }
            Group.Barrier();
            top = Best(sharedValues, sharedIndices, leadValues, leadIndices, mine, item);
        }
    }

    /// <summary>Column i of a row if it comes after <paramref name="top"/> in the order of the best.</summary>
    private static Candidate Next(ArrayView<float> logits, int row, int i, Candidate top, int cols)
    {
        var next = new Candidate { Value = float.NegativeInfinity, Index = None };
        if (i < cols && top.Index != None)
        {
            var logit = logits[row + i];
            if (!NumberFormats.IsNaN(logit) && logit > float.NegativeInfinity && (logit < top.Value || (logit == top.Value && i > top.Index))) next = new Candidate { Value = logit, Index = i };
        }
        return next;
    }

    /// <summary>The best of a work-item's chunks: every <see cref="GroupSize"/>-th.</summary>
    private static Candidate Own(ArrayView<float> values, ArrayView<int> indices, int from, int item, int chunks)
    {
        var best = new Candidate { Value = float.NegativeInfinity, Index = None };
        for (var chunk = item; chunk < chunks; chunk += GroupSize) best = Better(best, new Candidate { Value = values[from + chunk], Index = indices[from + chunk] });
        return best;
    }

    /// <summary>The best of all work-items', known to all of them. Two barriers; what it reads last is written again only behind another.</summary>
    private static Candidate Best(ArrayView<float> sharedValues, ArrayView<int> sharedIndices, ArrayView<float> leadValues, ArrayView<int> leadIndices, Candidate mine, int item)
    {
        sharedValues[item] = mine.Value;
        sharedIndices[item] = mine.Index;
        Group.Barrier();
        if (item < Leaders)
        {
            var lead = Largest(sharedValues, sharedIndices, item * (GroupSize / Leaders), GroupSize / Leaders);
            leadValues[item] = lead.Value;
            leadIndices[item] = lead.Index;
        }
        Group.Barrier();
        return Largest(leadValues, leadIndices, 0, Leaders);
    }

    private static Candidate Largest(ArrayView<float> values, ArrayView<int> indices, int first, int count)
    {
        var best = new Candidate { Value = values[first], Index = indices[first] };
        for (var i = 1; i < count; i++) best = Better(best, new Candidate { Value = values[first + i], Index = indices[first + i] });
        return best;
    }

    private static Candidate Better(Candidate a, Candidate b) => b.Value > a.Value || (b.Value == a.Value && b.Index < a.Index) ? b : a;
}

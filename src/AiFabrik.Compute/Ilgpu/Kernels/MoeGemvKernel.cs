using AiFabrik.Compute.Ilgpu.Kernels.Decoders;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="MoeGemvKernel"/>.</summary>
internal struct MoeShape
{
    /// <summary>Rows of an expert's matrix, units of a row.</summary>
    public int Rows, Units;

    /// <summary>Pairs of a token and one of its experts; experts of a token.</summary>
    public int Pairs, TopK;

    /// <summary>Pair p reads row p / XDivisor of x: TopK where x has a row per token, 1 where it has one per pair.</summary>
    public int XDivisor;

    /// <summary>Float4s between rows of x; floats between rows of y and of the route; where the matrix' first row goes in y.</summary>
    public int XStride, YStride, RouteStride, YOffset;
    public int HasBias, Lanes;
}

/// <summary>
/// y[p, o + r] = Σ_k W[e, r, k]·x[p / XDivisor, k] + bias[e, r] with e = the expert of pair p: gate, up and down of a mixture.
/// W [Experts, Rows, 32·Units] packed, bias [Experts, Rows], x and y float32. Bytes: an expert's matrix for each pair (pairs with the
/// same expert find it in cache at best); operations 2·Rows·K a pair. Bound by memory.
/// Reference: Reference/MoeOps.cs.
/// </summary>
internal static class MoeGemvKernel
{
    public static KernelConfig Config(bool isGpu, ref MoeShape shape)
    {
        var (groupSize, lanes) = GemvKernel.Shape(isGpu, shape.Units);
        shape.Lanes = lanes;
        var rowsPerGroup = groupSize / lanes;
        return new KernelConfig(new Index3D((shape.Rows + rowsPerGroup - 1) / rowsPerGroup, shape.Pairs, 1), new Index3D(groupSize, 1, 1));
    }

    public static void Run<TDecoder>(
        ArrayView<float> y, ArrayView<Float4> x, ArrayView<float> route, ArrayView<Quad> quants, ArrayView<uint> scales, ArrayView<float> bias, MoeShape shape)
        where TDecoder : struct, IBlockDecoder
    {
        var shared = SharedMemory.Allocate<float>(GemvKernel.GroupSizeMax);
        int item = Group.IdxX, lane = item % shape.Lanes, row = Grid.IdxX * (Group.DimX / shape.Lanes) + item / shape.Lanes, pair = Grid.IdxY;
        int token = pair / shape.TopK, expert = (int)route[token * shape.RouteStride + pair - token * shape.TopK];
        var decoder = default(TDecoder);
        var sums = default(Float8);
        if (row < shape.Rows)
        {
            int first = (expert * shape.Rows + row) * shape.Units, from = pair / shape.XDivisor * shape.XStride;
            for (var u = lane; u < shape.Units; u += shape.Lanes)
            {
                var at = from + u * 8;
                sums = Vectors.MultiplyAdd(decoder.Decode(quants, scales, first + u, 0), x[at], x[at + 1], sums);
                sums = Vectors.MultiplyAdd(decoder.Decode(quants, scales, first + u, 1), x[at + 2], x[at + 3], sums);
                sums = Vectors.MultiplyAdd(decoder.Decode(quants, scales, first + u, 2), x[at + 4], x[at + 5], sums);
                sums = Vectors.MultiplyAdd(decoder.Decode(quants, scales, first + u, 3), x[at + 6], x[at + 7], sums);
            }
        }
        shared[item] = Vectors.Sum(sums);
        Group.Barrier();
        for (var half = shape.Lanes >> 1; half > 0; half >>= 1)
        {
            if (lane < half) shared[item] += shared[item + half];
            Group.Barrier();
        }
        if (lane == 0 && row < shape.Rows)
        {
            var sum = shared[item];
            if (shape.HasBias != 0) sum += bias[expert * shape.Rows + row];
            y[pair * shape.YStride + shape.YOffset + row] = sum;
        }
    }
}

using AiFabrik.Compute.Ilgpu.Kernels.Decoders;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of a product.</summary>
internal struct MatMulShape
{
    /// <summary>Rows of W: values of each column of y.</summary>
    public int Rows;

    /// <summary>Units of 32 weights in a row; x is padded with zeros to as many.</summary>
    public int Units;

    /// <summary>Columns: tokens.</summary>
    public int Columns;

    /// <summary>Float4s from one column of x to the next.</summary>
    public int XStride;

    /// <summary>Floats from one column of y to the next, and where W's first row goes in it.</summary>
    public int YStride, YOffset;

    /// <summary>Nonzero: there is a bias; y is added to.</summary>
    public int HasBias, Accumulate;

    /// <summary>Work-items that share a row: a power of two.</summary>
    public int Lanes;
}

/// <summary>
/// y[t, o + r] (+)= Σ_k W[r, k]·x[t, k] + bias[r] for few columns t.
/// W [Rows, 32·Units] packed, x [Columns, 4·XStride] float32, y [Columns, YStride] float32, bias [Rows] float32.
/// Bytes: W once for each four columns; operations: 2·Rows·K·Columns. Bound by memory for one column.
/// One group has Lanes work-items for each of its rows; they split K and add up in shared memory. Loads of weights are 16 bytes.
/// Reference: Reference/MatMulOps.cs.
/// </summary>
internal static class GemvKernel
{
    /// <summary>Work-items of a group at most.</summary>
    public const int GroupSizeMax = 128;

    /// <summary>Columns that one pass over W serves.</summary>
    public const int ColumnsAtOnce = 4;

    /// <summary>Columns from which the tiled product is better.</summary>
    public const int ColumnsMax = 16;

    /// <summary>A processor wants whole rows and small groups, a GPU neighbouring items on neighbouring weights.</summary>
    public static (int GroupSize, int Lanes) Shape(bool isGpu, int units) => !isGpu ? (8, 1) : units >= 32 ? (GroupSizeMax, 32) : (GroupSizeMax, 8);

    public static KernelConfig Config(bool isGpu, ref MatMulShape shape)
    {
        var (groupSize, lanes) = Shape(isGpu, shape.Units);
        shape.Lanes = lanes;
        var rowsPerGroup = groupSize / lanes;
        var passes = shape.Columns == 1 ? 1 : (shape.Columns + ColumnsAtOnce - 1) / ColumnsAtOnce;
        return new KernelConfig(new Index3D((shape.Rows + rowsPerGroup - 1) / rowsPerGroup, passes, 1), new Index3D(groupSize, 1, 1));
    }

    /// <summary>For exactly one column.</summary>
    public static void One<TDecoder>(ArrayView<float> y, ArrayView<Float4> x, ArrayView<Quad> quants, ArrayView<uint> scales, ArrayView<float> bias, MatMulShape shape)
        where TDecoder : struct, IBlockDecoder
    {
        var shared = SharedMemory.Allocate<float>(GroupSizeMax);
        int item = Group.IdxX, lane = item % shape.Lanes, row = Grid.IdxX * (Group.DimX / shape.Lanes) + item / shape.Lanes;
        var decoder = default(TDecoder);
        var sums = default(Float8);
        if (row < shape.Rows)
        {
            var first = row * shape.Units;
            for (var u = lane; u < shape.Units; u += shape.Lanes)
            {
                var at = u * 8;
                sums = Vectors.MultiplyAdd(decoder.Decode(quants, scales, first + u, 0), x[at], x[at + 1], sums);
                sums = Vectors.MultiplyAdd(decoder.Decode(quants, scales, first + u, 1), x[at + 2], x[at + 3], sums);
                sums = Vectors.MultiplyAdd(decoder.Decode(quants, scales, first + u, 2), x[at + 4], x[at + 5], sums);
                sums = Vectors.MultiplyAdd(decoder.Decode(quants, scales, first + u, 3), x[at + 6], x[at + 7], sums);
            }
        }
        var sum = Vectors.Sum(sums);
        shared[item] = sum;
        Group.Barrier();
        for (var half = shape.Lanes >> 1; half > 0; half >>= 1)
        {
            if (lane < half) shared[item] += shared[item + half];
            Group.Barrier();
        }
        if (lane == 0 && row < shape.Rows) Put(y, bias, shape, 0, row, shared[item]);
    }

    /// <summary>For any number of columns, four to a pass; a pass with fewer repeats the last.</summary>
    public static void Four<TDecoder>(ArrayView<float> y, ArrayView<Float4> x, ArrayView<Quad> quants, ArrayView<uint> scales, ArrayView<float> bias, MatMulShape shape)
        where TDecoder : struct, IBlockDecoder
    {
        var shared = SharedMemory.Allocate<float>(GroupSizeMax * ColumnsAtOnce);
        int item = Group.IdxX, lane = item % shape.Lanes, row = Grid.IdxX * (Group.DimX / shape.Lanes) + item / shape.Lanes;
        int column = Grid.IdxY * ColumnsAtOnce, last = shape.Columns - 1;
        int x0 = column * shape.XStride, x1 = IntrinsicMath.Min(column + 1, last) * shape.XStride;
        int x2 = IntrinsicMath.Min(column + 2, last) * shape.XStride, x3 = IntrinsicMath.Min(column + 3, last) * shape.XStride;
        var decoder = default(TDecoder);
        Float8 sums0 = default, sums1 = default, sums2 = default, sums3 = default;
        if (row < shape.Rows)
        {
            var first = row * shape.Units;
            for (var u = lane; u < shape.Units; u += shape.Lanes)
            {
                for (var part = 0; part < 4; part++)
                {
                    var at = u * 8 + part * 2;
                    var w = decoder.Decode(quants, scales, first + u, part);
                    sums0 = Vectors.MultiplyAdd(w, x[x0 + at], x[x0 + at + 1], sums0);
                    sums1 = Vectors.MultiplyAdd(w, x[x1 + at], x[x1 + at + 1], sums1);
                    sums2 = Vectors.MultiplyAdd(w, x[x2 + at], x[x2 + at + 1], sums2);
                    sums3 = Vectors.MultiplyAdd(w, x[x3 + at], x[x3 + at + 1], sums3);
                }
            }
        }
        var mine = item * ColumnsAtOnce;
        shared[mine] = Vectors.Sum(sums0);
        shared[mine + 1] = Vectors.Sum(sums1);
        shared[mine + 2] = Vectors.Sum(sums2);
        shared[mine + 3] = Vectors.Sum(sums3);
        Group.Barrier();
        for (var half = shape.Lanes >> 1; half > 0; half >>= 1)
        {
            if (lane < half)
            {
                var other = mine + half * ColumnsAtOnce;
                shared[mine] += shared[other];
                shared[mine + 1] += shared[other + 1];
                shared[mine + 2] += shared[other + 2];
                shared[mine + 3] += shared[other + 3];
            }
            Group.Barrier();
        }
        if (lane == 0 && row < shape.Rows)
        {
            Put(y, bias, shape, column, row, shared[mine]);
            if (column + 1 <= last) Put(y, bias, shape, column + 1, row, shared[mine + 1]);
            if (column + 2 <= last) Put(y, bias, shape, column + 2, row, shared[mine + 2]);
            if (column + 3 <= last) Put(y, bias, shape, column + 3, row, shared[mine + 3]);
        }
    }

    /// <summary>y[column, offset + row] (+)= sum + bias[row].</summary>
    public static void Put(ArrayView<float> y, ArrayView<float> bias, MatMulShape shape, int column, int row, float sum)
    {
        var at = column * shape.YStride + shape.YOffset + row;
        if (shape.HasBias != 0) sum += bias[row];
        y[at] = shape.Accumulate != 0 ? y[at] + sum : sum;
    }
}

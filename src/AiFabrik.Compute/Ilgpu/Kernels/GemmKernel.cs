using AiFabrik.Compute.Ilgpu.Kernels.Decoders;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>
/// y[t, o + r] (+)= Σ_k W[r, k]·x[t, k] + bias[r] for many columns t: the portable product of prefill, operands as <see cref="GemvKernel"/>.
/// A group of 64 work-items makes a tile of 64 rows × 32 columns: for each unit of 32 weights it decodes its rows into shared memory
/// once, and every work-item keeps 4 × 8 sums in registers. Bytes: W once for each 32 columns, x once for each 64 rows; operations:
/// 2·Rows·K·Columns. Bound by arithmetic from about 32 columns on.
/// Reference: Reference/MatMulOps.cs.
/// </summary>
internal static class GemmKernel
{
    public const int GroupSize = 64, TileRows = 64, TileColumns = 32, TileDepth = 32;

    private const int RowsEach = 4, ColumnsEach = 8, ColumnLanes = TileColumns / ColumnsEach;

    public static KernelConfig Config(in MatMulShape shape) =>
        new(new Index3D((shape.Rows + TileRows - 1) / TileRows, (shape.Columns + TileColumns - 1) / TileColumns, 1), new Index3D(GroupSize, 1, 1));

    public static void Run<TDecoder>(ArrayView<float> y, ArrayView<Float4> x, ArrayView<Quad> quants, ArrayView<uint> scales, ArrayView<float> bias, MatMulShape shape)
        where TDecoder : struct, IBlockDecoder
    {
        var w = SharedMemory.Allocate<float>(TileDepth * TileRows);
        var xs = SharedMemory.Allocate<float>(TileDepth * TileColumns);
        int item = Group.IdxX, firstRow = Grid.IdxX * TileRows, firstColumn = Grid.IdxY * TileColumns;
        int rowAt = item / ColumnLanes * RowsEach, columnAt = item % ColumnLanes * ColumnsEach;
        var decodedUnit = IntrinsicMath.Min(firstRow + item, shape.Rows - 1) * shape.Units;
        int loadedColumn = item % TileColumns, loadedPart = item / TileColumns * 4;
        var loadedFrom = IntrinsicMath.Min(firstColumn + loadedColumn, shape.Columns - 1) * shape.XStride + loadedPart;
        Float8 sums0 = default, sums1 = default, sums2 = default, sums3 = default;
        for (var u = 0; u < shape.Units; u++)
        {
            for (var part = 0; part < 4; part++)
            {
                Decode<TDecoder>(quants, scales, decodedUnit + u, part, w, item);
                Spread(x[loadedFrom + u * 8 + part], xs, (loadedPart + part) * 4 * TileColumns + loadedColumn);
            }
            Group.Barrier();
            for (var k = 0; k < TileDepth; k++)
            {
                int wAt = k * TileRows + rowAt, xAt = k * TileColumns + columnAt;
                var columns = new Float8
                {
                    A = xs[xAt], B = xs[xAt + 1], C = xs[xAt + 2], D = xs[xAt + 3], E = xs[xAt + 4], F = xs[xAt + 5], G = xs[xAt + 6], H = xs[xAt + 7],
                };
                sums0 = Vectors.MultiplyAdd(w[wAt], columns, sums0);
                sums1 = Vectors.MultiplyAdd(w[wAt + 1], columns, sums1);
                sums2 = Vectors.MultiplyAdd(w[wAt + 2], columns, sums2);
                sums3 = Vectors.MultiplyAdd(w[wAt + 3], columns, sums3);
            }
            Group.Barrier();
        }
        PutRow(y, bias, shape, firstRow + rowAt, firstColumn + columnAt, sums0);
        PutRow(y, bias, shape, firstRow + rowAt + 1, firstColumn + columnAt, sums1);
        PutRow(y, bias, shape, firstRow + rowAt + 2, firstColumn + columnAt, sums2);
        PutRow(y, bias, shape, firstRow + rowAt + 3, firstColumn + columnAt, sums3);
    }

    /// <summary>Eight weights of a row into a column of the tile.</summary>
    private static void Decode<TDecoder>(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part, ArrayView<float> w, int row)
        where TDecoder : struct, IBlockDecoder
    {
        var values = default(TDecoder).Decode(quants, scales, unit, part);
        var at = part * 8 * TileRows + row;
        w[at] = values.A;
        w[at + TileRows] = values.B;
        w[at + 2 * TileRows] = values.C;
        w[at + 3 * TileRows] = values.D;
        w[at + 4 * TileRows] = values.E;
        w[at + 5 * TileRows] = values.F;
        w[at + 6 * TileRows] = values.G;
        w[at + 7 * TileRows] = values.H;
    }

    private static void Spread(Float4 values, ArrayView<float> xs, int at)
    {
        xs[at] = values.X;
        xs[at + TileColumns] = values.Y;
        xs[at + 2 * TileColumns] = values.Z;
        xs[at + 3 * TileColumns] = values.W;
    }

    private static void PutRow(ArrayView<float> y, ArrayView<float> bias, MatMulShape shape, int row, int column, Float8 sums)
    {
        if (row >= shape.Rows) return;
        if (column < shape.Columns) GemvKernel.Put(y, bias, shape, column, row, sums.A);
        if (column + 1 < shape.Columns) GemvKernel.Put(y, bias, shape, column + 1, row, sums.B);
        if (column + 2 < shape.Columns) GemvKernel.Put(y, bias, shape, column + 2, row, sums.C);
        if (column + 3 < shape.Columns) GemvKernel.Put(y, bias, shape, column + 3, row, sums.D);
        if (column + 4 < shape.Columns) GemvKernel.Put(y, bias, shape, column + 4, row, sums.E);
        if (column + 5 < shape.Columns) GemvKernel.Put(y, bias, shape, column + 5, row, sums.F);
        if (column + 6 < shape.Columns) GemvKernel.Put(y, bias, shape, column + 6, row, sums.G);
        if (column + 7 < shape.Columns) GemvKernel.Put(y, bias, shape, column + 7, row, sums.H);
    }
}

using System.Text.RegularExpressions;

namespace AiFabrik.Ptx;

/// <summary>Decodes <c>mma</c>, <c>ldmatrix</c>, <c>stmatrix</c> and <c>movmatrix</c>.</summary>
internal static partial class MatrixBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["mma"] = Multiply;
        table["ldmatrix"] = c => MoveMatrices(c, isLoad: true);
        table["stmatrix"] = c => MoveMatrices(c, isLoad: false);
        table["movmatrix"] = Transpose;
    }

    [GeneratedRegex(@"\.m(\d+)n(\d+)k(\d+)\.")]
    private static partial Regex Shape();

    /// <summary>The shape in the opcode, such as <c>.m16n8k16.</c>, which is taken.</summary>
    public static (int M, int N, int K) TakeShape(OperationContext c)
    {
        System.Text.RegularExpressions.Match match = Shape().Match(c.Statement.Opcode);
        if (!match.Success || !c.Take(match.Value.Trim('.')))
        {
            throw c.Refuse("has no shape that is known here");
        }
        return (Number(match.Groups[1]), Number(match.Groups[2]), Number(match.Groups[3]));
    }

    private static int Number(Group group) => int.TryParse(group.ValueSpan, out int value) ? Math.Min(value, 4096) : 0;

    private static void Multiply(OperationContext c)
    {
        (int m, int n, int k) = TakeShape(c);
        bool known = c.Take("sync") & c.Take("aligned") & c.Take("row") & c.Take("col");
        bool satfinite = c.Take("satfinite");
        PtxType d = c.Type(), a = c.Type(), b = c.Type(), accumulator = c.Type();
        int width = MatrixElements.Width(a);
        // One step along K is four registers' worth of elements; f64 and 8-row shapes exist for few sizes.
        int step = 128 / Math.Min(width, 32);
        bool shape = n == 8 && (m == 16 || (m == 8 && (width <= 8 || width == 64))) && (k == step || k == 2 * step || (width == 64 && k == 16));
        bool types = MatrixElements.IsOperand(a) && MatrixElements.IsOperand(b) && MatrixElements.Width(b) == width
            && MatrixElements.IsInteger(a) == MatrixElements.IsInteger(b) && d == accumulator == (d != PtxType.None)
            && (MatrixElements.IsInteger(a) ? d == PtxType.S32 : width == 64 ? d == PtxType.F64 : d == PtxType.F32 || (d == PtxType.F16 && a == PtxType.F16));
        if (!known || !shape || !types)
        {
            throw c.Refuse("has a shape or types that are not known here");
        }
        c.ExpectOperands(4, 4);
        var multiply = new MatrixMultiply(m, n, k, d, a, b, accumulator, satfinite);
        c.I.Flow = Flow.Collective;
        c.I.Data = multiply;
        c.I.List = c.Destinations(0);
        c.I.List2 = c.Sources(1, PtxType.B32);
        c.I.List3 = c.Sources(2, PtxType.B32);
        c.I.List4 = c.Sources(3, accumulator);
        bool fits = c.I.List.Length == multiply.RegistersOf(d) && c.I.List2.Length == multiply.RegistersA
            && c.I.List3.Length == multiply.RegistersB && c.I.List4.Length == multiply.RegistersOf(accumulator) && !c.I.List.Contains(-1);
        if (!fits)
        {
            throw c.Refuse("has a wrong number of registers");
        }
    }

    private static void MoveMatrices(OperationContext c, bool isLoad)
    {
        bool known = c.Take("sync") & c.Take("aligned") & c.Take("m8n8");
        int count = c.TakeAny("x1", "x2", "x4") switch { "x1" => 1, "x2" => 2, "x4" => 4, _ => 0 };
        bool transposed = c.Take("trans");
        c.I.Space = MemoryBuilders.TakeSpace(c);
        if (!known || count == 0 || c.Type() != PtxType.B16 || c.I.Space is not (Space.Shared or Space.Generic))
        {
            throw c.Refuse("has a form that is not known here");
        }
        c.ExpectOperands(2, 2);
        c.I.A = c.Address(isLoad ? 1 : 0, out c.I.Imm);
        c.I.List = isLoad ? c.Destinations(0) : c.Sources(1, PtxType.B32);
        if (c.I.List.Length != count || c.I.List.Contains(-1))
        {
            throw c.Refuse("has a wrong number of registers");
        }
        c.I.Flow = Flow.Collective;
        c.I.Data = new MatrixMove(isLoad, transposed);
    }

    private static void Transpose(OperationContext c)
    {
        bool known = c.Take("sync") & c.Take("aligned") & c.Take("m8n8") & c.Take("trans");
        if (!known || c.Type() != PtxType.B16)
        {
            throw c.Refuse("has a form that is not known here");
        }
        c.ExpectOperands(2, 2);
        c.Destination();
        c.I.A = c.Source(1, PtxType.B32);
        c.I.Flow = Flow.Collective;
        c.I.Data = new MatrixTranspose();
    }
}

/// <summary>
/// <c>ldmatrix</c> and <c>stmatrix</c>: 8×8 matrices of 16-bit elements between shared memory and registers. Lane 8m + r gives the address of
/// row r of matrix m; the lane's register m holds row lane / 4, columns 2 (lane mod 4) and the next, or the transpose of that.
/// </summary>
internal sealed class MatrixMove(bool isLoad, bool transposed) : Collective
{
    public override bool IsAligned => true;

    public override void Compute(Warp warp, Instruction i, uint members)
    {
        Span<ushort> matrix = stackalloc ushort[64];
        for (int m = 0; m < i.List.Length; m++)
        {
            if (isLoad)
            {
                for (int row = 0; row < 8; row++)
                {
                    Located located = Row(warp, i, m * 8 + row, PtxAccess.Read);
                    located.Shadow!.Read(warp, m * 8 + row, located.Offset, 16, i, false);
                    for (int column = 0; column < 8; column++)
                    {
                        matrix[row * 8 + column] = (ushort)MemoryBuilders.Read(ref System.Runtime.CompilerServices.Unsafe.Add(ref located.Bytes, column * 2), 2);
                    }
                }
            }
            Span<ulong> register = warp.Slot(i.List[m]);
            for (int lane = 0; lane < 32; lane++)
            {
                int first = lane / 4 * 8 + lane % 4 * 2, second = first + 1;
                if (transposed)
                {
                    (first, second) = (lane % 4 * 16 + lane / 4, lane % 4 * 16 + 8 + lane / 4);
                }
                if (isLoad)
                {
                    Loaded[m * 32 + lane] = matrix[first] | (uint)matrix[second] << 16;
                }
                else
                {
                    matrix[first] = (ushort)register[lane];
                    matrix[second] = (ushort)(register[lane] >> 16);
                }
            }
            for (int row = 0; row < 8 && !isLoad; row++)
            {
                StoreRow(warp, i, m * 8 + row, matrix.Slice(row * 8, 8));
            }
        }
        for (int m = 0; isLoad && m < i.List.Length; m++)
        {
            Loaded.AsSpan(m * 32, 32).CopyTo(warp.Slot(i.List[m]));
        }
    }

    /// <summary>Loaded registers, kept until all rows have been read, because a destination may hold the addresses.</summary>
    [ThreadStatic]
    private static ulong[]? s_loaded;

    private static ulong[] Loaded => s_loaded ??= new ulong[4 * 32];

    private static Located Row(Warp warp, Instruction i, int lane, PtxAccess access)
    {
        Located located = warp.Locate(i.Space, lane, warp.Slot(i.A)[lane] + (ulong)i.Imm, 16, access, i);
        return located.Shadow == warp.Block.SharedShadow ? located
            : throw warp.Fault(PtxFaultKind.InvalidOperation, lane, i, detail: "the address is not in shared memory");
    }

    private static void StoreRow(Warp warp, Instruction i, int lane, ReadOnlySpan<ushort> row)
    {
        Located located = Row(warp, i, lane, PtxAccess.Write);
        located.Shadow!.Write(warp, lane, located.Offset, 16, i, false, false);
        for (int column = 0; column < 8; column++)
        {
            MemoryBuilders.Write(ref System.Runtime.CompilerServices.Unsafe.Add(ref located.Bytes, column * 2), 2, row[column]);
        }
    }
}

/// <summary><c>movmatrix</c>: an 8×8 matrix of 16-bit elements transposed across the warp's registers.</summary>
internal sealed class MatrixTranspose : Collective
{
    public override bool IsAligned => true;

    public override void Compute(Warp warp, Instruction i, uint members)
    {
        Span<ushort> matrix = stackalloc ushort[64];
        Span<ulong> source = warp.Slot(i.A), target = warp.Slot(i.D);
        for (int lane = 0; lane < 32; lane++)
        {
            matrix[lane * 2] = (ushort)source[lane];
            matrix[lane * 2 + 1] = (ushort)(source[lane] >> 16);
        }
        for (int lane = 0; lane < 32; lane++)
        {
            int row = lane / 4, column = lane % 4 * 2;
            target[lane] = matrix[column * 8 + row] | (uint)matrix[(column + 1) * 8 + row] << 16;
        }
    }
}

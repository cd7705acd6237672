using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Decodes <c>wgmma</c> (PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions").</summary>
internal static class WarpGroupBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table) => table["wgmma"] = Build;

    private static void Build(OperationContext c)
    {
        bool known = c.Take("sync") & c.Take("aligned");
        string? operation = c.TakeAny("fence", "commit_group", "wait_group", "mma_async");
        if (!known || operation is null)
        {
            throw c.Refuse("is not known here");
        }
        switch (operation)
        {
            case "fence":
                c.I.Run = (_, _, _) => { };
                break;
            case "commit_group":
                c.I.Run = (warp, _, _) => warp.CommitReads(Warp.MatrixLane);
                break;
            case "wait_group":
                int newest = (int)Math.Clamp(c.Constant(0), 0, int.MaxValue);
                c.I.Run = (warp, _, _) => warp.WaitReads(Warp.MatrixLane, newest);
                break;
            default:
                Multiply(c);
                break;
        }
    }

    private static void Multiply(OperationContext c)
    {
        (int m, int n, int k) = MatrixBuilders.TakeShape(c);
        PtxType d = c.Type(), a = c.Type(), b = c.Type();
        bool satfinite = c.Take("satfinite");
        bool isInteger = a is PtxType.S8 or PtxType.U8;
        int width = MatrixElements.Width(a);
        bool types = (isInteger ? b is PtxType.S8 or PtxType.U8 && d == PtxType.S32
            : a is PtxType.F16 or PtxType.BF16 or PtxType.TF32 or PtxType.E4M3 or PtxType.E5M2 && MatrixElements.Width(b) == width && d is PtxType.F32 or PtxType.F16)
            && MatrixElements.IsOperand(b);
        if (!types || m != 64 || n % 8 != 0 || n is < 8 or > 256 || k != 256 / width)
        {
            throw c.Refuse("has a shape or types that are not known here");
        }
        int operands = isInteger ? 4 : width == 16 ? (c.Operand(1).Kind == OperandKind.Vector ? 7 : 8) : 6;
        c.ExpectOperands(operands, operands);
        Instruction i = c.I;
        i.List = c.Destinations(0);
        bool inRegisters = c.Operand(1).Kind == OperandKind.Vector;
        i.List2 = inRegisters ? c.Sources(1, PtxType.B32) : [];
        i.A = inRegisters ? -1 : c.Source(1, PtxType.B64);
        i.B = c.Source(2, PtxType.B64);
        i.C = c.Predicate(3, out bool not);
        i.Not = not;
        int transA = width == 16 && !inRegisters ? (int)c.Constant(6) : 0;
        int transB = width == 16 ? (int)c.Constant(operands - 1) : 0;
        i.Data = new WarpGroupMultiply(n, k, d, a, b, satfinite)
        {
            SignA = isInteger ? 1 : (int)c.Constant(4), SignB = isInteger ? 1 : (int)c.Constant(5), TransposeA = transA != 0, TransposeB = transB != 0,
        };
        i.Flow = Flow.Collective;
        if (i.List.Length != n / 2 / (d == PtxType.F16 ? 2 : 1) || i.List.Contains(-1) || (inRegisters && i.List2.Length != 4))
        {
            throw c.Refuse("has a wrong number of registers");
        }
    }
}

/// <summary>
/// One warp's share of <c>wgmma.mma_async</c>: rows 16 (warp mod 4) and the next fifteen of A and D, all of B. Shared memory operands are found
/// by descriptors; the product is made at once, and the bytes read count as being read until the group is waited for.
/// </summary>
internal sealed class WarpGroupMultiply(int n, int k, PtxType typeD, PtxType typeA, PtxType typeB, bool satfinite) : Collective
{
    public required int SignA { get; init; }
    public required int SignB { get; init; }
    public required bool TransposeA { get; init; }
    public required bool TransposeB { get; init; }
    public override bool IsAligned => true;

    public override void Compute(Warp warp, Instruction i, uint members)
    {
        double[] a = new double[16 * k], b = new double[n * k];
        int firstRow = warp.Index % 4 * 16;
        if (i.A < 0)
        {
            LoadRegisters(warp, i, a);
        }
        else
        {
            LoadShared(warp, i, warp.Slot(i.A)[0], firstRow, 16, typeA, TransposeA, a);
        }
        LoadShared(warp, i, warp.Slot(i.B)[0], 0, n, typeB, TransposeB, b);
        bool keeps = (warp.Slot(i.C)[0] & 1) != 0 != i.Not;
        for (uint rest = members; rest != 0; rest &= rest - 1)
        {
            Store(warp, i, BitOperations.TrailingZeroCount(rest), a, b, keeps);
        }
    }

    private void LoadRegisters(Warp warp, Instruction i, double[] a)
    {
        int width = MatrixElements.Width(typeA), per = 32 / width;
        for (int r = 0; r < 4; r++)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                for (int e = 0; e < per; e++)
                {
                    int row = lane / 4 + 8 * (r & 1), column = (r >> 1) * 4 * per + lane % 4 * per + e;
                    a[row * k + column] = MatrixElements.Value(typeA, warp.Slot(i.List2[r])[lane] >> (e * width));
                }
            }
        }
    }

    /// <summary>Reads rows of an operand (columns of B) through a descriptor.</summary>
    private void LoadShared(Warp warp, Instruction i, ulong descriptor, int first, int rows, PtxType type, bool transposed, double[] values)
    {
        var layout = new SharedLayout(descriptor, transposed);
        if (((descriptor >> 49) & 7) != 0)
        {
            throw warp.Fault(PtxFaultKind.InvalidOperation, 0, i, detail: "a matrix descriptor with a base offset");
        }
        int bytes = MatrixElements.Width(type) / 8;
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < k; column++)
            {
                int address = layout.Address(first + row, column, bytes);
                Located located = warp.Locate(Space.Shared, 0, (ulong)address, bytes, PtxAccess.Read, i);
                located.Shadow!.Read(warp, 0, located.Offset, bytes, i, false);
                warp.BeginRead(Warp.MatrixLane, located.Offset, bytes);
                values[row * k + column] = MatrixElements.Value(type, MemoryBuilders.Read(ref located.Bytes, bytes));
            }
        }
    }

    private void Store(Warp warp, Instruction i, int lane, double[] a, double[] b, bool keeps)
    {
        int per = typeD == PtxType.F16 ? 2 : 1;
        for (int r = 0; r < i.List.Length; r++)
        {
            Span<ulong> register = warp.Slot(i.List[r]);
            ulong result = 0;
            for (int e = 0; e < per; e++)
            {
                int element = r * per + e;
                int row = lane / 4 + 8 * (element >> 1 & 1), column = 8 * (element >> 2) + lane % 4 * 2 + (element & 1);
                double sum = 0;
                for (int x = 0; x < k; x++)
                {
                    sum += a[row * k + x] * b[column * k + x];
                }
                ulong c = keeps ? register[lane] >> (16 * e) : 0;
                result |= MatrixMultiply.Accumulate(typeD, typeD, c, sum * SignA * SignB, satfinite) << (16 * e);
            }
            register[lane] = result;
        }
    }
}

/// <summary>
/// The canonical layouts that a wgmma descriptor names (PTX ISA, "Shared Memory Matrix Layout"): bits 0 to 13 address, 16 to 29 leading offset,
/// 32 to 45 stride offset, all in units of 16 bytes; bits 62 and 63 the swizzle, 0: none, 1: 128, 2: 64, 3: 32 bytes.
/// </summary>
internal readonly struct SharedLayout
{
    private readonly int _start, _leading, _stride, _width;
    private readonly bool _transposed;

    public SharedLayout(ulong descriptor, bool transposed)
    {
        _start = (int)(descriptor & 0x3FFF) << 4;
        _leading = (int)(descriptor >> 16 & 0x3FFF) << 4;
        _stride = (int)(descriptor >> 32 & 0x3FFF) << 4;
        _width = (descriptor >> 62) switch { 1 => 128, 2 => 64, 3 => 32, _ => 16 };
        _transposed = transposed;
    }

    /// <summary>The byte address of an element; K runs along a row of 16 bytes unless transposed, where the other index does.</summary>
    public int Address(int row, int column, int bytes)
    {
        int address = _start;
        if (_transposed)
        {
            int along = row * bytes;
            bool plain = _width == 16;
            address += along % _width + along / _width * (plain ? _stride : _leading);
            address += column % 8 * _width + column / 8 * (plain ? _leading : _stride);
        }
        else
        {
            int along = column * bytes;
            address += row % 8 * _width + row / 8 * _stride;
            address += _width == 16 ? along % 16 + along / 16 * _leading : along;
        }
        int mask = _width / 16 - 1;
        return address ^ ((address >> 7 & mask) << 4);
    }
}

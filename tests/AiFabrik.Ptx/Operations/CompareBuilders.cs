using System.Numerics;

namespace AiFabrik.Ptx;

internal enum Comparison : byte { Eq, Ne, Lt, Le, Gt, Ge, Lo, Ls, Hi, Hs, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan }

/// <summary>Decodes comparisons and selections (PTX ISA, "Comparison and Selection Instructions").</summary>
internal static class CompareBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["setp"] = c => Compare(c, isPredicate: true);
        table["set"] = c => Compare(c, isPredicate: false);
        table["selp"] = Select;
        table["slct"] = SelectBySign;
    }

    private static void Compare(OperationContext c, bool isPredicate)
    {
        Instruction i = c.I;
        string? name = c.TakeAny("eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan");
        if (!Enum.TryParse(name, ignoreCase: true, out Comparison comparison))
        {
            throw c.Refuse("has no comparison");
        }
        i.Kind = (int)comparison;
        string? boolean = c.TakeAny("and", "or", "xor");
        i.Ftz = c.Take("ftz");
        i.Type = isPredicate ? PtxType.Pred : c.Type();
        i.SourceType = c.Type();
        c.ExpectOperands(boolean is null ? 3 : 4, boolean is null ? 3 : 4);
        c.Destination(allowSecond: isPredicate);
        i.A = c.Source(1, i.SourceType);
        i.B = c.Source(2, i.SourceType);
        if (boolean is not null)
        {
            i.C = c.Predicate(3, out bool not);
            i.Not = not;
            i.Count = boolean switch { "and" => 1, "or" => 2, _ => 3 };
        }
        else
        {
            i.Count = 0;
        }
        i.Run = i.SourceType is PtxType.F16x2 or PtxType.BF16x2 ? Pairs : Singles;
    }

    private static void Singles(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B);
        Span<ulong> c = i.C < 0 ? a : warp.Slot(i.C);
        Span<ulong> second = i.D2 < 0 ? d : warp.Slot(i.D2);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            bool holds = Holds(i, a[lane], b[lane]);
            bool other = (c[lane] & 1) != 0 != i.Not;
            if (i.D2 >= 0)
            {
                second[lane] = Combine(i.Count, !holds, other) ? 1UL : 0;
            }
            d[lane] = Result(i.Type, Combine(i.Count, holds, other));
        }
    }

    private static void Pairs(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B);
        Span<ulong> c = i.C < 0 ? a : warp.Slot(i.C);
        Span<ulong> second = i.D2 < 0 ? d : warp.Slot(i.D2);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            bool other = (c[lane] & 1) != 0 != i.Not;
            bool low = Combine(i.Count, Holds(i, a[lane] & 0xFFFF, b[lane] & 0xFFFF), other);
            bool high = Combine(i.Count, Holds(i, a[lane] >> 16 & 0xFFFF, b[lane] >> 16 & 0xFFFF), other);
            if (i.Type == PtxType.Pred)
            {
                if (i.D2 >= 0)
                {
                    second[lane] = high ? 1UL : 0;
                }
                d[lane] = low ? 1UL : 0;
                continue;
            }
            PtxType half = i.Type switch { PtxType.F16x2 => PtxType.F16, PtxType.BF16x2 => PtxType.BF16, _ => PtxType.U16 };
            d[lane] = Result(half, low) | Result(half, high) << 16;
        }
    }

    private static ulong Result(PtxType type, bool value) => !value ? 0 : type switch
    {
        PtxType.Pred => 1,
        PtxType.F32 => 0x3F80_0000,
        PtxType.F16 => 0x3C00,
        PtxType.BF16 => 0x3F80,
        _ => OperationContext.WidthMask(type.Size()),
    };

    private static bool Combine(int boolean, bool holds, bool other) => boolean switch
    {
        1 => holds && other,
        2 => holds || other,
        3 => holds != other,
        _ => holds,
    };

    private static bool Holds(Instruction i, ulong a, ulong b)
    {
        var comparison = (Comparison)i.Kind;
        switch (i.SourceType)
        {
            case PtxType.S32: return Ordered(comparison, (int)a, (int)b);
            case PtxType.S64: return Ordered(comparison, (long)a, (long)b);
            case PtxType.S16: return Ordered(comparison, (short)a, (short)b);
            case PtxType.F32:
                float x = BitConverter.UInt32BitsToSingle((uint)a), y = BitConverter.UInt32BitsToSingle((uint)b);
                return i.Ftz ? Floats(comparison, FloatMath.FlushSubnormal(x), FloatMath.FlushSubnormal(y)) : Floats(comparison, x, y);
            case PtxType.F64: return Floats(comparison, BitConverter.UInt64BitsToDouble(a), BitConverter.UInt64BitsToDouble(b));
            case PtxType.F16 or PtxType.F16x2: return Floats(comparison, FloatFormat.F16.ToDouble(a & 0xFFFF), FloatFormat.F16.ToDouble(b & 0xFFFF));
            case PtxType.BF16 or PtxType.BF16x2: return Floats(comparison, FloatFormat.BF16.ToDouble(a & 0xFFFF), FloatFormat.BF16.ToDouble(b & 0xFFFF));
            default:
                ulong bits = OperationContext.WidthMask(i.SourceType.Size());
                return Ordered(comparison, a & bits, b & bits);
        }
    }

    private static bool Ordered<T>(Comparison comparison, T a, T b) where T : IComparisonOperators<T, T, bool> => comparison switch
    {
        Comparison.Eq => a == b,
        Comparison.Ne => a != b,
        Comparison.Lt or Comparison.Lo => a < b,
        Comparison.Le or Comparison.Ls => a <= b,
        Comparison.Gt or Comparison.Hi => a > b,
        _ => a >= b,
    };

    private static bool Floats(Comparison comparison, double a, double b) => comparison switch
    {
        Comparison.Eq => a == b,
        Comparison.Ne => a < b || a > b,
        Comparison.Lt => a < b,
        Comparison.Le => a <= b,
        Comparison.Gt => a > b,
        Comparison.Ge => a >= b,
        Comparison.Equ => !(a < b || a > b),
        Comparison.Neu => a != b,
        Comparison.Ltu => !(a >= b),
        Comparison.Leu => !(a > b),
        Comparison.Gtu => !(a <= b),
        Comparison.Geu => !(a < b),
        Comparison.Num => !double.IsNaN(a) && !double.IsNaN(b),
        _ => double.IsNaN(a) || double.IsNaN(b),
    };

    private static void Select(OperationContext c)
    {
        PtxType type = c.Type();
        c.ExpectOperands(4, 4);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.B = c.Source(2, type);
        c.I.C = c.Predicate(3, out bool not);
        c.I.Not = not;
        ulong bits = OperationContext.WidthMask(type.Size());
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), p = warp.Slot(i.C);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = ((p[lane] & 1) != 0 != i.Not ? a[lane] : b[lane]) & bits;
            }
        };
    }

    /// <summary><c>slct</c>: the first source where the third is at least zero (-0 is, NaN is not).</summary>
    private static void SelectBySign(OperationContext c)
    {
        c.I.Ftz = c.Take("ftz");
        PtxType type = c.Type(), test = c.Type();
        c.ExpectOperands(4, 4);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.B = c.Source(2, type);
        c.I.C = c.Source(3, test);
        ulong bits = OperationContext.WidthMask(type.Size());
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), t = warp.Slot(i.C);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                float value = BitConverter.UInt32BitsToSingle((uint)t[lane]);
                bool first = test == PtxType.F32 ? (i.Ftz ? FloatMath.FlushSubnormal(value) : value) >= 0 : (int)t[lane] >= 0;
                d[lane] = (first ? a[lane] : b[lane]) & bits;
            }
        };
    }
}

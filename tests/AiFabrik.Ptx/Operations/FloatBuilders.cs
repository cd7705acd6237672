using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Decodes float instructions of all formats (PTX ISA, "Floating Point Instructions", "Half Precision…").</summary>
internal static class FloatBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["fma"] = c => Arithmetic(c, FloatOperation.Fma, c.Type(), 3);
        table["rcp"] = c => Arithmetic(c, FloatOperation.Rcp, c.Type(), 1);
        table["sqrt"] = c => Arithmetic(c, FloatOperation.Sqrt, c.Type(), 1);
        table["rsqrt"] = c => Arithmetic(c, FloatOperation.Rsqrt, c.Type(), 1);
        table["ex2"] = c => Arithmetic(c, FloatOperation.Ex2, c.Type(), 1);
        table["lg2"] = c => Arithmetic(c, FloatOperation.Lg2, c.Type(), 1);
        table["sin"] = c => Arithmetic(c, FloatOperation.Sin, c.Type(), 1);
        table["cos"] = c => Arithmetic(c, FloatOperation.Cos, c.Type(), 1);
        table["tanh"] = c => Arithmetic(c, FloatOperation.Tanh, c.Type(), 1);
        table["copysign"] = CopySign;
        table["testp"] = Test;
    }

    /// <summary>An instruction of one to three float sources that all have its type.</summary>
    public static void Arithmetic(OperationContext c, FloatOperation operation, PtxType type, int sources)
    {
        Instruction i = c.I;
        i.Rounding = c.TakeRounding() ?? Rounding.Nearest;
        c.TakeAny("approx", "full");
        c.Take("noftz");
        i.Ftz = c.Take("ftz");
        i.Sat = c.Take("sat");
        i.Relu = c.Take("relu");
        i.Float = operation;
        i.Type = type;
        Operands(c, type, sources);
        bool plain = i.Rounding == Rounding.Nearest && !i.Ftz && !i.Sat && !i.Relu;
        i.Run = type switch
        {
            PtxType.F32 when plain => Fast(operation) ?? Single,
            PtxType.F32 => Single,
            PtxType.F64 => Double,
            PtxType.F16 or PtxType.F16x2 or PtxType.BF16 or PtxType.BF16x2 => Half,
            _ => throw c.Refuse("has a type that it cannot have"),
        };
    }

    private static void Operands(OperationContext c, PtxType type, int sources)
    {
        c.ExpectOperands(sources + 1, sources + 1);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.B = sources > 1 ? c.Source(2, type) : c.I.A;
        c.I.C = sources > 2 ? c.Source(3, type) : c.I.A;
    }

    private static WarpOperation? Fast(FloatOperation operation) => operation switch
    {
        FloatOperation.Add => Lanes.Binary<FastAdd>,
        FloatOperation.Sub => Lanes.Binary<FastSub>,
        FloatOperation.Mul => Lanes.Binary<FastMul>,
        FloatOperation.Fma => Lanes.Ternary<FastFma>,
        _ => null,
    };

    private static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private readonly struct FastAdd : IBinary
    {
        public static ulong Apply(ulong a, ulong b) => BitConverter.SingleToUInt32Bits(F(a) + F(b));
    }

    private readonly struct FastSub : IBinary
    {
        public static ulong Apply(ulong a, ulong b) => BitConverter.SingleToUInt32Bits(F(a) - F(b));
    }

    private readonly struct FastMul : IBinary
    {
        public static ulong Apply(ulong a, ulong b) => BitConverter.SingleToUInt32Bits(F(a) * F(b));
    }

    private readonly struct FastFma : ITernary
    {
        public static ulong Apply(ulong a, ulong b, ulong c) => BitConverter.SingleToUInt32Bits(MathF.FusedMultiplyAdd(F(a), F(b), F(c)));
    }

    private static void Single(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), c = warp.Slot(i.C);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            float x = F(a[lane]), y = F(b[lane]), z = F(c[lane]);
            if (i.Ftz)
            {
                (x, y, z) = (FloatMath.FlushSubnormal(x), FloatMath.FlushSubnormal(y), FloatMath.FlushSubnormal(z));
            }
            float result = FloatMath.Single(i.Float, i.Rounding, x, y, z);
            result = i.Ftz ? FloatMath.FlushSubnormal(result) : result;
            result = i.Sat ? (float)FloatMath.Saturate(result) : result;
            d[lane] = BitConverter.SingleToUInt32Bits(result);
        }
    }

    private static void Double(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), c = warp.Slot(i.C);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            double result = FloatMath.Double(i.Float, i.Rounding, Lanes.Get<double>(a[lane]), Lanes.Get<double>(b[lane]), Lanes.Get<double>(c[lane]));
            d[lane] = BitConverter.DoubleToUInt64Bits(result);
        }
    }

    private static void Half(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), c = warp.Slot(i.C);
        FloatFormat format = FormatOf(i.Type);
        bool isPair = i.Type is PtxType.F16x2 or PtxType.BF16x2;
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong result = HalfOne(i, format, a[lane], b[lane], c[lane]);
            if (isPair)
            {
                result |= HalfOne(i, format, a[lane] >> 16, b[lane] >> 16, c[lane] >> 16) << 16;
            }
            d[lane] = result;
        }
    }

    private static ulong HalfOne(Instruction i, in FloatFormat format, ulong a, ulong b, ulong c)
    {
        if (i.Ftz)
        {
            (a, b, c) = (Flush(format, a), Flush(format, b), Flush(format, c));
        }
        ulong result = FloatMath.Half(i.Float, format, format.ToDouble(a & 0xFFFF), format.ToDouble(b & 0xFFFF), format.ToDouble(c & 0xFFFF));
        result = i.Ftz ? Flush(format, result) : result;
        if (i.Sat)
        {
            result = format.FromDouble(FloatMath.Saturate(format.ToDouble(result)), Rounding.Nearest);
        }
        return i.Relu ? Relu(format, result) : result;
    }

    /// <summary>Negative numbers become +0; a NaN becomes the canonical one.</summary>
    public static ulong Relu(in FloatFormat format, ulong bits) =>
        format.IsNaN(bits) ? format.NaN : (bits & format.SignBit) != 0 ? 0 : bits;

    private static ulong Flush(in FloatFormat format, ulong bits) => format.IsSubnormalOrZero(bits) ? bits & format.SignBit : bits;

    public static FloatFormat FormatOf(PtxType type) => type switch
    {
        PtxType.F16 or PtxType.F16x2 => FloatFormat.F16,
        PtxType.BF16 or PtxType.BF16x2 => FloatFormat.BF16,
        PtxType.F64 => FloatFormat.F64,
        _ => FloatFormat.F32,
    };

    /// <summary>neg and abs: only the sign bits change.</summary>
    public static void Sign(OperationContext c, PtxType type)
    {
        c.I.Ftz = c.Take("ftz");
        Operands(c, type, 1);
        ulong signs = type switch
        {
            PtxType.F64 => 1UL << 63,
            PtxType.F32 => 1UL << 31,
            PtxType.F16x2 or PtxType.BF16x2 => 0x8000_8000,
            _ => 0x8000,
        };
        bool negates = c.Name == "neg";
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                ulong value = negates ? a[lane] ^ signs : a[lane] & ~signs;
                d[lane] = i.Ftz && type == PtxType.F32 ? BitConverter.SingleToUInt32Bits(FloatMath.FlushSubnormal(F(value))) : value;
            }
        };
    }

    public static void MinMax(OperationContext c, PtxType type, bool max)
    {
        Instruction i = c.I;
        i.Ftz = c.Take("ftz");
        i.NaN = c.Take("NaN");
        i.Type = type;
        i.Flag = max;
        c.ExpectOperands(3, 4);
        Operands(c, type, c.OperandCount - 1);
        bool three = c.OperandCount == 4;
        FloatFormat format = FormatOf(type);
        int lanesPerRegister = type is PtxType.F16x2 or PtxType.BF16x2 ? 2 : 1;
        i.Run = (warp, ins, mask) =>
        {
            Span<ulong> d = warp.Slot(ins.D), a = warp.Slot(ins.A), b = warp.Slot(ins.B), third = warp.Slot(ins.C);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                ulong result = 0;
                for (int part = 0; part < lanesPerRegister; part++)
                {
                    int shift = part * 16;
                    ulong one = MinMaxOne(ins, format, a[lane] >> shift, b[lane] >> shift);
                    result |= (three ? MinMaxOne(ins, format, one, third[lane] >> shift) : one) << shift;
                }
                d[lane] = result;
            }
        };
    }

    private static ulong MinMaxOne(Instruction i, in FloatFormat format, ulong a, ulong b)
    {
        ulong all = format.SignBit | (format.SignBit - 1);
        (a, b) = (a & all, b & all);
        if (i.Ftz)
        {
            (a, b) = (Flush(format, a), Flush(format, b));
        }
        double result = FloatMath.MinMax(format.ToDouble(a), format.ToDouble(b), i.Flag, i.NaN);
        return format.FromDouble(result, Rounding.Nearest);
    }

    /// <summary>The sign of the first source, the rest of the second.</summary>
    private static void CopySign(OperationContext c)
    {
        PtxType type = c.Type();
        Operands(c, type, 2);
        ulong sign = type == PtxType.F64 ? 1UL << 63 : 1UL << 31;
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = (a[lane] & sign) | (b[lane] & ~sign);
            }
        };
    }

    private static void Test(OperationContext c)
    {
        string? test = c.TakeAny("finite", "infinite", "number", "notanumber", "normal", "subnormal");
        PtxType type = c.Type();
        Operands(c, type, 1);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                double value = type == PtxType.F64 ? Lanes.Get<double>(a[lane]) : F(a[lane]);
                bool subnormal = type == PtxType.F64 ? double.IsSubnormal(value) : float.IsSubnormal(F(a[lane]));
                bool result = test switch
                {
                    "finite" => double.IsFinite(value),
                    "infinite" => double.IsInfinity(value),
                    "number" => !double.IsNaN(value),
                    "notanumber" => double.IsNaN(value),
                    "normal" => double.IsFinite(value) && !subnormal,
                    _ => subnormal,
                };
                d[lane] = result ? 1UL : 0;
            }
        };
    }
}

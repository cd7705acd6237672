using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Decodes <c>cvt</c> and <c>cvt.pack</c> (PTX ISA, "cvt").</summary>
internal static class ConvertBuilders
{
    private const int RoundNearest = 1, RoundZero = 2, RoundDown = 3, RoundUp = 4;

    public static void Register(Dictionary<string, Action<OperationContext>> table) => table["cvt"] = Convert;

    private static void Convert(OperationContext c)
    {
        if (c.Take("pack"))
        {
            Pack(c);
            return;
        }
        Instruction i = c.I;
        i.Kind = c.TakeAny("rni", "rzi", "rmi", "rpi") switch { "rni" => RoundNearest, "rzi" => RoundZero, "rmi" => RoundDown, "rpi" => RoundUp, _ => 0 };
        i.Rounding = c.TakeRounding() ?? Rounding.Nearest;
        i.Ftz = c.Take("ftz");
        i.Sat = c.TakeAny("sat", "satfinite") is not null;
        i.Relu = c.Take("relu");
        i.Type = c.Type();
        i.SourceType = c.Type();
        bool isPair = i.Type is PtxType.F16x2 or PtxType.BF16x2 or PtxType.E4M3x2 or PtxType.E5M2x2 && i.SourceType == PtxType.F32;
        c.ExpectOperands(isPair ? 3 : 2, isPair ? 3 : 2);
        c.Destination();
        i.A = c.Source(1, i.SourceType);
        i.B = isPair ? c.Source(2, i.SourceType) : i.A;
        if (i.Type is PtxType.E4M3x2 or PtxType.E5M2x2 || i.SourceType is PtxType.E4M3x2 or PtxType.E5M2x2)
        {
            i.Run = isPair || i.SourceType == PtxType.F16x2 ? ToBytes : FromBytes;
        }
        else if (isPair)
        {
            i.Run = Pairs;
        }
        else if (i.Type.IsFloat() || i.SourceType.IsFloat())
        {
            i.Run = i.Type == PtxType.TF32 ? ToTf32 : Singles;
        }
        else
        {
            i.Run = Integers;
        }
    }

    private static double ReadFloat(PtxType type, ulong bits, bool ftz)
    {
        switch (type)
        {
            case PtxType.F32:
                float value = BitConverter.UInt32BitsToSingle((uint)bits);
                return ftz ? FloatMath.FlushSubnormal(value) : value;
            case PtxType.F64: return BitConverter.UInt64BitsToDouble(bits);
            case PtxType.F16: return FloatFormat.F16.ToDouble(bits & 0xFFFF);
            default: return FloatFormat.BF16.ToDouble(bits & 0xFFFF);
        }
    }

    private static ulong WriteFloat(Instruction i, PtxType type, double value)
    {
        if (i.Sat)
        {
            value = FloatMath.Saturate(value);
        }
        FloatFormat format = FloatBuilders.FormatOf(type);
        ulong bits = type == PtxType.F64 ? BitConverter.DoubleToUInt64Bits(value) : format.FromDouble(value, i.Rounding);
        if (i.Ftz && type == PtxType.F32 && format.IsSubnormalOrZero(bits))
        {
            bits &= format.SignBit;
        }
        return i.Relu ? FloatBuilders.Relu(format, bits) : bits;
    }

    private static double ToIntegral(double value, int kind) => kind switch
    {
        RoundNearest => Math.Round(value, MidpointRounding.ToEven),
        RoundZero => Math.Truncate(value),
        RoundDown => Math.Floor(value),
        RoundUp => Math.Ceiling(value),
        _ => value,
    };

    private static void Singles(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong result;
            if (!i.SourceType.IsFloat())
            {
                long value = SignExtend(a[lane], i.SourceType);
                bool negative = i.SourceType.IsSigned() && value < 0;
                FloatFormat format = FloatBuilders.FormatOf(i.Type);
                result = format.FromInteger(negative, negative ? (ulong)-value : (ulong)value, i.Rounding);
                result = i.Sat ? WriteFloat(i, i.Type, format.ToDouble(result)) : result;
            }
            else
            {
                double value = ToIntegral(ReadFloat(i.SourceType, a[lane], i.Ftz), i.Kind);
                result = i.Type.IsFloat() ? WriteFloat(i, i.Type, value) : ToInteger(i, value);
            }
            d[lane] = result & i.DMask;
        }
    }

    /// <summary>Float to integer saturates; NaN gives 0, but the least negative pattern from f64 or into 64 bits.</summary>
    private static ulong ToInteger(Instruction i, double value)
    {
        int width = i.Type.Size() * 8;
        if (double.IsNaN(value))
        {
            return i.SourceType == PtxType.F64 || width == 64 ? 1UL << (width - 1) : 0;
        }
        value = Math.Truncate(value);
        if (i.Type.IsSigned())
        {
            double limit = Math.ScaleB(1, width - 1);
            long most = (long)(ulong.MaxValue >> (65 - width));
            return (ulong)(value >= limit ? most : value < -limit ? -most - 1 : (long)value);
        }
        return value <= 0 ? 0 : value >= Math.ScaleB(1, width) ? OperationContext.WidthMask(width / 8) : (ulong)value;
    }

    private static long SignExtend(ulong bits, PtxType type) => type switch
    {
        PtxType.S8 => (sbyte)bits,
        PtxType.S16 => (short)bits,
        PtxType.S32 => (int)bits,
        _ => (long)(bits & OperationContext.WidthMask(type.Size())),
    };

    private static void Integers(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            long value = SignExtend(a[lane], i.SourceType);
            if (i.Sat)
            {
                Int128 exact = i.SourceType.IsSigned() ? value : (Int128)(ulong)value;
                value = Saturate(exact, i.Type);
            }
            d[lane] = (ulong)SignExtend((ulong)value, i.Type) & i.DMask;
        }
    }

    private static long Saturate(Int128 value, PtxType type)
    {
        int width = type.Size() * 8;
        Int128 most = (Int128.One << (type.IsSigned() ? width - 1 : width)) - 1;
        Int128 least = type.IsSigned() ? -most - 1 : 0;
        return unchecked((long)(value > most ? most : value < least ? least : value));
    }

    private static void ToTf32(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
        var format = new FloatFormat(10, 8);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            float value = BitConverter.UInt32BitsToSingle((uint)a[lane]);
            ulong bits = format.FromDouble(value, i.Rounding);
            bits = i.Relu ? FloatBuilders.Relu(format, bits) : bits;
            d[lane] = float.IsNaN(value) ? 0x7FFF_FFFF : (uint)(bits << 13);
        }
    }

    /// <summary>The first source goes to the upper half.</summary>
    private static void Pairs(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B);
        PtxType half = i.Type == PtxType.F16x2 ? PtxType.F16 : PtxType.BF16;
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong high = WriteFloat(i, half, ReadFloat(PtxType.F32, a[lane], i.Ftz));
            ulong low = WriteFloat(i, half, ReadFloat(PtxType.F32, b[lane], i.Ftz));
            d[lane] = high << 16 | low;
        }
    }

    private static void ToBytes(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B);
        bool isE4M3 = i.Type == PtxType.E4M3x2;
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            bool fromHalves = i.SourceType == PtxType.F16x2;
            double high = fromHalves ? FloatFormat.F16.ToDouble(a[lane] >> 16 & 0xFFFF) : ReadFloat(PtxType.F32, a[lane], false);
            double low = fromHalves ? FloatFormat.F16.ToDouble(a[lane] & 0xFFFF) : ReadFloat(PtxType.F32, b[lane], false);
            d[lane] = EightBit.FromDouble(high, isE4M3, i.Relu) << 8 | EightBit.FromDouble(low, isE4M3, i.Relu);
        }
    }

    private static void FromBytes(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
        bool isE4M3 = i.SourceType == PtxType.E4M3x2;
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong high = FloatFormat.F16.FromDouble(EightBit.ToDouble(a[lane] >> 8 & 0xFF, isE4M3), Rounding.Nearest);
            ulong low = FloatFormat.F16.FromDouble(EightBit.ToDouble(a[lane] & 0xFF, isE4M3), Rounding.Nearest);
            d[lane] = (i.Relu ? FloatBuilders.Relu(FloatFormat.F16, high) : high) << 16 | (i.Relu ? FloatBuilders.Relu(FloatFormat.F16, low) : low);
        }
    }

    /// <summary><c>cvt.pack.sat.T.s32{.b32} d, a, b {, c}</c>: b lands lowest, then a, then what c holds, shifted up.</summary>
    private static void Pack(OperationContext c)
    {
        c.Take("sat");
        PtxType type = c.Type();
        PtxType source = c.Type();
        bool hasThird = c.TryType() is not null;
        c.ExpectOperands(hasThird ? 4 : 3, hasThird ? 4 : 3);
        c.Destination();
        c.I.A = c.Source(1, source);
        c.I.B = c.Source(2, source);
        c.I.C = hasThird ? c.Source(3, PtxType.B32) : -1;
        int width = type.Size() * 8;
        ulong bits = OperationContext.WidthMask(type.Size());
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), upper = warp.Slot(i.C < 0 ? i.A : i.C);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                ulong high = (ulong)Saturate((int)a[lane], type) & bits, low = (ulong)Saturate((int)b[lane], type) & bits;
                ulong above = i.C < 0 ? 0 : upper[lane] << (2 * width);
                d[lane] = (uint)(above | high << width | low);
            }
        };
    }
}

/// <summary>The 8-bit formats e4m3 (no infinities, one NaN pattern) and e5m2, always saturating to finite values.</summary>
internal static class EightBit
{
    private static readonly FloatFormat s_e4m3 = new(3, 4);

    public static ulong FromDouble(double value, bool isE4M3, bool relu)
    {
        value = relu && value < 0 ? 0 : value;
        if (double.IsNaN(value))
        {
            return 0x7F;
        }
        double most = isE4M3 ? 448 : 57344;
        value = Math.Clamp(value, -most, most);
        if (isE4M3 && Math.Abs(value) >= 256)
        {
            // The top binade uses the exponent that IEEE formats keep for infinities.
            ulong sign = value < 0 ? 0x80UL : 0;
            return sign | Math.Min(0x78 + (ulong)Math.Round((Math.Abs(value) - 256) / 32, MidpointRounding.ToEven), 0x7E);
        }
        if (!isE4M3)
        {
            return FloatFormat.E5M2.FromDouble(value, Rounding.Nearest);
        }
        ulong bits = s_e4m3.FromDouble(value, Rounding.Nearest);
        return bits;
    }

    public static double ToDouble(ulong bits, bool isE4M3)
    {
        if (!isE4M3)
        {
            return FloatFormat.E5M2.ToDouble(bits);
        }
        if ((bits & 0x7F) == 0x7F)
        {
            return double.NaN;
        }
        double magnitude = (bits & 0x78) == 0x78 ? 256 + 32 * (double)(bits & 7) : s_e4m3.ToDouble(bits & 0x7F);
        return (bits & 0x80) != 0 ? -magnitude : magnitude;
    }
}

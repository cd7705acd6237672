namespace AiFabrik.Ptx;

internal enum Rounding : byte { Nearest, Zero, Down, Up, NearestAway }

/// <summary>A binary interchange format, and rounding into it in any mode (IEEE 754-2019, section 4.3).</summary>
internal readonly record struct FloatFormat(int FractionBits, int ExponentBits)
{
    public static readonly FloatFormat F16 = new(10, 5);
    public static readonly FloatFormat BF16 = new(7, 8);
    public static readonly FloatFormat F32 = new(23, 8);
    public static readonly FloatFormat F64 = new(52, 11);
    public static readonly FloatFormat E5M2 = new(2, 5);

    private int MinExponent => 2 - (1 << (ExponentBits - 1));
    private ulong ExponentMask => ((1UL << ExponentBits) - 1) << FractionBits;

    /// <summary>The canonical NaN of PTX: all bits but the sign are ones.</summary>
    public ulong NaN => (1UL << (FractionBits + ExponentBits)) - 1;
    public ulong Infinity => ExponentMask;
    public ulong LargestFinite => ExponentMask - 1;
    public ulong SignBit => 1UL << (FractionBits + ExponentBits);

    public bool IsNaN(ulong bits) => (bits & (SignBit - 1)) > ExponentMask;

    public bool IsSubnormalOrZero(ulong bits) => (bits & ExponentMask) == 0;

    /// <summary>Rounds ±(significand + sticky·ε)·2^exponent; sticky says that something non-zero lies below the last bit.</summary>
    public ulong Round(bool negative, UInt128 significand, int exponent, bool sticky, Rounding mode)
    {
        ulong sign = negative ? SignBit : 0;
        if (significand == UInt128.Zero)
        {
            return sign;
        }
        int top = 127 - (int)UInt128.LeadingZeroCount(significand);
        int lowest = MinExponent - FractionBits;
        int unit = Math.Max(exponent + top - FractionBits, lowest);
        int shift = unit - exponent;
        UInt128 kept;
        int against; // remainder against half a unit: -1 below, 0 equal, 1 above
        bool inexact;
        if (shift <= 0)
        {
            kept = significand << -shift;
            inexact = sticky;
            against = -1;
        }
        else if (shift > 127)
        {
            kept = UInt128.Zero;
            inexact = true;
            against = -1;
        }
        else
        {
            kept = significand >> shift;
            UInt128 rest = significand - (kept << shift);
            UInt128 half = UInt128.One << (shift - 1);
            inexact = rest != UInt128.Zero || sticky;
            against = rest > half || (rest == half && sticky) ? 1 : rest == half ? 0 : -1;
        }
        if (inexact && RoundsUp(mode, negative, against, !UInt128.IsEvenInteger(kept)))
        {
            kept++;
        }
        ulong bits = ((ulong)(unit - lowest) << FractionBits) + (ulong)kept;
        return sign | (bits >= ExponentMask ? Overflow(mode, negative) : bits);
    }

    private static bool RoundsUp(Rounding mode, bool negative, int against, bool odd) => mode switch
    {
        Rounding.Nearest => against > 0 || (against == 0 && odd),
        Rounding.NearestAway => against >= 0,
        Rounding.Down => negative,
        Rounding.Up => !negative,
        _ => false,
    };

    private ulong Overflow(Rounding mode, bool negative)
    {
        bool toInfinity = mode is Rounding.Nearest or Rounding.NearestAway
            || (mode == Rounding.Up && !negative) || (mode == Rounding.Down && negative);
        return toInfinity ? Infinity : LargestFinite;
    }

    /// <summary>Rounds a double. To round an inexact result only once, give it rounded to odd (<see cref="RoundToOdd"/>).</summary>
    public ulong FromDouble(double value, Rounding mode)
    {
        if (double.IsNaN(value))
        {
            return NaN;
        }
        bool negative = double.IsNegative(value);
        if (double.IsInfinity(value))
        {
            return Infinity | (negative ? SignBit : 0);
        }
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        int field = (int)(bits >> 52) & 0x7FF;
        ulong fraction = bits & ((1UL << 52) - 1);
        return field == 0
            ? Round(negative, fraction, -1074, false, mode)
            : Round(negative, fraction | (1UL << 52), field - 1075, false, mode);
    }

    public ulong FromInteger(bool negative, ulong magnitude, Rounding mode) =>
        magnitude == 0 ? 0 : Round(negative, magnitude, 0, false, mode);

    /// <summary>The value of a number in a format of at most 64 bits; exact.</summary>
    public double ToDouble(ulong bits)
    {
        bool negative = (bits & SignBit) != 0;
        ulong fraction = bits & ((1UL << FractionBits) - 1);
        int field = (int)((bits & ExponentMask) >> FractionBits);
        double value;
        if (field == (1 << ExponentBits) - 1)
        {
            value = fraction == 0 ? double.PositiveInfinity : double.NaN;
        }
        else
        {
            int scale = MinExponent - FractionBits + Math.Max(field - 1, 0);
            value = Math.ScaleB(field == 0 ? fraction : fraction | (1UL << FractionBits), scale);
        }
        return negative ? -value : value;
    }

    /// <summary>Moves an inexact double to the neighbour with an odd last bit, on the side of the true value.</summary>
    /// <param name="value">The nearest double.</param>
    /// <param name="error">True value minus <paramref name="value"/>; only its sign counts.</param>
    public static double RoundToOdd(double value, double error)
    {
        if (error == 0 || double.IsNaN(error) || !double.IsFinite(value))
        {
            return value;
        }
        if (value == 0)
        {
            return error > 0 ? double.Epsilon : -double.Epsilon;
        }
        if ((BitConverter.DoubleToInt64Bits(value) & 1) != 0)
        {
            return value;
        }
        return error > 0 ? Math.BitIncrement(value) : Math.BitDecrement(value);
    }
}

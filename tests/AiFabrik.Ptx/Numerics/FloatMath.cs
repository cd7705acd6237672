using System.Numerics;

namespace AiFabrik.Ptx;

internal enum FloatOperation : byte { Add, Sub, Mul, Fma, Div, Rcp, Sqrt, Rsqrt, Ex2, Lg2, Sin, Cos, Tanh }

/// <summary>
/// Float instructions with every rounding mode of the PTX ISA. Formats up to 32 bits go through a double rounded to odd, so that the
/// final rounding is the only one; doubles in a directed mode go through integers of any size.
/// </summary>
internal static class FloatMath
{
    public static float Single(FloatOperation operation, Rounding mode, float a, float b, float c)
    {
        if (mode == Rounding.Nearest)
        {
            switch (operation)
            {
                case FloatOperation.Add: return a + b;
                case FloatOperation.Sub: return a - b;
                case FloatOperation.Mul: return a * b;
                case FloatOperation.Fma: return MathF.FusedMultiplyAdd(a, b, c);
                case FloatOperation.Div: return a / b;
                case FloatOperation.Rcp: return 1f / a;
                case FloatOperation.Sqrt: return MathF.Sqrt(a);
                default: return (float)Transcendental(operation, a);
            }
        }
        double odd = Odd(operation, mode, a, b, c);
        return BitConverter.UInt32BitsToSingle((uint)FloatFormat.F32.FromDouble(odd, mode));
    }

    /// <summary>A format of 16 bits: one rounding of the exact result.</summary>
    public static ulong Half(FloatOperation operation, in FloatFormat format, double a, double b, double c)
    {
        double odd = operation > FloatOperation.Sqrt ? Transcendental(operation, a) : Odd(operation, Rounding.Nearest, a, b, c);
        return format.FromDouble(odd, Rounding.Nearest);
    }

    public static double Double(FloatOperation operation, Rounding mode, double a, double b, double c)
    {
        double nearest = operation switch
        {
            FloatOperation.Add => a + b,
            FloatOperation.Sub => a - b,
            FloatOperation.Mul => a * b,
            FloatOperation.Fma => Math.FusedMultiplyAdd(a, b, c),
            FloatOperation.Div => a / b,
            FloatOperation.Rcp => 1 / a,
            FloatOperation.Sqrt => Math.Sqrt(a),
            _ => Transcendental(operation, a),
        };
        bool directed = mode is not (Rounding.Nearest or Rounding.NearestAway) && operation <= FloatOperation.Sqrt;
        bool finite = double.IsFinite(a) && double.IsFinite(b) && double.IsFinite(c);
        return directed && finite && !double.IsNaN(nearest) ? ExactDouble.Directed(operation, mode, a, b, c, nearest) : nearest;
    }

    private static double Transcendental(FloatOperation operation, double a) => operation switch
    {
        FloatOperation.Rsqrt => 1 / Math.Sqrt(a),
        FloatOperation.Ex2 => Math.Pow(2, a),
        FloatOperation.Lg2 => Math.Log2(a),
        FloatOperation.Sin => Math.Sin(a),
        FloatOperation.Cos => Math.Cos(a),
        _ => Math.Tanh(a),
    };

    /// <summary>The result rounded to odd in double. The operands have at most 24 significant bits, so products are exact.</summary>
    private static double Odd(FloatOperation operation, Rounding mode, double a, double b, double c)
    {
        switch (operation)
        {
            case FloatOperation.Add: return Sum(a, b, mode);
            case FloatOperation.Sub: return Sum(a, -b, mode);
            case FloatOperation.Mul: return a * b;
            case FloatOperation.Fma: return Sum(a * b, c, mode);
            case FloatOperation.Div: return Quotient(a, b);
            case FloatOperation.Rcp: return Quotient(1, a);
            default:
                double root = Math.Sqrt(a);
                return FloatFormat.RoundToOdd(root, Math.FusedMultiplyAdd(-root, root, a));
        }
    }

    private static double Sum(double a, double b, Rounding mode)
    {
        double sum = a + b;
        if (sum == 0 && mode == Rounding.Down && (a != 0 || double.IsNegative(a) != double.IsNegative(b)))
        {
            return -0.0; // x - x is -0 when rounding down (IEEE 754, 6.3)
        }
        // Knuth's TwoSum: the exact error of the rounded sum.
        double other = sum - a;
        double error = (a - (sum - other)) + (b - other);
        return FloatFormat.RoundToOdd(sum, error);
    }

    private static double Quotient(double a, double b)
    {
        double quotient = a / b;
        if (!double.IsFinite(quotient) || !double.IsFinite(b) || a == 0)
        {
            return quotient;
        }
        double rest = Math.FusedMultiplyAdd(-quotient, b, a);
        return FloatFormat.RoundToOdd(quotient, double.IsNegative(b) ? -rest : rest);
    }

    public static float FlushSubnormal(float value) =>
        float.IsSubnormal(value) ? (float.IsNegative(value) ? -0f : 0f) : value;

    /// <summary>The <c>.sat</c> modifier: clamps to [0, 1], NaN becomes +0.</summary>
    public static double Saturate(double value) => value >= 1 ? 1 : value > 0 ? value : 0;

    /// <summary>min and max: a NaN loses unless <paramref name="propagateNaN"/>; +0 is greater than -0.</summary>
    public static double MinMax(double a, double b, bool max, bool propagateNaN)
    {
        if (double.IsNaN(a) || double.IsNaN(b))
        {
            return propagateNaN ? double.NaN : double.IsNaN(a) ? b : a;
        }
        return max ? Math.Max(a, b) : Math.Min(a, b);
    }
}

/// <summary>Directed rounding of double arithmetic through exact integers.</summary>
internal static class ExactDouble
{
    public static double Directed(FloatOperation operation, Rounding mode, double a, double b, double c, double nearest)
    {
        (BigInteger numerator, BigInteger denominator, int exponent, bool inexact) = operation switch
        {
            FloatOperation.Add => Add(Split(a), Split(b)),
            FloatOperation.Sub => Add(Split(a), Split(-b)),
            FloatOperation.Mul => Add(Multiply(Split(a), Split(b)), Split(0)),
            FloatOperation.Fma => Add(Multiply(Split(a), Split(b)), Split(c)),
            FloatOperation.Div => Divide(Split(a), Split(b)),
            FloatOperation.Rcp => Divide(Split(1), Split(a)),
            _ => Root(Split(a)),
        };
        if (numerator.IsZero)
        {
            bool cancelled = operation is FloatOperation.Add or FloatOperation.Sub or FloatOperation.Fma && nearest == 0 && !double.IsNegative(nearest);
            bool signedZeros = a != 0 || (operation == FloatOperation.Fma && b != 0);
            return cancelled && signedZeros && mode == Rounding.Down ? -0.0 : nearest;
        }
        if (denominator.IsZero)
        {
            return nearest;
        }
        bool negative = numerator.Sign != denominator.Sign && denominator.Sign != 0;
        numerator = BigInteger.Abs(numerator);
        denominator = BigInteger.Abs(denominator);
        // Bring the quotient to 66 bits or more; what is left over becomes the sticky bit.
        int shift = Math.Max(0, 66 + (int)denominator.GetBitLength() - (int)numerator.GetBitLength());
        BigInteger quotient = BigInteger.DivRem(numerator << shift, denominator, out BigInteger rest);
        int surplus = Math.Max(0, (int)quotient.GetBitLength() - 120);
        bool sticky = !rest.IsZero || !(quotient & ((BigInteger.One << surplus) - 1)).IsZero || inexact;
        ulong bits = FloatFormat.F64.Round(negative, (UInt128)(quotient >> surplus), exponent - shift + surplus, sticky, mode);
        return BitConverter.UInt64BitsToDouble(bits);
    }

    private static (BigInteger Value, int Exponent) Split(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int field = (int)(bits >> 52) & 0x7FF;
        long fraction = bits & ((1L << 52) - 1);
        BigInteger significand = field == 0 ? fraction : fraction | (1L << 52);
        return (bits < 0 ? -significand : significand, Math.Max(field, 1) - 1075);
    }

    private static (BigInteger Value, int Exponent) Multiply((BigInteger Value, int Exponent) a, (BigInteger Value, int Exponent) b) =>
        (a.Value * b.Value, a.Exponent + b.Exponent);

    private static (BigInteger, BigInteger, int, bool) Add((BigInteger Value, int Exponent) a, (BigInteger Value, int Exponent) b)
    {
        int exponent = Math.Min(a.Exponent, b.Exponent);
        return ((a.Value << (a.Exponent - exponent)) + (b.Value << (b.Exponent - exponent)), BigInteger.One, exponent, false);
    }

    private static (BigInteger, BigInteger, int, bool) Divide((BigInteger Value, int Exponent) a, (BigInteger Value, int Exponent) b) =>
        (a.Value, b.Value, a.Exponent - b.Exponent, false);

    /// <summary>Integer square root with at least 66 bits (Newton's iteration), and whether something lies below it.</summary>
    private static (BigInteger, BigInteger, int, bool) Root((BigInteger Value, int Exponent) a)
    {
        if (a.Value.Sign <= 0)
        {
            return (BigInteger.Zero, BigInteger.One, 0, false);
        }
        int shift = 140 + (a.Exponent & 1);
        BigInteger scaled = a.Value << shift;
        BigInteger root = BigInteger.One << ((int)scaled.GetBitLength() / 2 + 1);
        while (true)
        {
            BigInteger next = (root + scaled / root) >> 1;
            if (next >= root)
            {
                break;
            }
            root = next;
        }
        return (root, BigInteger.One, (a.Exponent - shift) / 2, root * root != scaled);
    }
}

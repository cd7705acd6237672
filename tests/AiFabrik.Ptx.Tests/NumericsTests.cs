using System.Numerics;
using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>Roundings against exact rational arithmetic.</summary>
public sealed class NumericsTests
{
    private readonly record struct Rational(BigInteger Top, BigInteger Bottom)
    {
        public static Rational Of(double value)
        {
            long bits = BitConverter.DoubleToInt64Bits(value);
            int field = (int)(bits >> 52) & 0x7FF;
            BigInteger significand = (bits & ((1L << 52) - 1)) | (field == 0 ? 0 : 1L << 52);
            int exponent = Math.Max(field, 1) - 1075;
            significand = bits < 0 ? -significand : significand;
            return exponent >= 0 ? new Rational(significand << exponent, 1) : new Rational(significand, BigInteger.One << -exponent);
        }

        public static Rational operator +(Rational a, Rational b) => new(a.Top * b.Bottom + b.Top * a.Bottom, a.Bottom * b.Bottom);
        public static Rational operator *(Rational a, Rational b) => new(a.Top * b.Top, a.Bottom * b.Bottom);
        public static Rational operator /(Rational a, Rational b) => b.Top.Sign < 0 ? new(-a.Top * b.Bottom, a.Bottom * -b.Top) : new(a.Top * b.Bottom, a.Bottom * b.Top);
        public int CompareTo(Rational other) => (Top * other.Bottom).CompareTo(other.Top * Bottom);
    }

    private static float NextSingle(Random random)
    {
        // Exponents near each other most of the time, so that sums cancel and products underflow now and then.
        uint exponent = random.Next(4) == 0 ? (uint)random.Next(255) : (uint)random.Next(100, 150);
        uint fraction = random.Next(3) == 0 ? (uint)random.Next(8) << random.Next(20) : (uint)random.Next(1 << 23);
        return BitConverter.UInt32BitsToSingle((uint)random.Next(2) << 31 | exponent << 23 | fraction);
    }

    private static Rational? Exact(FloatOperation operation, double a, double b, double c)
    {
        (Rational x, Rational y, Rational z) = (Rational.Of(a), Rational.Of(b), Rational.Of(c));
        return operation switch
        {
            FloatOperation.Add => x + y,
            FloatOperation.Sub => x + Rational.Of(-b),
            FloatOperation.Mul => x * y,
            FloatOperation.Fma => x * y + z,
            FloatOperation.Div => b == 0 ? null : x / y,
            FloatOperation.Rcp => a == 0 ? null : Rational.Of(1) / x,
            _ => null,
        };
    }

    /// <summary>The rounded value is on the right side of the exact one, and its neighbour is on the other side.</summary>
    private static void Expect(Rational exact, double rounded, double next, Rounding mode, string what)
    {
        if (double.IsInfinity(rounded) || double.IsInfinity(next))
        {
            return;
        }
        int side = Rational.Of(rounded).CompareTo(exact);
        bool up = mode == Rounding.Up || (mode == Rounding.Zero && exact.Top.Sign < 0);
        Assert.True(up ? side >= 0 : side <= 0, what);
        if (side != 0)
        {
            Assert.True(up ? Rational.Of(next).CompareTo(exact) < 0 : Rational.Of(next).CompareTo(exact) > 0, what);
        }
    }

    [Fact]
    public void Directed_roundings_of_singles_are_next_to_the_exact_result()
    {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            (float a, float b, float c) = (NextSingle(random), NextSingle(random), NextSingle(random));
            var operation = (FloatOperation)random.Next(6);
            var mode = (Rounding)random.Next(1, 4);
            float result = FloatMath.Single(operation, mode, a, b, c);
            if (Exact(operation, a, b, c) is { } exact && float.IsFinite(a) && float.IsFinite(b) && float.IsFinite(c))
            {
                bool up = mode == Rounding.Up || (mode == Rounding.Zero && exact.Top.Sign < 0);
                Expect(exact, result, up ? MathF.BitDecrement(result) : MathF.BitIncrement(result), mode, $"{operation} {mode} {a:R} {b:R} {c:R} = {result:R}");
            }
        }
    }

    [Fact]
    public void Directed_roundings_of_doubles_are_next_to_the_exact_result()
    {
        var random = new Random(2);
        for (int i = 0; i < 3_000; i++)
        {
            double a = NextSingle(random) * (1 + random.NextDouble()), b = NextSingle(random) / 3.0, c = NextSingle(random) * Math.PI;
            var operation = (FloatOperation)random.Next(6);
            var mode = (Rounding)random.Next(1, 4);
            double result = FloatMath.Double(operation, mode, a, b, c);
            if (Exact(operation, a, b, c) is { } exact && double.IsFinite(a + b + c))
            {
                bool up = mode == Rounding.Up || (mode == Rounding.Zero && exact.Top.Sign < 0);
                Expect(exact, result, up ? Math.BitDecrement(result) : Math.BitIncrement(result), mode, $"{operation} {mode} {a:R} {b:R} {c:R} = {result:R}");
            }
        }
    }

    [Fact]
    public void Directed_square_roots_enclose_the_root()
    {
        var random = new Random(3);
        for (int i = 0; i < 2_000; i++)
        {
            float a = MathF.Abs(NextSingle(random));
            float down = FloatMath.Single(FloatOperation.Sqrt, Rounding.Down, a, 0, 0), up = FloatMath.Single(FloatOperation.Sqrt, Rounding.Up, a, 0, 0);
            Assert.True(!float.IsFinite(a) || ((double)down * down <= a && (double)up * up >= a && (up == down || up == MathF.BitIncrement(down))), $"{a:R}");
            double x = a * (1 + random.NextDouble());
            double low = FloatMath.Double(FloatOperation.Sqrt, Rounding.Zero, x, 0, 0), high = FloatMath.Double(FloatOperation.Sqrt, Rounding.Up, x, 0, 0);
            Rational exact = Rational.Of(double.IsFinite(x) ? x : 1);
            Assert.True(!double.IsFinite(x) || (Rational.Of(low) * Rational.Of(low)).CompareTo(exact) <= 0, $"{x:R}");
            Assert.True(!double.IsFinite(x) || ((Rational.Of(high) * Rational.Of(high)).CompareTo(exact) >= 0 && (high == low || high == Math.BitIncrement(low))), $"{x:R}");
        }
    }

    [Fact]
    public void Every_half_is_read_and_rounding_to_half_is_that_of_the_framework()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            double expected = (double)BitConverter.UInt16BitsToHalf((ushort)bits);
            double actual = FloatFormat.F16.ToDouble((ulong)bits);
            Assert.True(expected.Equals(actual), $"{bits:X4}");
            if (!double.IsNaN(expected))
            {
                Assert.Equal((ulong)bits, FloatFormat.F16.FromDouble(actual, Rounding.Nearest));
            }
        }
        var random = new Random(4);
        for (int i = 0; i < 100_000; i++)
        {
            float value = NextSingle(random);
            if (!float.IsNaN(value))
            {
                Assert.Equal(BitConverter.HalfToUInt16Bits((Half)value), FloatFormat.F16.FromDouble(value, Rounding.Nearest));
            }
        }
    }

    [Theory]
    [InlineData(448.0, true, 0x7E)]
    [InlineData(1000.0, true, 0x7E)]
    [InlineData(-264.0, true, 0xF8)]
    [InlineData(240.0, true, 0x77)]
    [InlineData(0.001953125, true, 0x01)]
    [InlineData(57344.0, false, 0x7B)]
    [InlineData(-1.5, false, 0xBE)]
    public void Eight_bit_floats_have_the_values_of_their_formats(double value, bool isE4M3, int bits)
    {
        Assert.Equal((ulong)bits, EightBit.FromDouble(value, isE4M3, false));
        if (value is not (1000.0 or -264.0))
        {
            Assert.Equal(value, EightBit.ToDouble((ulong)bits, isE4M3));
        }
    }
}

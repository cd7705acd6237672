using System.Globalization;
using System.Numerics;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// Integers beyond 64 bits. They are kept as decimal digits in text memory; arithmetic on them goes through
/// <see cref="BigInteger"/> and is bounded by <see cref="TemplateLimits.IntegerBitsMax"/>. A large number that only
/// passes through a template is never converted.
/// </summary>
internal static class Integers
{
    /// <summary>Digits of the largest integer that can be reckoned with, with its sign.</summary>
    private const int DigitsMax = 1236;

    public static bool TryGet(Interpreter vm, in Value value, out BigInteger integer)
    {
        integer = value.Bits;
        if (value.Kind != Kind.BigInt) return true;
        Span<char> digits = stackalloc char[DigitsMax];
        ReadOnlySpan<byte> text = vm.Bytes(value);
        if (text.Length > DigitsMax)
        {
            vm.FailLimit(TemplateLimit.IntegerBits);
            return false;
        }

        for (int i = 0; i < text.Length; i++) digits[i] = (char)text[i];
        integer = BigInteger.Parse(digits[..text.Length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        digits.Clear();
        return true;
    }

    public static Value Make(Interpreter vm, BigInteger integer, ValueFlags flags)
    {
        if (integer >= long.MinValue && integer <= long.MaxValue) return Value.Int((long)integer).With(flags);
        if (integer.GetBitLength() > TemplateLimits.IntegerBitsMax) return vm.FailLimit(TemplateLimit.IntegerBits);
        Span<char> digits = stackalloc char[DigitsMax];
        if (!integer.TryFormat(digits, out int length, default, CultureInfo.InvariantCulture))
            return vm.FailLimit(TemplateLimit.IntegerBits);
        Span<byte> bytes = stackalloc byte[DigitsMax];
        for (int i = 0; i < length; i++) bytes[i] = (byte)digits[i];
        Value text = vm.NewText(bytes[..length], (flags & ValueFlags.Request) == 0);
        digits.Clear();
        bytes.Clear();
        return vm.Failed ? default : new Value(Kind.BigInt, text.Bits, text.Length, 0, flags);
    }

    /// <summary>The nearest double; infinite if there is none.</summary>
    public static double ToDouble(Interpreter vm, in Value value) => value.Kind == Kind.BigInt
        ? double.Parse(vm.Bytes(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : value.Bits;

    /// <summary>The whole part of a finite double.</summary>
    public static Value FromDouble(Interpreter vm, double value, ValueFlags flags)
    {
        if (!double.IsFinite(value)) return vm.Fail(TemplateError.Value);
        value = Math.Truncate(value);
        return Math.Abs(value) < 9e18 ? Value.Int((long)value).With(flags) : Make(vm, new BigInteger(value), flags);
    }

    /// <summary>An integer from its digits (checked by the caller, sign allowed).</summary>
    public static Value FromDigits(Interpreter vm, in Value digits, ValueFlags flags)
    {
        if (long.TryParse(vm.Bytes(digits), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long small))
            return Value.Int(small).With(flags);
        return new Value(Kind.BigInt, digits.Bits, digits.Length, 0, flags);
    }

    /// <summary>a / b, rounded once.</summary>
    public static double Divide(BigInteger a, BigInteger b)
    {
        BigInteger x = BigInteger.Abs(a);
        BigInteger y = BigInteger.Abs(b);
        int shift = 66 - (int)(x.GetBitLength() - y.GetBitLength());
        if (shift > 0) x <<= shift;
        else y <<= -shift;
        BigInteger quotient = BigInteger.DivRem(x, y, out BigInteger rest);

        // 66 or 67 bits and a sticky one, rounded to 53 by hand: half to even.
        int drop = (int)quotient.GetBitLength() - 53;
        BigInteger kept = quotient >> drop;
        BigInteger half = BigInteger.One << (drop - 1);
        BigInteger low = quotient - (kept << drop);
        if (low > half || (low == half && (!rest.IsZero || !kept.IsEven))) kept += 1;
        double result = Math.ScaleB((double)(long)kept, drop - shift);
        return a.Sign * b.Sign < 0 ? -result : result;
    }
}

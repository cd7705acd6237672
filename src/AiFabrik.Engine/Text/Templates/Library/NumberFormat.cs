using System.Numerics;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Digits of numbers in the formats that percent formatting and <c>str.format</c> share.</summary>
internal static class NumberFormat
{
    /// <summary>The most digits after a point that a format may ask for.</summary>
    public const int PrecisionMax = 1000;
    private const int FloatBytes = 1500;

    /// <summary>An integer without its sign, in radix 2, 8, 10 or 16.</summary>
    public static Value Digits(Interpreter vm, in Value value, int radix, bool upper, bool trusted)
    {
        if (!Integers.TryGet(vm, value, out BigInteger integer)) return default;
        integer = BigInteger.Abs(integer);
        if (integer.GetBitLength() > TemplateLimits.IntegerBitsMax) return vm.FailLimit(TemplateLimit.IntegerBits);
        Span<byte> digits = stackalloc byte[TemplateLimits.IntegerBitsMax + 1];
        int at = digits.Length;
        do
        {
            integer = BigInteger.DivRem(integer, radix, out BigInteger digit);
            digits[--at] = (upper ? "0123456789ABCDEF"u8 : "0123456789abcdef"u8)[(int)digit];
        }
        while (!integer.IsZero);
        return vm.NewText(digits[at..], trusted);
    }

    /// <summary>A number without its sign in one of the formats e, f, g (or their capitals).</summary>
    public static Value Float(Interpreter vm, double value, char format, int precision, bool alternate, bool trusted)
    {
        bool upper = char.IsAsciiLetterUpper(format);
        value = Math.Abs(value);
        if (!double.IsFinite(value))
            return vm.NewText(double.IsNaN(value) ? (upper ? "NAN"u8 : "nan"u8) : upper ? "INF"u8 : "inf"u8, trusted);
        if (precision > PrecisionMax) return vm.FailLimit(TemplateLimit.StringBytes);
        Span<byte> text = stackalloc byte[FloatBytes];
        int length = char.ToLowerInvariant(format) switch
        {
            'f' => FloatText.Fixed(value, precision, text),
            'e' => Exponent(value, precision, upper, text),
            _ => General(value, Math.Max(1, precision), upper, alternate, text),
        };
        Value result = vm.NewText(text[..length], trusted);
        text.Clear();
        return result;
    }

    private static int Exponent(double value, int precision, bool upper, Span<byte> output)
    {
        Span<char> format = stackalloc char[12];
        format[0] = 'E';
        precision.TryFormat(format[1..], out int digits, default, System.Globalization.CultureInfo.InvariantCulture);
        Span<byte> text = stackalloc byte[FloatBytes];
        value.TryFormat(text, out int length, format[..(digits + 1)], System.Globalization.CultureInfo.InvariantCulture);

        // .NET writes three digits of exponent at least: 1.5E+004.
        int mark = text[..length].LastIndexOf((byte)'E');
        _ = System.Buffers.Text.Utf8Parser.TryParse(text[(mark + 2)..length], out int exponent, out _);
        if (text[mark + 1] == (byte)'-') exponent = -exponent;
        text[..mark].CopyTo(output);
        return mark + FloatText.WriteExponent(exponent, upper ? (byte)'E' : (byte)'e', output[mark..]);
    }

    private static int General(double value, int precision, bool upper, bool alternate, Span<byte> output)
    {
        Span<byte> text = stackalloc byte[FloatBytes];
        int length = Exponent(value, precision - 1, false, text);
        int mark = text[..length].LastIndexOf((byte)'e');
        _ = System.Buffers.Text.Utf8Parser.TryParse(text[(mark + 2)..length], out int exponent, out _);
        if (text[mark + 1] == (byte)'-') exponent = -exponent;
        if (exponent >= -4 && exponent < precision)
        {
            int written = FloatText.Fixed(value, Math.Max(0, precision - 1 - exponent), output);
            return alternate ? written : WithoutZeros(output[..written]);
        }

        int kept = alternate ? mark : WithoutZeros(text[..mark]);
        text[..kept].CopyTo(output);
        return kept + FloatText.WriteExponent(exponent, upper ? (byte)'E' : (byte)'e', output[kept..]);
    }

    private static int WithoutZeros(ReadOnlySpan<byte> digits)
    {
        if (!digits.Contains((byte)'.')) return digits.Length;
        return digits.TrimEnd((byte)'0').TrimEnd((byte)'.').Length;
    }

    /// <summary>Whether a number shows a minus.</summary>
    public static bool IsNegative(Interpreter vm, in Value value) => value.Kind switch
    {
        Kind.Float => value.AsFloat < 0 || double.IsNegative(value.AsFloat) && !double.IsNaN(value.AsFloat),
        Kind.BigInt => vm.Bytes(value)[0] == (byte)'-',
        _ => value.Bits < 0,
    };
}

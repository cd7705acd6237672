using System.Buffers.Text;
using System.Globalization;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Floating-point numbers as Python writes them.</summary>
internal static class FloatText
{
    /// <summary>Room that the shortest form needs at most.</summary>
    public const int ReprMax = 40;

    /// <summary>The shortest digits that read back as the same number: <c>1.0</c>, <c>1e+16</c>, <c>1e-05</c>, <c>inf</c>.</summary>
    public static int Repr(double value, Span<byte> output)
    {
        if (double.IsNaN(value)) return Copy("nan"u8, output);
        if (double.IsInfinity(value)) return Copy(value > 0 ? "inf"u8 : "-inf"u8, output);
        Span<byte> text = stackalloc byte[ReprMax];
        value.TryFormat(text, out int length, "R", CultureInfo.InvariantCulture);
        Span<byte> digits = stackalloc byte[ReprMax];
        int count = ShortestDigits(text[..length], digits, out int point, out bool negative);
        int at = 0;
        if (negative) output[at++] = (byte)'-';
        return point is > -4 and <= 16
            ? at + Plain(digits[..count], point, output[at..])
            : at + Exponential(digits[..count], point - 1, output[at..]);
    }

    private static int Copy(ReadOnlySpan<byte> text, Span<byte> output)
    {
        text.CopyTo(output);
        return text.Length;
    }

    /// <summary>Takes .NET's shortest form apart: its digits without leading or trailing zeros, and where the point stands.</summary>
    private static int ShortestDigits(ReadOnlySpan<byte> text, Span<byte> digits, out int point, out bool negative)
    {
        negative = text[0] == (byte)'-';
        if (negative) text = text[1..];
        int exponent = 0;
        int mark = text.IndexOf((byte)'E');
        if (mark >= 0)
        {
            int skip = text[mark + 1] == (byte)'+' ? mark + 2 : mark + 1;
            _ = Utf8Parser.TryParse(text[skip..], out exponent, out _);
            text = text[..mark];
        }

        int count = 0;
        int whole = text.IndexOf((byte)'.');
        if (whole < 0) whole = text.Length;
        point = exponent;
        bool leading = true;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == (byte)'.') continue;
            if (leading && text[i] == (byte)'0')
            {
                if (i > whole) point--;
                continue;
            }

            if (leading && i < whole) point += whole - i;
            leading = false;
            digits[count++] = text[i];
        }

        while (count > 0 && digits[count - 1] == (byte)'0') count--;
        if (count == 0)
        {
            digits[count++] = (byte)'0';
            point = 1;
        }

        return count;
    }

    /// <summary>Digits with the point after <paramref name="point"/> of them, and at least one digit after it.</summary>
    private static int Plain(ReadOnlySpan<byte> digits, int point, Span<byte> output)
    {
        int at = 0;
        if (point <= 0) output[at++] = (byte)'0';
        for (int i = 0; i < point; i++) output[at++] = i < digits.Length ? digits[i] : (byte)'0';
        output[at++] = (byte)'.';
        for (int i = point; i < 0; i++) output[at++] = (byte)'0';
        if (point >= digits.Length) output[at++] = (byte)'0';
        for (int i = Math.Max(0, point); i < digits.Length; i++) output[at++] = digits[i];
        return at;
    }

    private static int Exponential(ReadOnlySpan<byte> digits, int exponent, Span<byte> output)
    {
        int at = 0;
        output[at++] = digits[0];
        if (digits.Length > 1)
        {
            output[at++] = (byte)'.';
            digits[1..].CopyTo(output[at..]);
            at += digits.Length - 1;
        }

        return at + WriteExponent(exponent, (byte)'e', output[at..]);
    }

    public static int WriteExponent(int exponent, byte letter, Span<byte> output)
    {
        output[0] = letter;
        output[1] = exponent < 0 ? (byte)'-' : (byte)'+';
        int size = Math.Abs(exponent);
        if (size < 10)
        {
            output[2] = (byte)'0';
            output[3] = (byte)('0' + size);
            return 4;
        }

        Utf8Formatter.TryFormat(size, output[2..], out int written);
        return 2 + written;
    }

    /// <summary>
    /// A finite number with <paramref name="precision"/> digits after the point, rounded half to even on its exact
    /// value. Returns 0 if the room does not do.
    /// </summary>
    public static int Fixed(double value, int precision, Span<byte> output)
    {
        Span<char> format = stackalloc char[12];
        format[0] = 'F';
        precision.TryFormat(format[1..], out int digits, default, CultureInfo.InvariantCulture);
        if (!value.TryFormat(output, out int length, format[..(digits + 1)], CultureInfo.InvariantCulture)) return 0;
        if (!IsTie(value, precision)) return length;

        // .NET rounds a tie away from zero. The even neighbour is the one below, if the last digit came out odd.
        int last = length - 1;
        if ((output[last] - '0') % 2 == 0) return length;
        output[last]--;
        return length;
    }

    /// <summary>Whether the exact value lies in the middle between two numbers of that many digits.</summary>
    private static bool IsTie(double value, int precision)
    {
        if (precision > 22 || Math.Abs(value) > 1e15) return false;

        // A tie is a multiple of 2^-(precision + 1), so its scaled double is exact in 128 bits.
        double size = Math.Abs(value);
        int exponent = Math.ILogB(size == 0 ? 1 : size) - 52;
        if (exponent >= 0 || -exponent > 52 + precision + 1 + 60) return false;
        long mantissa = BitConverter.DoubleToInt64Bits(size) & 0xFFFFFFFFFFFFF;
        mantissa |= 1L << 52;
        int shift = -exponent;
        int zeros = System.Numerics.BitOperations.TrailingZeroCount(mantissa);
        mantissa >>= zeros;
        shift -= zeros;

        // value = mantissa / 2^shift; value * 10^precision = mantissa * 5^precision / 2^(shift - precision): a half if
        // what remains below the line is 2.
        return shift - precision == 1;
    }
}

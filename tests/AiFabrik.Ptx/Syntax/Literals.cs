using System.Globalization;

namespace AiFabrik.Ptx;

/// <summary>The values of constants (PTX ISA, "Constants"): integers in four bases, decimal floats, and floats as bits (0f…, 0d…).</summary>
internal static class Literals
{
    /// <summary>The bits of a literal as an operand of a type; integers are sign-extended to 64 bits.</summary>
    public static bool TryBits(string text, bool negative, PtxType type, out ulong bits)
    {
        bits = 0;
        if (text.Length > 2 && text[0] == '0' && text[1] is 'f' or 'F' or 'd' or 'D' && text[0] == '0')
        {
            return TryHexFloat(text, negative, type, out bits);
        }
        if (TryInteger(text, out ulong value))
        {
            if (type is PtxType.F32 or PtxType.F64 && !text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            {
                // Where a float is asked for, a plain integer is that number ("add.f32 %f, %f, 1").
                bits = FloatBits(negative ? -(double)value : value, type);
                return true;
            }
            bits = negative ? unchecked(0 - value) : value;
            return true;
        }
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double number))
        {
            bits = FloatBits(negative ? -number : number, type);
            return true;
        }
        return false;
    }

    public static bool TryInteger(string text, out ulong value)
    {
        if (text == "WARP_SZ")
        {
            value = 32;
            return true;
        }
        ReadOnlySpan<char> digits = text.AsSpan().TrimEnd("Uu");
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return ulong.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        }
        if (digits.StartsWith("0b", StringComparison.OrdinalIgnoreCase))
        {
            return ulong.TryParse(digits[2..], NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out value);
        }
        if (digits.Length > 1 && digits[0] == '0')
        {
            return TryOctal(digits, out value);
        }
        return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryOctal(ReadOnlySpan<char> digits, out ulong value)
    {
        value = 0;
        foreach (char c in digits)
        {
            if (c is < '0' or > '7' || value >> 61 != 0)
            {
                return false;
            }
            value = value * 8 + (ulong)(c - '0');
        }
        return true;
    }

    private static bool TryHexFloat(string text, bool negative, PtxType type, out ulong bits)
    {
        bits = 0;
        bool isDouble = text[1] is 'd' or 'D';
        if (text.Length != (isDouble ? 18 : 10)
            || !ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong raw))
        {
            return false;
        }
        if (isDouble)
        {
            bits = negative ? raw ^ (1UL << 63) : raw;
            if (type == PtxType.F32)
            {
                bits = BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(bits));
            }
            return true;
        }
        uint single = negative ? (uint)raw ^ 0x8000_0000u : (uint)raw;
        bits = type == PtxType.F64 ? BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle(single)) : single;
        return true;
    }

    private static ulong FloatBits(double value, PtxType type) => type switch
    {
        PtxType.F64 or PtxType.B64 => BitConverter.DoubleToUInt64Bits(value),
        PtxType.F16 => FloatFormat.F16.FromDouble(value, Rounding.Nearest),
        PtxType.BF16 => FloatFormat.BF16.FromDouble(value, Rounding.Nearest),
        _ => BitConverter.SingleToUInt32Bits((float)value),
    };
}

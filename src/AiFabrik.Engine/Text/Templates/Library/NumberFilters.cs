using System.Numerics;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Filters that make or take numbers.</summary>
internal static class NumberFilters
{
    public static readonly BuiltIn[] All =
    [
        new("abs", "x, /", Abs),
        new("int", "value, default?, base?", Int),
        new("float", "value, default?", Float),
        new("round", "value, precision?, method?", Round),
        new("filesizeformat", "value, binary?", FileSize),
    ];

    private static Value Abs(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        if (!value.IsNumber) return vm.Fail(TemplateError.Type);
        if (value.Kind == Kind.Float) return Value.Float(Math.Abs(value.AsFloat)).With(value.Flags);
        bool negative = value.Kind == Kind.BigInt ? vm.Bytes(value)[0] == (byte)'-' : value.Bits < 0;
        return Arithmetic.Sign(vm, negative, value);
    }

    private static Value Int(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        Value otherwise = vm.Stack(p + 1).IsMissing ? Value.Int(0) : vm.Stack(p + 1);
        Value radix = vm.Stack(p + 2).IsMissing ? Value.Int(10) : vm.Stack(p + 2);
        if (value.IsUndefined) return vm.Fail(TemplateError.Undefined);
        if (value.Kind == Kind.Bool) return Value.Int(value.Bits).With(value.Flags);
        if (value.IsInteger) return value;
        double number;
        if (value.IsStr)
        {
            if (radix.Kind is Kind.Int or Kind.Bool && NumberText.TryInteger(vm, value, (int)radix.Bits, out Value integer)) return integer;
            if (vm.Failed) return default;
            if (!NumberText.TryFloat(vm.Bytes(value), out number) || !double.IsFinite(number)) return otherwise;
        }
        else if (value.Kind == Kind.Float)
        {
            number = value.AsFloat;
            if (double.IsNaN(number)) return otherwise;
        }
        else
        {
            return otherwise;
        }

        return Integers.FromDouble(vm, number, NumberText.Origin(vm, value));
    }

    private static Value Float(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        Value otherwise = vm.Stack(p + 1).IsMissing ? Value.Float(0) : vm.Stack(p + 1);
        if (value.IsUndefined) return vm.Fail(TemplateError.Undefined);
        if (value.Kind == Kind.Float) return value;
        if (value.IsNumber) return Numbers.TryFloat(vm, value, out double number) ? Value.Float(number).With(value.Flags) : default;
        return value.IsStr && NumberText.TryFloat(vm.Bytes(value), out double parsed)
            ? Value.Float(parsed).With(NumberText.Origin(vm, value)) : otherwise;
    }

    private static Value Round(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        Value precision = vm.Stack(p + 1).IsMissing ? Value.Int(0) : vm.Stack(p + 1);
        Value method = vm.Stack(p + 2);
        bool common = method.IsMissing || (method.IsStr && vm.Bytes(method).SequenceEqual("common"u8));
        bool ceil = method.IsStr && vm.Bytes(method).SequenceEqual("ceil"u8);
        if (!common && !ceil && !(method.IsStr && vm.Bytes(method).SequenceEqual("floor"u8))) return vm.Fail(TemplateError.Runtime);
        if (value.IsUndefined) return vm.Fail(TemplateError.Undefined);
        if (!value.IsNumber || precision.Kind is not (Kind.Int or Kind.Bool)) return vm.Fail(TemplateError.Type);
        int digits = (int)Math.Clamp(precision.Bits, -400, 400);
        ValueFlags flags = value.Flags & ValueFlags.Request;
        if (!common)
        {
            if (!Numbers.TryFloat(vm, value, out double number)) return default;
            double scale = Math.Pow(10, digits);
            double scaled = number * scale;
            if (!double.IsFinite(scaled)) return vm.Fail(TemplateError.Value);
            return Value.Float((ceil ? Math.Ceiling(scaled) : Math.Floor(scaled)) / scale).With(flags);
        }

        if (value.Kind == Kind.Float) return Value.Float(RoundFloat(value.AsFloat, digits)).With(flags);
        return digits >= 0 ? Arithmetic.Sign(vm, false, value) : RoundInteger(vm, value, -digits, flags);
    }

    private static Value RoundInteger(Interpreter vm, in Value value, int digits, ValueFlags flags)
    {
        if (!Integers.TryGet(vm, value, out BigInteger integer)) return default;
        BigInteger unit = BigInteger.Pow(10, digits);
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(integer), unit, out BigInteger rest);
        int order = (rest * 2).CompareTo(unit);
        if (order > 0 || (order == 0 && !quotient.IsEven)) quotient += 1;
        return Integers.Make(vm, quotient * unit * integer.Sign, flags);
    }

    /// <summary>Half to even, on the exact binary value.</summary>
    public static double RoundFloat(double value, int digits)
    {
        if (!double.IsFinite(value) || digits > 323) return value;
        if (digits == 0) return Math.Round(value, MidpointRounding.ToEven);
        if (digits < 0)
        {
            if (digits < -308) return Math.CopySign(0, value);
            double unit = Math.Pow(10, -digits);
            return Math.Round(value / unit, MidpointRounding.ToEven) * unit;
        }

        Span<byte> text = stackalloc byte[700];
        int length = FloatText.Fixed(value, digits, text);
        return length > 0 ? double.Parse(text[..length], System.Globalization.CultureInfo.InvariantCulture) : value;
    }

    private static Value FileSize(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        double bytes;
        if (value.IsNumber)
        {
            if (!Numbers.TryFloat(vm, value, out bytes)) return default;
        }
        else if (!value.IsStr || !NumberText.TryFloat(vm.Bytes(value), out bytes))
        {
            return vm.Fail(value.IsStr ? TemplateError.Value : TemplateError.Type);
        }

        bool binary = Truth.Of(vm, vm.Stack(p + 1));
        double unit = binary ? 1024 : 1000;
        bool trusted = NumberText.Origin(vm, value) == ValueFlags.None;
        var text = new TextBuilder(vm);
        if (bytes == 1) text.Append("1 Byte"u8, trusted);
        else if (bytes < unit)
        {
            Printing.Integer(ref text, (long)bytes, trusted);
            text.Append(" Bytes"u8, trusted);
        }
        else
        {
            int prefix = 0;
            for (double size = unit * unit; prefix < 7 && bytes >= size; size *= unit) prefix++;
            double shown = unit * bytes / Math.Pow(unit, prefix + 2);
            Span<byte> digits = stackalloc byte[400];
            text.Append(digits[..FloatText.Fixed(shown, 1, digits)], trusted);
            text.Append(" "u8, trusted);
            text.Append((binary ? "KMGTPEZY"u8 : "kMGTPEZY"u8)[prefix], trusted);
            text.Append(binary ? "iB"u8 : "B"u8, trusted);
        }

        return text.ToValue();
    }
}

/// <summary>Numbers out of text, with Python's rules: blanks around, single underscores between digits.</summary>
internal static class NumberText
{
    /// <summary>Where a number that is made of this value comes from.</summary>
    public static ValueFlags Origin(Interpreter vm, in Value value) =>
        value.IsStr ? (vm.Trust(value).Contains((byte)0) ? ValueFlags.Request : ValueFlags.None) : value.Flags & ValueFlags.Request;

    public static bool TryInteger(Interpreter vm, in Value text, int radix, out Value integer)
    {
        integer = default;
        Value inner = Strip.Both(vm, text);
        ReadOnlySpan<byte> bytes = vm.Bytes(inner);
        bool negative = bytes.Length > 0 && bytes[0] == (byte)'-';
        if (bytes.Length > 0 && bytes[0] is (byte)'-' or (byte)'+') bytes = bytes[1..];
        if (radix is not 0 and (< 2 or > 36)) return false;
        int named = bytes.Length > 2 && bytes[0] == (byte)'0' ? (bytes[1] | 0x20) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (named != 0 && (radix == 0 || radix == named))
        {
            bytes = bytes[2..];
            radix = named;
            if (bytes[0] == (byte)'_') bytes = bytes[1..];
        }
        else if (radix == 0)
        {
            if (bytes.Length > 1 && bytes[0] == (byte)'0' && bytes.IndexOfAnyExcept((byte)'0', (byte)'_') >= 0) return false;
            radix = 10;
        }

        return Digits(vm, bytes, radix, negative, Origin(vm, text), out integer);
    }

    private static bool Digits(Interpreter vm, ReadOnlySpan<byte> bytes, int radix, bool negative, ValueFlags flags, out Value integer)
    {
        integer = default;
        if (bytes.Length == 0 || bytes[0] == (byte)'_' || bytes[^1] == (byte)'_') return false;
        BigInteger large = 0;
        long small = 0;
        int digits = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == (byte)'_')
            {
                if (bytes[i + 1] == (byte)'_') return false;
                continue;
            }

            int digit = char.IsAsciiDigit((char)bytes[i]) ? bytes[i] - '0'
                : char.IsAsciiLetter((char)bytes[i]) ? (bytes[i] | 0x20) - 'a' + 10 : 99;
            if (digit >= radix) return false;
            if (digits < 18 && radix <= 10) small = (small * radix) + digit;
            else
            {
                if (digits == 18 || (digits == 0 && radix > 10)) large = small;
                large = (large * radix) + digit;
            }

            digits++;
            if (digits > TemplateLimits.IntegerBitsMax)
            {
                vm.FailLimit(TemplateLimit.IntegerBits);
                return false;
            }
        }

        BigInteger value = digits <= 18 && radix <= 10 ? small : large;
        integer = Integers.Make(vm, negative ? -value : value, flags);
        return !vm.Failed;
    }

    public static bool TryFloat(ReadOnlySpan<byte> bytes, out double value)
    {
        value = 0;
        while (bytes.Length > 0 && UnicodeText.IsSpace(Utf8.Decode(bytes, out int first))) bytes = bytes[first..];
        while (bytes.Length > 0 && UnicodeText.IsSpace(Utf8.DecodeLast(bytes, out int last))) bytes = bytes[..^last];
        if (bytes.Length is 0 or > 400) return false;
        Span<byte> clean = stackalloc byte[400];
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == (byte)'_')
            {
                bool between = i > 0 && i + 1 < bytes.Length && char.IsAsciiDigit((char)bytes[i - 1]) && char.IsAsciiDigit((char)bytes[i + 1]);
                if (!between) return false;
                continue;
            }

            clean[length++] = bytes[i];
        }

        ReadOnlySpan<byte> text = clean[..length];
        bool negative = text[0] == (byte)'-';
        ReadOnlySpan<byte> unsigned = text[0] is (byte)'-' or (byte)'+' ? text[1..] : text;
        if (Is(unsigned, "inf"u8) || Is(unsigned, "infinity"u8)) value = double.PositiveInfinity;
        else if (Is(unsigned, "nan"u8)) value = double.NaN;
        else
        {
            if (unsigned.Length == 0 || !(char.IsAsciiDigit((char)unsigned[0]) || unsigned[0] == (byte)'.')) return false;
            return double.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign
                | System.Globalization.NumberStyles.AllowDecimalPoint | System.Globalization.NumberStyles.AllowExponent,
                System.Globalization.CultureInfo.InvariantCulture, out value);
        }

        if (negative) value = -value;
        return true;
    }

    private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word) => System.Text.Ascii.EqualsIgnoreCase(text, word);
}

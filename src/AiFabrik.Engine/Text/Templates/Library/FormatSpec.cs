namespace AiFabrik.Engine.Text.Templates;

/// <summary>The specification behind the colon of a replacement field: fill, sign, width, grouping, precision, type.</summary>
internal ref struct FormatSpec
{
    private static readonly System.Buffers.SearchValues<byte> HexDigits = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF"u8);

    private readonly Interpreter _vm;
    private readonly Value _value;
    private readonly bool _trusted;
    private Value _fill;
    private byte _align;
    private byte _sign;
    private bool _alternate;
    private bool _zero;
    private long _width;
    private byte _grouping;
    private long _precision;
    private byte _type;

    private FormatSpec(Interpreter vm, in Value value)
    {
        _vm = vm;
        _value = value;
        _trusted = NumberText.Origin(vm, value) == ValueFlags.None;
    }

    public static void Write(ref TextBuilder text, in Value value, in Value spec)
    {
        var run = new FormatSpec(text.Vm, value);
        if (spec.Length == 0)
        {
            Printing.Write(ref text, value);
            return;
        }

        if (run.Parse(spec)) run.Render(ref text);
        else text.Vm.Fail(TemplateError.Value);
    }

    private static bool IsAlign(byte b) => b is (byte)'<' or (byte)'>' or (byte)'=' or (byte)'^';

    private bool Parse(in Value spec)
    {
        ReadOnlySpan<byte> bytes = _vm.Bytes(spec);
        int at = 0;
        int first = Math.Min(Utf8.Size(bytes[0]), bytes.Length);
        if (first < bytes.Length && IsAlign(bytes[first]))
        {
            _fill = Value.Str(spec.Address, first);
            _align = bytes[first];
            at = first + 1;
        }
        else if (IsAlign(bytes[0]))
        {
            _align = bytes[at++];
        }

        if (at < bytes.Length && bytes[at] is (byte)'+' or (byte)'-' or (byte)' ') _sign = bytes[at++];
        if (at < bytes.Length && bytes[at] == (byte)'#')
        {
            _alternate = true;
            at++;
        }

        if (at < bytes.Length && bytes[at] == (byte)'0')
        {
            _zero = true;
            at++;
        }

        _width = Number(bytes, ref at, 0);
        if (at < bytes.Length && bytes[at] is (byte)',' or (byte)'_') _grouping = bytes[at++];
        _precision = -1;
        if (at < bytes.Length && bytes[at] == (byte)'.')
        {
            at++;
            _precision = Number(bytes, ref at, -1);
            if (_precision < 0) return false;
        }

        if (at < bytes.Length) _type = bytes[at++];
        return at == bytes.Length;
    }

    private static long Number(ReadOnlySpan<byte> bytes, ref int at, long otherwise)
    {
        long number = otherwise;
        for (; at < bytes.Length && bytes[at] is >= (byte)'0' and <= (byte)'9'; at++)
            number = Math.Min((Math.Max(0, number) * 10) + (bytes[at] - '0'), 1L << 40);
        return number;
    }

    private void Render(ref TextBuilder text)
    {
        if (_value.IsNumber && !(_value.Kind == Kind.Bool && _type == 0)) Numeric(ref text);
        else if (_value.IsStr || _value.Kind == Kind.Bool) Text(ref text);
        else _vm.Fail(_value.IsUndefined ? TemplateError.Value : TemplateError.Type);
    }

    private void Text(ref TextBuilder text)
    {
        if (_type is not (0 or (byte)'s') || _sign != 0 || _alternate || _grouping != 0 || _align == (byte)'=')
        {
            _vm.Fail(TemplateError.Value);
            return;
        }

        Value shown = Printing.ToText(_vm, _value);
        if (_precision >= 0) shown = Slices.Slice(_vm, shown, Value.None, Value.Int(_precision), Value.None);
        if (_vm.Failed) return;
        if (_zero && _fill.IsMissing) _fill = _vm.NewText("0"u8, true);
        Aligned(ref text, shown, _align == 0 ? (byte)'<' : _align);
    }

    private void Aligned(ref TextBuilder text, in Value shown, byte align)
    {
        // Python's format puts the odd blank of centred text on the right.
        long missing = _width - Utf8.Count(_vm.Bytes(shown));
        long left = align switch { (byte)'>' => missing, (byte)'^' => missing / 2, _ => 0 };
        Fill(ref text, left);
        text.Append(shown);
        Fill(ref text, missing - left);
    }

    private void Fill(ref TextBuilder text, long count)
    {
        if (count > TextMemory.StringBytesMax) _vm.FailLimit(TemplateLimit.StringBytes);
        if (_fill.IsMissing) text.Repeat((byte)' ', count, true);
        else for (long i = 0; i < count && !_vm.Failed; i++) text.Append(_fill);
    }

    private void Numeric(ref TextBuilder text)
    {
        Value digits = Digits(out ReadOnlySpan<byte> prefix, out ReadOnlySpan<byte> suffix);
        if (_vm.Failed) return;
        ReadOnlySpan<byte> sign = NumberFormat.IsNegative(_vm, _value) ? "-"u8
            : _sign == (byte)'+' ? "+"u8 : _sign == (byte)' ' ? " "u8 : default;
        bool zeros = _zero && _align == 0;
        if (zeros && _fill.IsMissing) _fill = _vm.NewText("0"u8, true);
        byte align = zeros ? (byte)'=' : _align == 0 ? (byte)'>' : _align;
        if (_grouping != 0)
            digits = Grouped(digits, zeros ? (int)Math.Min(_width - sign.Length - prefix.Length - suffix.Length, 1000) : 0);
        if (_vm.Failed) return;
        var body = new TextBuilder(_vm);
        body.Append(sign, _trusted);
        body.Append(prefix, _trusted);
        if (align == (byte)'=')
        {
            Value inner = digits;
            Fill(ref body, _width - sign.Length - prefix.Length - suffix.Length - inner.Length);
            align = (byte)'<';
        }

        body.Append(digits);
        body.Append(suffix, _trusted);
        Value shown = body.ToValue();
        if (!_vm.Failed) Aligned(ref text, shown, align);
    }

    private Value Digits(out ReadOnlySpan<byte> prefix, out ReadOnlySpan<byte> suffix)
    {
        prefix = default;
        suffix = default;
        bool isInteger = _value.IsInteger;
        switch ((char)_type)
        {
            case '\0' or 'd' or 'n' when isInteger: return WholeDigits(10);
            case 'b' when isInteger: prefix = _alternate ? "0b"u8 : default; return WholeDigits(2);
            case 'o' when isInteger: prefix = _alternate ? "0o"u8 : default; return WholeDigits(8);
            case 'x' when isInteger: prefix = _alternate ? "0x"u8 : default; return WholeDigits(16);
            case 'X' when isInteger: prefix = _alternate ? "0X"u8 : default; return WholeDigits(16);
            case 'c' when _value.Kind is Kind.Int or Kind.Bool && _value.Bits is >= 0 and <= 0x10FFFF:
                var character = new TextBuilder(_vm);
                character.AppendCodePoint((int)_value.Bits, _trusted);
                return character.ToValue();
            case '%': suffix = "%"u8; return FloatDigits('f', 100);
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G': return FloatDigits((char)_type, 1);
            case 'n': return FloatDigits('g', 1);
            case '\0': return PlainFloat();
            default: return _vm.Fail(TemplateError.Value);
        }
    }

    private Value WholeDigits(int radix)
    {
        if (_precision >= 0) return _vm.Fail(TemplateError.Value);
        return NumberFormat.Digits(_vm, _value, radix, _type == (byte)'X', _trusted);
    }

    private Value FloatDigits(char format, double scale)
    {
        if (!Numbers.TryFloat(_vm, _value, out double number)) return default;
        int precision = _precision < 0 ? 6 : (int)Math.Min(_precision, int.MaxValue);
        return NumberFormat.Float(_vm, number * scale, format, precision, _alternate, _trusted);
    }

    /// <summary>A float without a type: the shortest form, or <c>g</c> with at least one digit after the point.</summary>
    private Value PlainFloat()
    {
        double number = Math.Abs(_value.AsFloat);
        if (_precision >= 0)
        {
            Value general = NumberFormat.Float(_vm, number, 'g', (int)Math.Min(Math.Max(1, _precision), int.MaxValue), false, _trusted);
            bool whole = !_vm.Failed && double.IsFinite(number) && _vm.Bytes(general).IndexOfAny((byte)'.', (byte)'e') < 0;
            return whole ? _vm.Concat(general, _vm.NewText(".0"u8, _trusted)) : general;
        }

        Span<byte> digits = stackalloc byte[FloatText.ReprMax];
        return _vm.NewText(digits[..FloatText.Repr(number, digits)], _trusted);
    }

    /// <summary>Puts a separator between groups of three digits (four in other radices), zeros in front up to a width.</summary>
    private Value Grouped(in Value digits, int width)
    {
        int size = (char)_type is 'b' or 'o' or 'x' or 'X' ? 4 : 3;
        ReadOnlySpan<byte> bytes = _vm.Bytes(digits);
        int whole = bytes.IndexOfAnyExcept(HexDigits);
        if (whole < 0) whole = bytes.Length;
        if (size == 3 && bytes[..whole].IndexOfAny((byte)'e', (byte)'E') is >= 0 and var mark) whole = mark;
        int shown = whole;
        while (shown + ((shown - 1) / size) + bytes.Length - whole < width) shown++;

        // A separator may not come first: the group before it gets a digit.
        var text = new TextBuilder(_vm);
        for (int i = shown; i > 0 && _vm.Step(); i--)
        {
            text.Append(i > whole ? (byte)'0' : bytes[whole - i], _trusted);
            if (i > 1 && (i - 1) % size == 0) text.Append(_grouping, _trusted);
        }

        text.AppendRange(digits.Address + whole, bytes.Length - whole);
        return _vm.Failed ? default : text.ToValue();
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Percent formatting: <c>'%s is %05.2f' % (a, b)</c>.</summary>
internal ref struct PercentFormat
{
    private readonly Interpreter _vm;
    private readonly Value _format;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly Value _arguments;
    private TextBuilder _result;
    private int _at;
    private int _used;
    private bool _left;
    private bool _zero;
    private bool _plus;
    private bool _blank;
    private bool _alternate;
    private long _width;
    private long _precision;
    private Value _value;

    private PercentFormat(Interpreter vm, in Value format, in Value arguments)
    {
        _vm = vm;
        _format = format;
        _bytes = vm.Bytes(format);
        _arguments = arguments;
        _result = new TextBuilder(vm);
    }

    public static Value Format(Interpreter vm, in Value format, in Value arguments)
    {
        var run = new PercentFormat(vm, format, arguments);
        run.Run();
        return vm.Failed ? default : run._result.ToValue(format.Flags);
    }

    private void Run()
    {
        while (_at < _bytes.Length && _vm.Step())
        {
            int percent = _bytes[_at..].IndexOf((byte)'%');
            if (percent < 0) percent = _bytes.Length - _at;
            _result.AppendRange(_format.Address + _at, percent);
            _at += percent + 1;
            if (_at > _bytes.Length) break;
            if (_at == _bytes.Length) _vm.Fail(TemplateError.Value);
            else Directive();
        }

        int given = _arguments.Kind == Kind.Tuple ? _arguments.Length : 1;
        bool mayStay = _arguments.Kind is Kind.Dict or Kind.List or Kind.Undefined or Kind.Range;
        if (!_vm.Failed && _used < given && !(mayStay && _arguments.Kind != Kind.Tuple)) _vm.Fail(TemplateError.Type);
    }

    private Value NextArgument()
    {
        if (_arguments.Kind == Kind.Tuple)
        {
            if (_used < _arguments.Length) return _vm.Cells[_arguments.Address + _used++];
            return _vm.Fail(TemplateError.Type);
        }

        return _used++ == 0 ? _arguments : _vm.Fail(TemplateError.Type);
    }

    private void Directive()
    {
        bool named = false;
        if (_bytes[_at] == (byte)'(')
        {
            named = true;
            if (!Named()) return;
        }

        Flags();
        _width = Number();
        if (_width < 0)
        {
            _left = true;
            _width = -_width;
        }

        _precision = -1;
        if (_at < _bytes.Length && _bytes[_at] == (byte)'.')
        {
            _at++;
            _precision = Math.Max(0, Number());
        }

        while (_at < _bytes.Length && _bytes[_at] is (byte)'h' or (byte)'l' or (byte)'L') _at++;
        if (_vm.Failed) return;
        if (_at == _bytes.Length)
        {
            _vm.Fail(TemplateError.Value);
            return;
        }

        byte conversion = _bytes[_at++];
        if (conversion == (byte)'%')
        {
            _result.AppendRange(_format.Address + _at - 1, 1);
            return;
        }

        if (!named) _value = NextArgument();
        if (!_vm.Failed) Convert(conversion);
    }

    private bool Named()
    {
        if (_arguments.Kind != Kind.Dict)
        {
            _vm.Fail(TemplateError.Type);
            return false;
        }

        int start = ++_at;
        for (int depth = 1; _at < _bytes.Length; _at++)
        {
            if (_bytes[_at] == (byte)'(') depth++;
            if (_bytes[_at] == (byte)')' && --depth == 0) break;
        }

        if (_at >= _bytes.Length)
        {
            _vm.Fail(TemplateError.Value);
            return false;
        }

        _value = Dicts.Get(_vm, _arguments, Value.Str(_format.Address + start, _at - start));
        _at++;
        if (_value.IsMissing) _vm.Fail(TemplateError.Value);
        return !_vm.Failed;
    }

    private void Flags()
    {
        _left = _zero = _plus = _blank = _alternate = false;
        for (; _at < _bytes.Length; _at++)
        {
            switch (_bytes[_at])
            {
                case (byte)'-': _left = true; break;
                case (byte)'0': _zero = true; break;
                case (byte)'+': _plus = true; break;
                case (byte)' ': _blank = true; break;
                case (byte)'#': _alternate = true; break;
                default: return;
            }
        }
    }

    private long Number()
    {
        if (_at < _bytes.Length && _bytes[_at] == (byte)'*')
        {
            _at++;
            Value value = NextArgument();
            if (_vm.Failed) return 0;
            if (value.IsInteger) return Slices.Clamp(_vm, value);
            _vm.Fail(TemplateError.Type);
            return 0;
        }

        long number = 0;
        for (; _at < _bytes.Length && _bytes[_at] is >= (byte)'0' and <= (byte)'9'; _at++)
        {
            number = Math.Min((number * 10) + (_bytes[_at] - '0'), 1L << 40);
        }

        return number;
    }

    private void Convert(byte conversion)
    {
        bool trusted = NumberText.Origin(_vm, _value) == ValueFlags.None;
        switch ((char)conversion)
        {
            case 's': Text(Printing.ToText(_vm, _value)); break;
            case 'r' or 'a': Text(Represented()); break;
            case 'c': Text(Character(trusted)); break;
            case 'd' or 'i' or 'u': Integer(10, false, trusted); break;
            case 'x' or 'X' or 'o': Integer(conversion == 'o' ? 8 : 16, conversion == 'X', trusted); break;
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G': Float((char)conversion, trusted); break;
            default: _vm.Fail(TemplateError.Value); break;
        }
    }

    private Value Represented()
    {
        var text = new TextBuilder(_vm);
        Printing.Repr(ref text, _value, 0);
        return text.ToValue();
    }

    private Value Character(bool trusted)
    {
        if (_value.IsStr && Utf8.Count(_vm.Bytes(_value)) == 1) return _value;
        if (_value.Kind is not (Kind.Int or Kind.Bool)) return _vm.Fail(TemplateError.Type);
        if (_value.Bits is < 0 or > 0x10FFFF) return _vm.Fail(TemplateError.Value);
        var text = new TextBuilder(_vm);
        text.AppendCodePoint((int)_value.Bits, trusted);
        return text.ToValue();
    }

    private void Text(Value text)
    {
        if (_vm.Failed) return;
        if (_precision >= 0) text = Slices.Slice(_vm, text, Value.None, Value.Int(_precision), Value.None);
        if (_vm.Failed) return;
        text = Padding.Pad(_vm, text, _width, default, _left ? Padding.Side.Right : Padding.Side.Left);
        if (!_vm.Failed) _result.Append(text);
    }

    private void Integer(int radix, bool upper, bool trusted)
    {
        Value value = _value;
        if (value.Kind == Kind.Float && radix == 10) value = Integers.FromDouble(_vm, value.AsFloat, value.Flags);
        if (!value.IsInteger)
        {
            _vm.Fail(value.IsUndefined ? TemplateError.Undefined : TemplateError.Type);
            return;
        }

        Value digits = NumberFormat.Digits(_vm, value, radix, upper, trusted);
        if (_vm.Failed) return;
        if (_precision > digits.Length) digits = Zeros(digits, _precision, trusted);
        ReadOnlySpan<byte> prefix = !_alternate || radix == 10 ? default : "0x"u8;
        if (_alternate && radix == 8) prefix = "0o"u8;
        if (_alternate && upper && radix == 16) prefix = "0X"u8;
        Signed(digits, NumberFormat.IsNegative(_vm, value), prefix, _zero && !_left, trusted);
    }

    private Value Zeros(in Value digits, long width, bool trusted)
    {
        var text = new TextBuilder(_vm);
        text.Repeat((byte)'0', width - digits.Length, trusted);
        text.Append(digits);
        return _vm.Failed ? default : text.ToValue();
    }

    private void Float(char conversion, bool trusted)
    {
        if (!_value.IsNumber)
        {
            _vm.Fail(_value.IsUndefined ? TemplateError.Undefined : TemplateError.Type);
            return;
        }

        if (!Numbers.TryFloat(_vm, _value, out double number)) return;
        int precision = _precision < 0 ? 6 : (int)Math.Min(_precision, int.MaxValue);
        Value digits = NumberFormat.Float(_vm, number, conversion, precision, _alternate, trusted);
        if (!_vm.Failed) Signed(digits, NumberFormat.IsNegative(_vm, Value.Float(number)), default, _zero && !_left, trusted);
    }

    private void Signed(in Value digits, bool negative, ReadOnlySpan<byte> prefix, bool zeros, bool trusted)
    {
        if (_vm.Failed) return;
        ReadOnlySpan<byte> sign = negative ? "-"u8 : _plus ? "+"u8 : _blank ? " "u8 : default;
        long missing = _width - digits.Length - sign.Length - prefix.Length;
        if (!_left && !zeros) _result.Repeat((byte)' ', missing, true);
        _result.Append(sign, trusted);
        _result.Append(prefix, trusted);
        if (zeros) _result.Repeat((byte)'0', missing, trusted);
        _result.Append(digits);
        if (_left) _result.Repeat((byte)' ', missing, true);
    }
}

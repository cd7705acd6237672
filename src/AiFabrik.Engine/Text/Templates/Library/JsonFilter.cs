namespace AiFabrik.Engine.Text.Templates;

/// <summary>The tojson filter: Python's <c>json.dumps</c>.</summary>
internal ref struct JsonFilter
{
    public static readonly BuiltIn[] All =
    [
        new("tojson", "value, ensure_ascii?, indent?, separators?, sort_keys?", ToJson),
    ];

    private TextBuilder _text;
    private bool _ascii;
    private bool _sorted;
    private Value _indent;
    private Value _itemSeparator;
    private Value _keySeparator;

    private static Value ToJson(Interpreter vm, int p)
    {
        Value indent = vm.Stack(p + 2);
        Value separators = vm.Stack(p + 3);
        bool pretty = !indent.IsMissing && !indent.IsNone;
        var run = new JsonFilter { _text = new TextBuilder(vm), _ascii = Truth.Of(vm, vm.Stack(p + 1)), _sorted = Truth.Of(vm, vm.Stack(p + 4)) };
        if (pretty && !indent.IsStr && !indent.IsInteger) return vm.Fail(TemplateError.Type);
        if (pretty)
            run._indent = indent.IsStr ? indent : Padding.Pad(vm, Value.Str(0, 0), Slices.Clamp(vm, indent), default, Padding.Side.Left);
        run._itemSeparator = vm.NewText(pretty ? ","u8 : ", "u8, true);
        run._keySeparator = vm.NewText(": "u8, true);
        if (!separators.IsMissing && !separators.IsNone)
        {
            Value pair = Iteration.ToList(vm, separators);
            if (vm.Failed) return default;
            if (pair.Length != 2) return vm.Fail(TemplateError.Value);
            run._itemSeparator = vm.Cells[pair.Address];
            run._keySeparator = vm.Cells[pair.Address + 1];
            if (!run._itemSeparator.IsStr || !run._keySeparator.IsStr) return vm.Fail(TemplateError.Type);
        }

        if (!vm.Failed) run.Write(vm.Stack(p), 0);
        return vm.Failed ? default : run._text.ToValue();
    }

    private void Write(in Value value, int depth)
    {
        Interpreter vm = _text.Vm;
        if (!vm.Step()) return;
        bool trusted = (value.Flags & ValueFlags.Request) == 0;
        switch (value.Kind)
        {
            case Kind.None: _text.Append("null"u8, trusted); break;
            case Kind.Bool: _text.Append(value.Bits != 0 ? "true"u8 : "false"u8, trusted); break;
            case Kind.Int: Printing.Integer(ref _text, value.Bits, trusted); break;
            case Kind.BigInt: _text.Append(value); break;
            case Kind.Float: Float(value.AsFloat, trusted); break;
            case Kind.Str: Text(value); break;
            case Kind.List or Kind.Tuple or Kind.Dict: Collection(value, depth); break;
            default: vm.Fail(TemplateError.Type); break;
        }
    }

    private void Float(double value, bool trusted)
    {
        Span<byte> digits = stackalloc byte[FloatText.ReprMax];
        if (double.IsFinite(value)) _text.Append(digits[..FloatText.Repr(value, digits)], trusted);
        else _text.Append(double.IsNaN(value) ? "NaN"u8 : value > 0 ? "Infinity"u8 : "-Infinity"u8, trusted);
    }

    private void Collection(in Value value, int depth)
    {
        Interpreter vm = _text.Vm;
        if (depth > vm.Limits.ValueDepthMax) vm.FailLimit(TemplateLimit.Depth);
        if (!vm.HasStack()) return;
        bool isDict = value.Kind == Kind.Dict;
        _text.Append(isDict ? "{"u8 : "["u8, true);
        Value order = isDict && _sorted ? SortedKeys(value) : default;
        for (int i = 0; i < value.Length && !vm.Failed; i++)
        {
            if (i > 0) _text.Append(_itemSeparator);
            NewLine(depth + 1);
            Value item = isDict ? default : vm.Cells[value.Address + i];
            if (isDict)
            {
                Value key = order.IsMissing ? Dicts.Key(vm, value, i) : vm.Cells[order.Address + i];
                Key(key);
                _text.Append(_keySeparator);
                item = order.IsMissing ? Dicts.ValueAt(vm, value, i) : Dicts.Get(vm, value, key);
            }

            if (!vm.Failed) Write(item, depth + 1);
        }

        if (value.Length > 0) NewLine(depth);
        _text.Append(isDict ? "}"u8 : "]"u8, true);
    }

    private Value SortedKeys(in Value dict)
    {
        Interpreter vm = _text.Vm;
        var keys = new ListBuilder(vm);
        for (int i = 0; i < dict.Length && vm.Step(); i++)
        {
            keys.Add(Dicts.Key(vm, dict, i));
            keys.Add(Dicts.Key(vm, dict, i));
        }

        return vm.Failed ? default : SortFilters.Sorted(vm, ref keys, false);
    }

    private void NewLine(int depth)
    {
        if (_indent.IsMissing) return;
        _text.Append((byte)'\n', true);
        for (int i = 0; i < depth && !_text.Vm.Failed; i++) _text.Append(_indent);
    }

    private void Key(in Value key)
    {
        Interpreter vm = _text.Vm;
        if (key.IsStr)
        {
            Text(key);
            return;
        }

        if (!key.IsNumber && !key.IsNone)
        {
            vm.Fail(TemplateError.Type);
            return;
        }

        _text.Append((byte)'"', true);
        Write(key, 0);
        _text.Append((byte)'"', true);
    }

    private void Text(in Value value)
    {
        Interpreter vm = _text.Vm;
        ReadOnlySpan<byte> bytes = vm.Bytes(value);
        if (!vm.StepBytes(bytes.Length)) return;
        _text.Append((byte)'"', true);
        int plain = 0;
        for (int at = 0; at < bytes.Length && !vm.Failed;)
        {
            byte b = bytes[at];
            if (b >= 0x20 && b != '"' && b != '\\' && (b < 0x80 || !_ascii))
            {
                at++;
                continue;
            }

            _text.AppendRange(value.Address + plain, at - plain);
            bool trusted = vm.Trust(value)[at] != 0;
            int codePoint = Utf8.Decode(bytes[at..], out int size);
            at += size;
            plain = at;
            Escape(codePoint, trusted);
        }

        _text.AppendRange(value.Address + plain, bytes.Length - plain);
        _text.Append((byte)'"', true);
    }

    private void Escape(int codePoint, bool trusted)
    {
        _text.Append((byte)'\\', trusted);
        byte letter = codePoint switch
        {
            '"' => (byte)'"',
            '\\' => (byte)'\\',
            '\n' => (byte)'n',
            '\r' => (byte)'r',
            '\t' => (byte)'t',
            '\b' => (byte)'b',
            '\f' => (byte)'f',
            _ => 0,
        };
        if (letter != 0)
        {
            _text.Append(letter, trusted);
            return;
        }

        if (codePoint >= 0x10000)
        {
            Quoted.Hex(ref _text, (byte)'u', 0xD800 + ((codePoint - 0x10000) >> 10), 4, trusted);
            _text.Append((byte)'\\', trusted);
            codePoint = 0xDC00 + ((codePoint - 0x10000) & 0x3FF);
        }

        Quoted.Hex(ref _text, (byte)'u', codePoint, 4, trusted);
    }
}

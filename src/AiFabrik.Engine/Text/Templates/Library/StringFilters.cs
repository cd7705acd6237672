namespace AiFabrik.Engine.Text.Templates;

/// <summary>Filters that take anything as text and change its characters.</summary>
internal static class StringFilters
{
    public static readonly BuiltIn[] All =
    [
        new("upper", "s", (vm, p) => OfText(vm, p, static (vm, text) => Cases.Map(vm, text, CaseMapping.Upper))),
        new("lower", "s", (vm, p) => OfText(vm, p, static (vm, text) => Cases.Map(vm, text, CaseMapping.Lower))),
        new("capitalize", "s", (vm, p) => OfText(vm, p, static (vm, text) => Cases.Capitalize(vm, text, CaseMapping.Title))),
        new("string", "object, /", (vm, p) => Printing.ToText(vm, vm.Stack(p))),
        new("trim", "value, chars?", Trim),
        new("replace", "s, old, new, count?", Replace),
        new("center", "value, width?", Center),
        new("format", Format),
        new("e", "s, /", (vm, p) => OfText(vm, p, static (vm, text) => Escaping.Escape(vm, text))),
        new("escape", "s, /", (vm, p) => OfText(vm, p, static (vm, text) => Escaping.Escape(vm, text))),
        new("forceescape", "value", (vm, p) => OfText(vm, p, static (vm, text) => Escaping.Force(vm, text))),
        new("safe", "value", (vm, p) => OfText(vm, p, static (_, text) => text.With(ValueFlags.Markup))),
        new("urlencode", "value", UrlEncoding.Encode),
        new("urlize", "value, trim_url_limit?, nofollow?, target?, rel?, extra_schemes?", (vm, _) => vm.Fail(TemplateError.Runtime)),
        new("xmlattr", "d, autospace?", (vm, _) => vm.Fail(TemplateError.Runtime)),
    ];

    private delegate Value TextBody(Interpreter vm, Value text);

    private static Value OfText(Interpreter vm, int p, TextBody body)
    {
        Value text = Printing.ToText(vm, vm.Stack(p));
        return vm.Failed ? default : body(vm, text);
    }

    private static Value Trim(Interpreter vm, int p)
    {
        Value text = Printing.ToText(vm, vm.Stack(p));
        return vm.Failed ? default : Strip.Apply(vm, text, vm.Stack(p + 1), true, true);
    }

    private static Value Replace(Interpreter vm, int p)
    {
        Value count = vm.Stack(p + 3);
        if (!count.IsMissing && !count.IsNone && !count.IsInteger) return vm.Fail(TemplateError.Type);
        Value text = Printing.ToText(vm, vm.Stack(p));
        Value old = Printing.ToText(vm, vm.Stack(p + 1));
        Value replacement = Printing.ToText(vm, vm.Stack(p + 2));
        if (vm.Failed) return default;
        return Searching.Replace(vm, text, old, replacement, count.IsInteger ? Slices.Clamp(vm, count) : -1);
    }

    private static Value Center(Interpreter vm, int p)
    {
        Value width = vm.Stack(p + 1).IsMissing ? Value.Int(80) : vm.Stack(p + 1);
        if (!width.IsInteger) return vm.Fail(TemplateError.Type);
        Value text = Printing.ToText(vm, vm.Stack(p));
        return vm.Failed ? default : Padding.Pad(vm, text, Slices.Clamp(vm, width), default, Padding.Side.Both);
    }

    private static Value Format(Interpreter vm, in Arguments given)
    {
        if (given.Count == 0) return vm.Fail(TemplateError.Type);
        if (given.Count > 1 && given.Keywords > 0) return vm.Fail(TemplateError.Runtime);
        Value text = Printing.ToText(vm, given[vm, 0]);
        var values = new ListBuilder(vm);
        for (int i = 1; i < given.Count; i++) values.Add(given[vm, i]);
        for (int i = 0; i < 2 * given.Keywords; i++) values.Add(vm.Stack(given.Start + given.Count + i));
        if (vm.Failed) return default;
        Value argument = given.Keywords > 0 ? Dicts.FromPairs(vm, ref values) : values.ToValue(Kind.Tuple);
        return vm.Failed ? default : PercentFormat.Format(vm, text, argument);
    }
}

/// <summary>The urlencode filter.</summary>
internal static class UrlEncoding
{
    public static Value Encode(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        var text = new TextBuilder(vm);
        if (value.Kind is Kind.List or Kind.Tuple or Kind.Dict or Kind.View or Kind.Generator)
        {
            Value items = value.Kind == Kind.Dict ? new Value(Kind.View, value.Bits, value.Length, (ushort)ViewKind.Items) : value;
            Value list = Iteration.ToList(vm, items);
            for (int i = 0; i < list.Length && vm.Step(); i++)
            {
                Value pair = Iteration.ToList(vm, vm.Cells[list.Address + i]);
                if (pair.Length != 2) return vm.Fail(TemplateError.Value);
                if (i > 0) text.Append((byte)'&', true);
                Quote(ref text, Printing.ToText(vm, vm.Cells[pair.Address]), true);
                text.Append((byte)'=', true);
                Quote(ref text, Printing.ToText(vm, vm.Cells[pair.Address + 1]), true);
            }
        }
        else
        {
            Quote(ref text, Printing.ToText(vm, value), false);
        }

        return vm.Failed ? default : text.ToValue();
    }

    private static void Quote(ref TextBuilder text, in Value value, bool isQuery)
    {
        Interpreter vm = text.Vm;
        ReadOnlySpan<byte> bytes = vm.Bytes(value);
        for (int i = 0; i < bytes.Length && vm.Step(); i++)
        {
            byte b = bytes[i];
            bool trusted = vm.Trust(value)[i] != 0;
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'_' or (byte)'.' or (byte)'-' or (byte)'~' || (b == '/' && !isQuery))
            {
                text.Append(b, trusted);
            }
            else if (b == ' ' && isQuery)
            {
                text.Append((byte)'+', trusted);
            }
            else
            {
                text.Append((byte)'%', trusted);
                text.Append("0123456789ABCDEF"u8[b >> 4], trusted);
                text.Append("0123456789ABCDEF"u8[b & 15], trusted);
            }
        }
    }
}

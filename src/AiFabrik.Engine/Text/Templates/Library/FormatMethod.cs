namespace AiFabrik.Engine.Text.Templates;

/// <summary><c>str.format</c> and <c>format_map</c>: replacement fields with attributes, conversions and specifications.</summary>
internal static class FormatMethod
{
    /// <summary>Fields inside specifications: Python allows one level.</summary>
    private const int NestingMax = 2;

    public static Value Format(Interpreter vm, in Arguments given)
    {
        Value format = given[vm, 0];
        var text = new TextBuilder(vm);
        int next = 0;
        Expand(ref text, format, given.Skip(1), default, ref next, NestingMax);
        return vm.Failed ? default : text.ToValue(format.Flags);
    }

    public static Value FormatMap(Interpreter vm, int p)
    {
        if (vm.Stack(p + 1).Kind != Kind.Dict) return vm.Fail(TemplateError.Type);
        var text = new TextBuilder(vm);
        int next = 0;
        Expand(ref text, vm.Stack(p), new Arguments(p, 0, 0), vm.Stack(p + 1), ref next, NestingMax);
        return vm.Failed ? default : text.ToValue(vm.Stack(p).Flags);
    }

    /// <summary><paramref name="next"/> is the number of the next automatic field; below zero once fields were numbered by hand.</summary>
    private static void Expand(ref TextBuilder text, in Value format, in Arguments given, in Value map, ref int next, int levels)
    {
        Interpreter vm = text.Vm;
        if (levels == 0)
        {
            vm.Fail(TemplateError.Value);
            return;
        }

        ReadOnlySpan<byte> bytes = vm.Bytes(format);
        for (int at = 0; at < bytes.Length && vm.Step();)
        {
            int brace = bytes[at..].IndexOfAny((byte)'{', (byte)'}');
            if (brace < 0) brace = bytes.Length - at;
            text.AppendRange(format.Address + at, brace);
            at += brace;
            if (at == bytes.Length) return;
            if (at + 1 < bytes.Length && bytes[at + 1] == bytes[at])
            {
                text.AppendRange(format.Address + at, 1);
                at += 2;
                continue;
            }

            int end = bytes[at] == (byte)'{' ? FieldEnd(bytes, at + 1) : -1;
            if (end < 0)
            {
                vm.Fail(TemplateError.Value);
                return;
            }

            Field(ref text, Value.Str(format.Address + at + 1, end - at - 1), given, map, ref next, levels);
            at = end + 1;
        }
    }

    private static int FieldEnd(ReadOnlySpan<byte> bytes, int at)
    {
        for (int depth = 1; at < bytes.Length; at++)
        {
            if (bytes[at] == (byte)'{') depth++;
            if (bytes[at] == (byte)'}' && --depth == 0) return at;
        }

        return -1;
    }

    private static void Field(ref TextBuilder text, in Value field, in Arguments given, in Value map, ref int next, int levels)
    {
        Interpreter vm = text.Vm;
        ReadOnlySpan<byte> bytes = vm.Bytes(field);
        int nameEnd = NameEnd(bytes);
        Value value = Lookup(vm, Value.Str(field.Address, nameEnd), given, map, ref next);
        if (vm.Failed) return;
        int at = nameEnd;
        if (at < bytes.Length && bytes[at] == (byte)'!')
        {
            if (at + 1 >= bytes.Length || (at + 2 < bytes.Length && bytes[at + 2] != (byte)':'))
            {
                vm.Fail(TemplateError.Value);
                return;
            }

            value = Converted(vm, value, bytes[at + 1]);
            at += 2;
        }

        Value spec = at < bytes.Length ? Value.Str(field.Address + at + 1, bytes.Length - at - 1) : Value.Str(0, 0);
        if (!vm.Failed && vm.Bytes(spec).Contains((byte)'{'))
        {
            var expanded = new TextBuilder(vm);
            Expand(ref expanded, spec, given, map, ref next, levels - 1);
            spec = expanded.ToValue();
        }

        if (!vm.Failed) FormatSpec.Write(ref text, value, spec);
    }

    /// <summary>Where the name of a field ends: at a conversion or specification outside of brackets.</summary>
    private static int NameEnd(ReadOnlySpan<byte> bytes)
    {
        bool inBrackets = false;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == (byte)'[') inBrackets = true;
            else if (bytes[i] == (byte)']') inBrackets = false;
            else if (!inBrackets && bytes[i] is (byte)'!' or (byte)':') return i;
        }

        return bytes.Length;
    }

    private static Value Converted(Interpreter vm, in Value value, byte conversion)
    {
        if (conversion == (byte)'s') return Printing.ToText(vm, value);
        if (conversion is not ((byte)'r' or (byte)'a')) return vm.Fail(TemplateError.Value);
        var text = new TextBuilder(vm);
        Printing.Repr(ref text, value, 0);
        return text.ToValue();
    }

    private static Value Lookup(Interpreter vm, in Value name, in Arguments given, in Value map, ref int next)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(name);
        int first = bytes.IndexOfAny((byte)'.', (byte)'[');
        if (first < 0) first = bytes.Length;
        Value value = Argument(vm, Value.Str(name.Address, first), given, map, ref next);
        int at = first;
        while (at < bytes.Length && !vm.Failed)
        {
            bool isItem = bytes[at] == (byte)'[';
            int length = isItem ? bytes[(at + 1)..].IndexOf((byte)']') : bytes[(at + 1)..].IndexOfAny((byte)'.', (byte)'[');
            if (length < 0 && !isItem) length = bytes.Length - at - 1;
            if (length <= 0) return vm.Fail(TemplateError.Value);
            Value part = Value.Str(name.Address + at + 1, length);
            value = isItem ? Item(vm, value, part) : Attributes.Get(vm, value, part, Methods.Find(vm.Bytes(part)));
            at += length + (isItem ? 2 : 1);
            if (at < bytes.Length && bytes[at] is not ((byte)'.' or (byte)'[')) return vm.Fail(TemplateError.Value);
        }

        return value;
    }

    private static Value Item(Interpreter vm, in Value value, in Value part)
    {
        Value key = IsNumber(vm.Bytes(part)) && NumberText.TryInteger(vm, part, 10, out Value index) ? index : part;
        Value item = Attributes.GetItem(vm, value, key);
        return item.IsUndefined ? vm.Fail(TemplateError.Value) : item;
    }

    private static bool IsNumber(ReadOnlySpan<byte> bytes) =>
        bytes.Length > 0 && bytes.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;

    private static Value Argument(Interpreter vm, in Value name, in Arguments given, in Value map, ref int next)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(name);
        if (bytes.Length == 0 || IsNumber(bytes))
        {
            bool automatic = bytes.Length == 0;
            if (automatic ? next < 0 : next > 0) return vm.Fail(TemplateError.Value);
            long index = automatic ? next++ : -1;
            if (!automatic)
            {
                next = -1;
                if (!System.Buffers.Text.Utf8Parser.TryParse(bytes, out index, out _)) return vm.Fail(TemplateError.Value);
            }

            return index < given.Count ? given[vm, (int)index] : vm.Fail(TemplateError.Value);
        }

        if (!map.IsMissing)
        {
            Value found = Dicts.Get(vm, map, name);
            return found.IsMissing ? vm.Fail(TemplateError.Value) : found;
        }

        for (int i = 0; i < given.Keywords; i++)
        {
            if (vm.Bytes(given.KeywordName(vm, i)).SequenceEqual(bytes)) return given.KeywordValue(vm, i);
        }

        return vm.Fail(TemplateError.Value);
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>The methods of strings.</summary>
internal static class StringMethods
{
    public static readonly BuiltIn[] All =
    [
        new("upper", "self, /", (vm, p) => Cases.Map(vm, vm.Stack(p), CaseMapping.Upper)),
        new("lower", "self, /", (vm, p) => Cases.Map(vm, vm.Stack(p), CaseMapping.Lower)),
        new("casefold", "self, /", (vm, p) => Cases.Map(vm, vm.Stack(p), CaseMapping.Fold)),
        new("title", "self, /", (vm, p) => Cases.Title(vm, vm.Stack(p))),
        new("swapcase", "self, /", (vm, p) => Cases.Swap(vm, vm.Stack(p))),
        new("capitalize", "self, /", (vm, p) => Cases.Capitalize(vm, vm.Stack(p), CaseMapping.Title)),
        new("strip", "self, chars?, /", (vm, p) => Strip.Apply(vm, vm.Stack(p), vm.Stack(p + 1), true, true)),
        new("lstrip", "self, chars?, /", (vm, p) => Strip.Apply(vm, vm.Stack(p), vm.Stack(p + 1), true, false)),
        new("rstrip", "self, chars?, /", (vm, p) => Strip.Apply(vm, vm.Stack(p), vm.Stack(p + 1), false, true)),
        new("split", "self, /, sep?, maxsplit?", (vm, p) => Splitting.Split(vm, p, false)),
        new("rsplit", "self, /, sep?, maxsplit?", (vm, p) => Splitting.Split(vm, p, true)),
        new("splitlines", "self, /, keepends?", (vm, p) => Splitting.Lines(vm, vm.Stack(p), Truth.Of(vm, vm.Stack(p + 1)))),
        new("partition", "self, sep, /", (vm, p) => Splitting.Partition(vm, p, false)),
        new("rpartition", "self, sep, /", (vm, p) => Splitting.Partition(vm, p, true)),
        new("find", "self, sub, start?, end?, /", (vm, p) => Searching.Find(vm, p, false, false)),
        new("rfind", "self, sub, start?, end?, /", (vm, p) => Searching.Find(vm, p, true, false)),
        new("index", "self, sub, start?, end?, /", (vm, p) => Searching.Find(vm, p, false, true)),
        new("rindex", "self, sub, start?, end?, /", (vm, p) => Searching.Find(vm, p, true, true)),
        new("count", "self, sub, start?, end?, /", Searching.Count),
        new("startswith", "self, prefix, start?, end?, /", (vm, p) => Searching.Affix(vm, p, false)),
        new("endswith", "self, suffix, start?, end?, /", (vm, p) => Searching.Affix(vm, p, true)),
        new("replace", "self, old, new, count?, /", Searching.ReplaceMethod),
        new("removeprefix", "self, prefix, /", (vm, p) => RemoveAffix(vm, p, false)),
        new("removesuffix", "self, suffix, /", (vm, p) => RemoveAffix(vm, p, true)),
        new("join", "self, iterable, /", Join),
        new("ljust", "self, width, fillchar?, /", (vm, p) => Padding.Method(vm, p, Padding.Side.Right)),
        new("rjust", "self, width, fillchar?, /", (vm, p) => Padding.Method(vm, p, Padding.Side.Left)),
        new("center", "self, width, fillchar?, /", (vm, p) => Padding.Method(vm, p, Padding.Side.Both)),
        new("zfill", "self, width, /", Padding.ZeroFill),
        new("expandtabs", "self, /, tabsize?", Padding.ExpandTabs),
        new("encode", "self, /, encoding?, errors?", (vm, p) => new Value(Kind.Bytes, vm.Stack(p).Bits, vm.Stack(p).Length)),
        new("format", FormatMethod.Format),
        new("format_map", "self, mapping, /", FormatMethod.FormatMap),
        new("isspace", "self, /", (vm, p) => EveryCharacter(vm, p, UnicodeText.IsSpace)),
        new("isalpha", "self, /", (vm, p) => EveryCharacter(vm, p, UnicodeText.IsAlphabetic)),
        new("isalnum", "self, /", (vm, p) => EveryCharacter(vm, p, UnicodeText.IsAlphanumeric)),
        new("isdigit", "self, /", (vm, p) => EveryCharacter(vm, p, UnicodeText.IsDigit)),
        new("isdecimal", "self, /", (vm, p) => EveryCharacter(vm, p, UnicodeText.IsDecimal)),
        new("isnumeric", "self, /", (vm, p) => EveryCharacter(vm, p, UnicodeText.IsNumeric)),
        new("isprintable", "self, /", (vm, p) => EveryCharacter(vm, p, UnicodeText.IsPrintable, true)),
        new("isascii", "self, /", (vm, p) => Value.Bool(System.Text.Ascii.IsValid(vm.Bytes(vm.Stack(p))))),
        new("isidentifier", "self, /", IsIdentifier),
        new("islower", "self, /", (vm, p) => IsCase(vm, vm.Stack(p), CaseMapping.Lower)),
        new("isupper", "self, /", (vm, p) => IsCase(vm, vm.Stack(p), CaseMapping.Upper)),
        new("istitle", "self, /", IsTitle),
    ];

    private static Value RemoveAffix(Interpreter vm, int p, bool atEnd)
    {
        Value text = vm.Stack(p);
        Value affix = vm.Stack(p + 1);
        if (!affix.IsStr) return vm.Fail(TemplateError.Type);
        bool has = atEnd ? vm.Bytes(text).EndsWith(vm.Bytes(affix)) : vm.Bytes(text).StartsWith(vm.Bytes(affix));
        if (!has) return text;
        return Value.Str(text.Address + (atEnd ? 0 : affix.Length), text.Length - affix.Length, text.Flags);
    }

    private static Value Join(Interpreter vm, int p)
    {
        Value separator = vm.Stack(p);
        Value source = Iteration.Open(vm, vm.Stack(p + 1));
        Value position = Value.Int(0);
        var text = new TextBuilder(vm);
        bool first = true;
        while (Iteration.Next(vm, source, ref position, out Value item) && vm.Step())
        {
            if (!item.IsStr) return vm.Fail(TemplateError.Type);
            if (!first) text.Append(separator);
            first = false;
            text.Append(separator.IsMarkup ? Escaping.Escape(vm, item) : item);
        }

        return vm.Failed ? default : text.ToValue(separator.Flags);
    }

    private static Value EveryCharacter(Interpreter vm, int p, Func<int, bool> holds, bool empty = false)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(vm.Stack(p));
        if (!vm.StepBytes(8L * bytes.Length)) return default;
        if (bytes.Length == 0) return Value.Bool(empty);
        for (int at = 0; at < bytes.Length;)
        {
            if (!holds(Utf8.Decode(bytes[at..], out int size))) return Value.False;
            at += size;
        }

        return Value.True;
    }

    private static Value IsIdentifier(Interpreter vm, int p)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(vm.Stack(p));
        if (bytes.Length == 0) return Value.False;
        for (int at = 0; at < bytes.Length;)
        {
            int codePoint = Utf8.Decode(bytes[at..], out int size);
            bool fits = at == 0 ? codePoint == '_' || UnicodeText.IsAlphabetic(codePoint)
                : UnicodeText.IsWord(codePoint) && !(UnicodeText.IsNumeric(codePoint) && !UnicodeText.IsDecimal(codePoint) && !UnicodeText.IsAlphabetic(codePoint));
            if (!fits) return Value.False;
            at += size;
        }

        return Value.True;
    }

    /// <summary>islower and isupper: some letter of that case, none of another.</summary>
    public static Value IsCase(Interpreter vm, in Value text, CaseMapping mapping)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(8L * bytes.Length)) return default;
        bool any = false;
        for (int at = 0; at < bytes.Length;)
        {
            int codePoint = Utf8.Decode(bytes[at..], out int size);
            at += size;
            bool isLower = UnicodeText.IsLower(codePoint);
            if (mapping == CaseMapping.Lower ? UnicodeText.IsCased(codePoint) && !isLower : isLower || UnicodeText.IsTitle(codePoint))
                return Value.False;
            any |= mapping == CaseMapping.Lower ? isLower : UnicodeText.IsUpper(codePoint);
        }

        return Value.Bool(any);
    }

    private static Value IsTitle(Interpreter vm, int p)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(vm.Stack(p));
        bool any = false;
        bool afterCased = false;
        for (int at = 0; at < bytes.Length && vm.Step();)
        {
            int codePoint = Utf8.Decode(bytes[at..], out int size);
            at += size;
            bool begins = UnicodeText.IsUpper(codePoint) || UnicodeText.IsTitle(codePoint);
            bool isLower = UnicodeText.IsLower(codePoint);
            if ((begins && afterCased) || (isLower && !afterCased)) return Value.False;
            afterCased = begins || isLower;
            any |= afterCased;
        }

        return Value.Bool(any);
    }
}

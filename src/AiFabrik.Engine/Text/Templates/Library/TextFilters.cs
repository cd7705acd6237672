namespace AiFabrik.Engine.Text.Templates;

/// <summary>Filters that lay text out: indent, truncate, wordwrap, title, wordcount, striptags.</summary>
internal static class TextFilters
{
    public static readonly BuiltIn[] All =
    [
        new("indent", "s, width?, first?, blank?", Indent),
        new("truncate", "s, length?, killwords?, end?, leeway?", Truncate),
        new("wordwrap", "s, width?, break_long_words?, wrapstring?, break_on_hyphens?", WordWrap.Wrap),
        new("title", "s", Title),
        new("wordcount", "s", WordCount),
        new("striptags", "value", StripTags),
    ];

    private static Value Indent(Interpreter vm, int p)
    {
        Value text = vm.Stack(p);
        Value width = vm.Stack(p + 1).IsMissing ? Value.Int(4) : vm.Stack(p + 1);
        bool blank = Truth.Of(vm, vm.Stack(p + 3));
        if (!text.IsStr || (!width.IsStr && !width.IsInteger)) return vm.Fail(text.IsUndefined ? TemplateError.Undefined : TemplateError.Type);
        Value indent = width.IsStr ? width : Padding.Pad(vm, Value.Str(0, 0), Slices.Clamp(vm, width), default, Padding.Side.Left);
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(4L * bytes.Length)) return default;
        var result = new TextBuilder(vm);
        if (Truth.Of(vm, vm.Stack(p + 2))) result.Append(indent);

        // As if a newline stood at the end: text that ends in one has an empty last line.
        for (int start = 0, line = 0; !vm.Failed; line++)
        {
            int end = Splitting.LineEnd(bytes, start, out int next);
            if (line > 0)
            {
                result.Append((byte)'\n', true);
                if (blank || end > start) result.Append(indent);
            }

            result.AppendRange(text.Address + start, end - start);
            bool isLast = next == end;
            if (isLast || (next == bytes.Length && end == next)) break;
            start = next;
        }

        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    private static Value Truncate(Interpreter vm, int p)
    {
        Value text = vm.Stack(p);
        Value length = vm.Stack(p + 1).IsMissing ? Value.Int(255) : vm.Stack(p + 1);
        Value end = vm.Stack(p + 3).IsMissing ? vm.NewText("..."u8, true) : vm.Stack(p + 3);
        Value leeway = vm.Stack(p + 4).IsMissing || vm.Stack(p + 4).IsNone ? Value.Int(5) : vm.Stack(p + 4);
        if (text.IsUndefined) text = Value.Str(0, 0);
        if (!text.IsStr || !end.IsStr || !length.IsInteger || !leeway.IsInteger) return vm.Fail(TemplateError.Type);
        long most = Slices.Clamp(vm, length);
        long endLength = Utf8.Count(vm.Bytes(end));
        if (most < endLength || Slices.Clamp(vm, leeway) < 0) return vm.Fail(TemplateError.Value);
        if (Utf8.Count(vm.Bytes(text)) <= most + Slices.Clamp(vm, leeway)) return text;
        Value kept = Slices.Slice(vm, text, Value.None, Value.Int(most - endLength), Value.None);
        if (!vm.Failed && !Truth.Of(vm, vm.Stack(p + 2)))
        {
            int blank = vm.Bytes(kept).LastIndexOf((byte)' ');
            if (blank >= 0) kept = Value.Str(kept.Address, blank, kept.Flags);
        }

        return vm.Failed ? default : vm.Concat(kept, end);
    }

    /// <summary>A capital after blanks, hyphens and opening brackets, everything else small.</summary>
    private static Value Title(Interpreter vm, int p)
    {
        Value text = Printing.ToText(vm, vm.Stack(p));
        if (vm.Failed || !vm.StepBytes(8L * text.Length)) return default;
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        Value result = Value.Str(0, 0, text.Flags);
        for (int at = 0; at < bytes.Length && vm.Step();)
        {
            int start = at;
            while (at < bytes.Length && !SplitsWords(Utf8.Decode(bytes[at..], out int size))) at += size;
            Value word = Cases.Capitalize(vm, Value.Str(text.Address + start, at - start, text.Flags), CaseMapping.Upper);
            if (vm.Failed) return default;
            result = vm.Concat(result, word);
            start = at;
            while (at < bytes.Length && SplitsWords(Utf8.Decode(bytes[at..], out int size))) at += size;
            result = vm.Concat(result, Value.Str(text.Address + start, at - start));
        }

        return vm.Failed ? default : result;
    }

    private static bool SplitsWords(int codePoint) =>
        codePoint is '-' or '(' or '{' or '[' or '<' || UnicodeText.IsSpace(codePoint);

    private static Value WordCount(Interpreter vm, int p)
    {
        Value text = Printing.ToText(vm, vm.Stack(p));
        if (vm.Failed || !vm.StepBytes(8L * text.Length)) return default;
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        long words = 0;
        bool inWord = false;
        for (int at = 0; at < bytes.Length;)
        {
            bool isWord = UnicodeText.IsWord(Utf8.Decode(bytes[at..], out int size));
            if (isWord && !inWord) words++;
            inWord = isWord;
            at += size;
        }

        return Value.Int(words);
    }

    private static Value StripTags(Interpreter vm, int p)
    {
        Value text = Printing.ToText(vm, vm.Stack(p));
        if (vm.Failed || !vm.StepBytes(8L * text.Length)) return default;
        Value plain = Without(vm, Without(vm, text, "<!--"u8, "-->"u8), "<"u8, ">"u8);
        ReadOnlySpan<byte> bytes = vm.Bytes(plain);
        var result = new TextBuilder(vm);
        bool blank = false;
        for (int at = 0; at < bytes.Length && vm.Step();)
        {
            int codePoint = Utf8.Decode(bytes[at..], out int size);
            if (UnicodeText.IsSpace(codePoint))
            {
                blank = true;
                at += size;
                continue;
            }

            if (blank && result.Length > 0) result.Append((byte)' ', vm.Trust(plain)[at] != 0);
            blank = false;
            at += HtmlEntities.AppendDecoded(ref result, plain, at, size);
        }

        return vm.Failed ? default : result.ToValue();
    }

    /// <summary>The text without everything between two marks; an opening mark that is not closed stays.</summary>
    private static Value Without(Interpreter vm, in Value text, ReadOnlySpan<byte> open, ReadOnlySpan<byte> close)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        var result = new TextBuilder(vm);
        int at = 0;
        while (vm.Step())
        {
            int start = bytes[at..].IndexOf(open);
            int end = start < 0 ? -1 : bytes[(at + start)..].IndexOf(close);
            if (end < 0) break;
            result.AppendRange(text.Address + at, start);
            at += start + end + close.Length;
        }

        result.AppendRange(text.Address + at, bytes.Length - at);
        return vm.Failed ? default : result.ToValue();
    }
}

/// <summary>The entities that the striptags filter decodes: numbers and the names that escaping makes.</summary>
internal static class HtmlEntities
{
    /// <summary>Appends the character or entity at a place; returns the bytes that it took.</summary>
    public static int AppendDecoded(ref TextBuilder result, in Value text, int at, int size)
    {
        Interpreter vm = result.Vm;
        ReadOnlySpan<byte> rest = vm.Bytes(text)[at..];
        bool trusted = vm.Trust(text)[at] != 0;
        int end = rest[0] == (byte)'&' ? rest[..Math.Min(rest.Length, 12)].IndexOf((byte)';') : -1;
        int codePoint = end < 0 ? -1 : Decode(rest[1..end]);
        if (codePoint < 0)
        {
            result.AppendRange(text.Address + at, size);
            return size;
        }

        result.AppendCodePoint(codePoint, trusted);
        return end + 1;
    }

    private static int Decode(ReadOnlySpan<byte> name)
    {
        if (name.Length > 1 && name[0] == (byte)'#')
        {
            bool hex = (name[1] | 0x20) == 'x';
            bool parsed = System.Buffers.Text.Utf8Parser.TryParse(name[(hex ? 2 : 1)..], out int value, out int consumed, hex ? 'x' : 'd');
            return parsed && consumed == name.Length - (hex ? 2 : 1) && value > 0 ? value : -1;
        }

        return name switch
        {
            _ when name.SequenceEqual("amp"u8) => '&',
            _ when name.SequenceEqual("lt"u8) => '<',
            _ when name.SequenceEqual("gt"u8) => '>',
            _ when name.SequenceEqual("quot"u8) => '"',
            _ when name.SequenceEqual("apos"u8) => '\'',
            _ when name.SequenceEqual("nbsp"u8) => 0xA0,
            _ => -1,
        };
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Changing the case of strings, with full mappings and the final sigma.</summary>
internal static class Cases
{
    public static Value Map(Interpreter vm, in Value text, CaseMapping mapping)
    {
        var result = new TextBuilder(vm);
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(8L * bytes.Length)) return default;
        result.Reserve(bytes.Length);
        for (int at = 0; at < bytes.Length && !vm.Failed;) at += MapOne(ref result, text, at, mapping);
        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    /// <summary>The first character in title (or upper) case, all others in lower case.</summary>
    public static Value Capitalize(Interpreter vm, in Value text, CaseMapping first)
    {
        var result = new TextBuilder(vm);
        if (!vm.StepBytes(8L * text.Length)) return default;
        for (int at = 0; at < text.Length && !vm.Failed;)
            at += MapOne(ref result, text, at, at == 0 ? first : CaseMapping.Lower);
        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    /// <summary><c>str.title</c>: whatever follows an uncased character begins a word.</summary>
    public static Value Title(Interpreter vm, in Value text)
    {
        var result = new TextBuilder(vm);
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(8L * bytes.Length)) return default;
        bool inWord = false;
        for (int at = 0; at < bytes.Length && !vm.Failed;)
        {
            bool cased = UnicodeText.IsCased(Utf8.Decode(bytes[at..], out _));
            at += MapOne(ref result, text, at, inWord ? CaseMapping.Lower : CaseMapping.Title);
            inWord = cased;
        }

        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    public static Value Swap(Interpreter vm, in Value text)
    {
        var result = new TextBuilder(vm);
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(8L * bytes.Length)) return default;
        for (int at = 0; at < bytes.Length && !vm.Failed;)
        {
            int codePoint = Utf8.Decode(bytes[at..], out int size);
            if (UnicodeText.IsUpper(codePoint)) at += MapOne(ref result, text, at, CaseMapping.Lower);
            else if (UnicodeText.IsLower(codePoint)) at += MapOne(ref result, text, at, CaseMapping.Upper);
            else
            {
                result.AppendRange(text.Address + at, size);
                at += size;
            }
        }

        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    /// <summary>Appends the mapping of the character at a place; returns the character's bytes.</summary>
    private static int MapOne(ref TextBuilder result, in Value text, int at, CaseMapping mapping)
    {
        Interpreter vm = result.Vm;
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        int codePoint = Utf8.Decode(bytes[at..], out int size);
        bool trusted = vm.Trust(text)[at] != 0;
        if (codePoint == 0x3A3 && mapping == CaseMapping.Lower)
        {
            result.AppendCodePoint(IsFinalSigma(bytes, at, size) ? 0x3C2 : 0x3C3, trusted);
            return size;
        }

        Span<int> mapped = stackalloc int[UnicodeText.MappingMax];
        int count = UnicodeText.Map(mapping, codePoint, mapped);
        if (count == 1 && mapped[0] < 0x80) result.Append((byte)mapped[0], trusted);
        else for (int i = 0; i < count; i++) result.AppendCodePoint(mapped[i], trusted);
        return size;
    }

    /// <summary>A cased letter before it and none after it, case-ignorable characters looked through.</summary>
    private static bool IsFinalSigma(ReadOnlySpan<byte> bytes, int at, int size)
    {
        ReadOnlySpan<byte> before = bytes[..at];
        int codePoint = 0;
        while (before.Length > 0)
        {
            codePoint = Utf8.DecodeLast(before, out int length);
            before = before[..^length];
            if (!UnicodeText.IsCaseIgnorable(codePoint)) break;
            codePoint = 0;
        }

        if (codePoint == 0 || !UnicodeText.IsCased(codePoint)) return false;
        ReadOnlySpan<byte> after = bytes[(at + size)..];
        while (after.Length > 0)
        {
            codePoint = Utf8.Decode(after, out int length);
            after = after[length..];
            if (!UnicodeText.IsCaseIgnorable(codePoint)) return !UnicodeText.IsCased(codePoint);
        }

        return true;
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>The wordwrap filter: Python's textwrap, line by line. Its lines are ranges of the text.</summary>
internal static class WordWrap
{
    public static Value Wrap(Interpreter vm, int p)
    {
        Value text = vm.Stack(p);
        Value width = vm.Stack(p + 1).IsMissing ? Value.Int(79) : vm.Stack(p + 1);
        bool breakLong = vm.Stack(p + 2).IsMissing || Truth.Of(vm, vm.Stack(p + 2));
        Value wrap = vm.Stack(p + 3).IsMissing || vm.Stack(p + 3).IsNone ? vm.NewText("\n"u8, true) : vm.Stack(p + 3);
        bool hyphens = vm.Stack(p + 4).IsMissing || Truth.Of(vm, vm.Stack(p + 4));
        if (!text.IsStr || !width.IsInteger || !wrap.IsStr) return vm.Fail(text.IsUndefined ? TemplateError.Undefined : TemplateError.Type);
        long most = Slices.Clamp(vm, width);
        Value lines = Splitting.Lines(vm, text, false);
        var result = new TextBuilder(vm);
        for (int i = 0; i < lines.Length && !vm.Failed; i++)
        {
            if (i > 0) result.Append(wrap);
            if (most <= 0) return vm.Fail(TemplateError.Value);
            Line(ref result, vm.Cells[lines.Address + i], (int)Math.Min(most, int.MaxValue / 2), breakLong, hyphens, wrap);
        }

        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    private static void Line(ref TextBuilder result, in Value text, int width, bool breakLong, bool hyphens, in Value wrap)
    {
        Interpreter vm = result.Vm;
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(16L * bytes.Length)) return;
        int at = 0;
        bool first = true;
        while (at < bytes.Length && vm.Step())
        {
            int chunk = ChunkEnd(bytes, at, hyphens);
            if (!first && IsBlank(bytes[at])) at = chunk;
            if (at == bytes.Length) break;
            int end = Fill(bytes, at, width, hyphens);
            if (end < bytes.Length) end = LongWord(bytes, at, end, width, breakLong, hyphens);
            int shown = end;
            while (shown > at && IsBlank(bytes[shown - 1])) shown--;
            if (shown > at)
            {
                if (!first) result.Append(wrap);
                first = false;
                result.AppendRange(text.Address + at, shown - at);
            }

            at = end;
        }
    }

    /// <summary>As many whole chunks as fit the width.</summary>
    private static int Fill(ReadOnlySpan<byte> bytes, int start, int width, bool hyphens)
    {
        int end = start;
        int column = 0;
        while (end < bytes.Length)
        {
            int next = ChunkEnd(bytes, end, hyphens);
            int length = Utf8.Count(bytes[end..next]);
            if (column + length > width) break;
            column += length;
            end = next;
        }

        return end;
    }

    /// <summary>Where a line ends whose next chunk is longer than any line.</summary>
    private static int LongWord(ReadOnlySpan<byte> bytes, int start, int end, int width, bool breakLong, bool hyphens)
    {
        int next = ChunkEnd(bytes, end, hyphens);
        if (Utf8.Count(bytes[end..next]) <= width) return end;
        if (!breakLong) return end == start ? next : end;
        int room = end + Utf8.Offset(bytes[end..next], width - Utf8.Count(bytes[start..end]));
        if (hyphens)
        {
            int hyphen = bytes[end..room].LastIndexOf((byte)'-');
            if (hyphen > 0 && bytes.Slice(end, hyphen).IndexOfAnyExcept((byte)'-') >= 0) return end + hyphen + 1;
        }

        return room;
    }

    private static bool IsBlank(byte b) => b is (byte)' ' or >= 9 and <= 13;

    /// <summary>The end of the chunk at a place: blanks, or a word up to a blank or a hyphen that may end a line.</summary>
    private static int ChunkEnd(ReadOnlySpan<byte> bytes, int start, bool hyphens)
    {
        int at = start;
        if (IsBlank(bytes[at]))
        {
            while (at < bytes.Length && IsBlank(bytes[at])) at++;
            return at;
        }

        if (hyphens && IsDash(bytes, at, out int dashEnd)) return dashEnd;
        at += Utf8.Size(bytes[at]);
        while (at < bytes.Length && !IsBlank(bytes[at]))
        {
            if (hyphens && (IsDash(bytes, at, out _) || EndsAtHyphen(bytes, at))) return at;
            at += Utf8.Size(bytes[at]);
        }

        return Math.Min(at, bytes.Length);
    }

    private static bool IsLetter(int codePoint) => UnicodeText.IsWord(codePoint) && !UnicodeText.IsDecimal(codePoint);

    /// <summary>Two or more hyphens between words stand alone.</summary>
    private static bool IsDash(ReadOnlySpan<byte> bytes, int at, out int end)
    {
        end = at;
        if (at == 0 || bytes[at] != (byte)'-' || bytes[at - 1] == (byte)'-') return false;
        int before = Utf8.DecodeLast(bytes[..at], out _);
        if (!UnicodeText.IsWord(before) && before is not ('!' or '"' or '\'' or '&' or '.' or ',' or '?')) return false;
        while (end < bytes.Length && bytes[end] == (byte)'-') end++;
        return end - at >= 2 && end < bytes.Length && UnicodeText.IsWord(Utf8.Decode(bytes[end..], out _));
    }

    /// <summary>A hyphen after two letters (or letter, hyphen, letter) and before two letters ends a chunk behind it.</summary>
    private static bool EndsAtHyphen(ReadOnlySpan<byte> bytes, int at)
    {
        if (bytes[at - 1] != (byte)'-' || at < 3) return false;
        ReadOnlySpan<byte> before = bytes[..(at - 1)];
        int last = Utf8.DecodeLast(before, out int size);
        if (!IsLetter(last) || before.Length == size) return false;
        int second = Utf8.DecodeLast(before[..^size], out int secondSize);
        bool afterHyphen = second == '-' && before.Length > size + secondSize && IsLetter(Utf8.DecodeLast(before[..^(size + secondSize)], out _));
        if (!IsLetter(second) && !afterHyphen) return false;
        ReadOnlySpan<byte> after = bytes[at..];
        if (!IsLetter(Utf8.Decode(after, out size))) return false;
        after = after[size..];
        if (after.Length > 0 && after[0] == (byte)'-') after = after[1..];
        return after.Length > 0 && IsLetter(Utf8.Decode(after, out _));
    }
}

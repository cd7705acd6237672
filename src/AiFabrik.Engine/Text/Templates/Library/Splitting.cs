namespace AiFabrik.Engine.Text.Templates;

/// <summary>Taking strings apart: the pieces are ranges of the same memory.</summary>
internal static class Splitting
{
    private static Value Piece(in Value text, int start, int end) => Value.Str(text.Address + start, end - start, text.Flags);

    /// <summary>split and rsplit: (string, sep, maxsplit).</summary>
    public static Value Split(Interpreter vm, int p, bool fromRight)
    {
        Value text = vm.Stack(p);
        Value separator = vm.Stack(p + 1);
        Value limit = vm.Stack(p + 2);
        if (!limit.IsMissing && !limit.IsInteger) return vm.Fail(TemplateError.Type);
        long most = limit.IsMissing ? -1 : Slices.Clamp(vm, limit);
        if (most < 0) most = long.MaxValue;
        if (!vm.StepBytes(4L * text.Length)) return default;
        if (separator.IsMissing || separator.IsNone) return fromRight ? WordsFromRight(vm, text, most) : Words(vm, text, most);
        if (!separator.IsStr) return vm.Fail(TemplateError.Type);
        if (separator.Length == 0) return vm.Fail(TemplateError.Value);
        return fromRight ? FromRight(vm, text, separator, most) : FromLeft(vm, text, separator, most);
    }

    private static Value FromLeft(Interpreter vm, in Value text, in Value separator, long most)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        var pieces = new ListBuilder(vm);
        int start = 0;
        for (long i = 0; i < most && !vm.Failed; i++)
        {
            int found = bytes[start..].IndexOf(vm.Bytes(separator));
            if (found < 0) break;
            pieces.Add(Piece(text, start, start + found));
            start += found + separator.Length;
        }

        pieces.Add(Piece(text, start, bytes.Length));
        return pieces.ToValue();
    }

    private static Value FromRight(Interpreter vm, in Value text, in Value separator, long most)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        var pieces = new ListBuilder(vm);
        int end = bytes.Length;
        for (long i = 0; i < most && !vm.Failed; i++)
        {
            int found = bytes[..end].LastIndexOf(vm.Bytes(separator));
            if (found < 0) break;
            pieces.Add(Piece(text, found + separator.Length, end));
            end = found;
        }

        pieces.Add(Piece(text, 0, end));
        return Reversed(vm, ref pieces);
    }

    private static Value Reversed(Interpreter vm, ref ListBuilder pieces)
    {
        Value list = pieces.ToValue();
        if (!vm.Failed) vm.Cells.Cells(list.Address, list.Length).Reverse();
        return list;
    }

    private static Value Words(Interpreter vm, in Value text, long most)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        var pieces = new ListBuilder(vm);
        int at = 0;
        while (!vm.Failed)
        {
            at = SkipSpace(bytes, at);
            if (at == bytes.Length) break;
            if (pieces.Count == most)
            {
                pieces.Add(Piece(text, at, bytes.Length));
                break;
            }

            int start = at;
            while (at < bytes.Length && !UnicodeText.IsSpace(Utf8.Decode(bytes[at..], out int size))) at += size;
            pieces.Add(Piece(text, start, at));
        }

        if (pieces.Count == 0) pieces.Grow(1);
        return pieces.ToValue();
    }

    private static int SkipSpace(ReadOnlySpan<byte> bytes, int at)
    {
        while (at < bytes.Length && UnicodeText.IsSpace(Utf8.Decode(bytes[at..], out int size))) at += size;
        return at;
    }

    private static Value WordsFromRight(Interpreter vm, in Value text, long most)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        var pieces = new ListBuilder(vm);
        int end = bytes.Length;
        while (!vm.Failed)
        {
            while (end > 0 && UnicodeText.IsSpace(Utf8.DecodeLast(bytes[..end], out int size))) end -= size;
            if (end == 0) break;
            if (pieces.Count == most)
            {
                pieces.Add(Piece(text, 0, end));
                break;
            }

            int last = end;
            while (end > 0 && !UnicodeText.IsSpace(Utf8.DecodeLast(bytes[..end], out int size))) end -= size;
            pieces.Add(Piece(text, end, last));
        }

        if (pieces.Count == 0) pieces.Grow(1);
        return Reversed(vm, ref pieces);
    }

    /// <summary>The line that begins at a place: where it ends, and where the next one begins.</summary>
    public static int LineEnd(ReadOnlySpan<byte> bytes, int start, out int next)
    {
        int at = start;
        while (at < bytes.Length)
        {
            int codePoint = Utf8.Decode(bytes[at..], out int size);
            if (UnicodeText.IsLineBreak(codePoint))
            {
                next = at + size;
                if (codePoint == '\r' && next < bytes.Length && bytes[next] == (byte)'\n') next++;
                return at;
            }

            at += size;
        }

        next = at;
        return at;
    }

    public static Value Lines(Interpreter vm, in Value text, bool keepEnds)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(4L * bytes.Length)) return default;
        var lines = new ListBuilder(vm);
        for (int start = 0; start < bytes.Length && !vm.Failed;)
        {
            int end = LineEnd(bytes, start, out int next);
            lines.Add(Piece(text, start, keepEnds ? next : end));
            start = next;
        }

        return lines.ToValue();
    }

    public static Value Partition(Interpreter vm, int p, bool fromRight)
    {
        Value text = vm.Stack(p);
        Value separator = vm.Stack(p + 1);
        if (!separator.IsStr) return vm.Fail(TemplateError.Type);
        if (separator.Length == 0) return vm.Fail(TemplateError.Value);
        if (!vm.StepBytes(text.Length)) return default;
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        int found = fromRight ? bytes.LastIndexOf(vm.Bytes(separator)) : bytes.IndexOf(vm.Bytes(separator));
        Value empty = Value.Str(0, 0);
        var parts = new ListBuilder(vm);
        if (found < 0)
        {
            parts.Add(fromRight ? empty : text);
            parts.Add(empty);
            parts.Add(fromRight ? text : empty);
        }
        else
        {
            parts.Add(Piece(text, 0, found));
            parts.Add(Piece(text, found, found + separator.Length));
            parts.Add(Piece(text, found + separator.Length, bytes.Length));
        }

        return parts.ToValue(Kind.Tuple);
    }
}

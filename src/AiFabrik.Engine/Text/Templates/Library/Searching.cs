namespace AiFabrik.Engine.Text.Templates;

/// <summary>Looking for strings in strings, and putting others in their place.</summary>
internal static class Searching
{
    /// <summary>find, rfind, index, rindex: (string, sub, start, end).</summary>
    public static Value Find(Interpreter vm, int p, bool fromRight, bool mustExist)
    {
        Value text = vm.Stack(p);
        Value sought = vm.Stack(p + 1);
        if (!sought.IsStr) return vm.Fail(TemplateError.Type);
        int found = -1;
        int from = 0;
        if (vm.StepBytes(text.Length) && Slices.TryWindow(vm, text, vm.Stack(p + 2), vm.Stack(p + 3), out from, out int to))
        {
            ReadOnlySpan<byte> window = vm.Bytes(text)[from..to];
            found = fromRight ? window.LastIndexOf(vm.Bytes(sought)) : window.IndexOf(vm.Bytes(sought));
            if (fromRight && sought.Length == 0) found = window.Length;
        }

        if (vm.Failed) return default;
        if (found < 0) return mustExist ? vm.Fail(TemplateError.Value) : Value.Int(-1);
        return Value.Int(Utf8.Count(vm.Bytes(text)[..(from + found)]));
    }

    public static Value Count(Interpreter vm, int p)
    {
        Value text = vm.Stack(p);
        Value sought = vm.Stack(p + 1);
        if (!sought.IsStr) return vm.Fail(TemplateError.Type);
        if (!vm.StepBytes(text.Length)) return default;
        if (!Slices.TryWindow(vm, text, vm.Stack(p + 2), vm.Stack(p + 3), out int from, out int to))
            return vm.Failed ? default : Value.Int(0);
        ReadOnlySpan<byte> window = vm.Bytes(text)[from..to];
        return Value.Int(sought.Length == 0 ? Utf8.Count(window) + 1 : window.Count(vm.Bytes(sought)));
    }

    /// <summary>startswith and endswith: (string, what or a tuple, start, end).</summary>
    public static Value Affix(Interpreter vm, int p, bool atEnd)
    {
        Value text = vm.Stack(p);
        Value sought = vm.Stack(p + 1);
        if (!sought.IsStr && sought.Kind != Kind.Tuple) return vm.Fail(TemplateError.Type);
        if (!vm.Step()) return default;
        bool inside = Slices.TryWindow(vm, text, vm.Stack(p + 2), vm.Stack(p + 3), out int from, out int to);
        if (vm.Failed) return default;
        ReadOnlySpan<byte> window = inside ? vm.Bytes(text)[from..to] : default;
        if (sought.IsStr) return Value.Bool(inside && HasAffix(window, vm.Bytes(sought), atEnd));
        bool any = false;
        for (int i = 0; i < sought.Length; i++)
        {
            Value one = vm.Cells[sought.Address + i];
            if (!one.IsStr) return vm.Fail(TemplateError.Type);
            any |= inside && HasAffix(window, vm.Bytes(one), atEnd);
            if (any) break;
        }

        return Value.Bool(any);
    }

    private static bool HasAffix(ReadOnlySpan<byte> text, ReadOnlySpan<byte> affix, bool atEnd) =>
        atEnd ? text.EndsWith(affix) : text.StartsWith(affix);

    public static Value Replace(Interpreter vm, in Value text, in Value old, in Value replacement, long most)
    {
        if (most < 0) most = long.MaxValue;
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(bytes.Length)) return default;
        if (old.Length == 0) return Interleave(vm, text, replacement, most);
        int found = most == 0 ? -1 : bytes.IndexOf(vm.Bytes(old));
        if (found < 0) return text;
        var result = new TextBuilder(vm);
        int start = 0;
        for (long i = 0; i < most && found >= 0 && vm.Step(); i++)
        {
            result.AppendRange(text.Address + start, found);
            result.Append(replacement);
            start += found + old.Length;
            found = bytes[start..].IndexOf(vm.Bytes(old));
        }

        result.AppendRange(text.Address + start, bytes.Length - start);
        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    /// <summary>Replacing the empty string: before every character and at the end.</summary>
    private static Value Interleave(Interpreter vm, in Value text, in Value replacement, long most)
    {
        var result = new TextBuilder(vm);
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        int at = 0;
        for (long i = 0; i < most && vm.Step(); i++)
        {
            result.Append(replacement);
            if (at == bytes.Length) break;
            int size = Math.Min(Utf8.Size(bytes[at]), bytes.Length - at);
            result.AppendRange(text.Address + at, size);
            at += size;
        }

        result.AppendRange(text.Address + at, bytes.Length - at);
        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    /// <summary>The method: (string, old, new, count).</summary>
    public static Value ReplaceMethod(Interpreter vm, int p)
    {
        Value count = vm.Stack(p + 3);
        if (!vm.Stack(p + 1).IsStr || !vm.Stack(p + 2).IsStr || !(count.IsMissing || count.IsInteger)) return vm.Fail(TemplateError.Type);
        return Replace(vm, vm.Stack(p), vm.Stack(p + 1), vm.Stack(p + 2), count.IsMissing ? -1 : Slices.Clamp(vm, count));
    }
}

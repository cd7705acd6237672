namespace AiFabrik.Engine.Text.Templates;

/// <summary>Taking characters off the ends of strings.</summary>
internal static class Strip
{
    public static Value Both(Interpreter vm, in Value text) => Apply(vm, text, default, true, true);

    /// <summary>Takes off white space, or the characters of <paramref name="characters"/>.</summary>
    public static Value Apply(Interpreter vm, in Value text, in Value characters, bool left, bool right)
    {
        bool white = characters.IsMissing || characters.IsNone;
        if (!white && !characters.IsStr) return vm.Fail(TemplateError.Type);
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        ReadOnlySpan<byte> set = white ? default : vm.Bytes(characters);
        int start = 0;
        int end = bytes.Length;
        while (left && start < end && Strips(Utf8.Decode(bytes[start..end], out int size), bytes.Slice(start, size), white, set))
            start += size;
        while (right && start < end && Strips(Utf8.DecodeLast(bytes[start..end], out int size), bytes[(end - size)..end], white, set))
            end -= size;
        return vm.StepBytes(start + text.Length - end) ? Value.Str(text.Address + start, end - start, text.Flags) : default;
    }

    private static bool Strips(int codePoint, ReadOnlySpan<byte> encoded, bool white, ReadOnlySpan<byte> set) =>
        white ? UnicodeText.IsSpace(codePoint) : set.IndexOf(encoded) >= 0;
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Making strings as wide as wanted.</summary>
internal static class Padding
{
    public enum Side
    {
        Left,
        Right,
        Both,
    }

    /// <summary>ljust, rjust, center: (string, width, fillchar).</summary>
    public static Value Method(Interpreter vm, int p, Side side)
    {
        Value width = vm.Stack(p + 1);
        Value fill = vm.Stack(p + 2);
        if (!width.IsInteger || !(fill.IsMissing || (fill.IsStr && Utf8.Count(vm.Bytes(fill)) == 1))) return vm.Fail(TemplateError.Type);
        return Pad(vm, vm.Stack(p), Slices.Clamp(vm, width), fill, side);
    }

    public static Value Pad(Interpreter vm, in Value text, long width, in Value fill, Side side)
    {
        long missing = width - Utf8.Count(vm.Bytes(text));
        if (missing <= 0) return text;
        if (missing > TextMemory.StringBytesMax) return vm.FailLimit(TemplateLimit.StringBytes);
        long left = side switch
        {
            Side.Left => missing,
            Side.Right => 0,
            _ => (missing / 2) + (missing & width & 1),
        };
        var result = new TextBuilder(vm);
        Fill(ref result, fill, left);
        result.Append(text);
        Fill(ref result, fill, missing - left);
        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    private static void Fill(ref TextBuilder text, in Value fill, long count)
    {
        if (fill.IsMissing) text.Repeat((byte)' ', count, true);
        else for (long i = 0; i < count && !text.Vm.Failed; i++) text.Append(fill);
    }

    public static Value ZeroFill(Interpreter vm, int p)
    {
        Value text = vm.Stack(p);
        Value width = vm.Stack(p + 1);
        if (!width.IsInteger) return vm.Fail(TemplateError.Type);
        long missing = Slices.Clamp(vm, width) - Utf8.Count(vm.Bytes(text));
        if (missing <= 0) return text;
        int sign = text.Length > 0 && vm.Bytes(text)[0] is (byte)'-' or (byte)'+' ? 1 : 0;
        var result = new TextBuilder(vm);
        result.AppendRange(text.Address, sign);
        result.Repeat((byte)'0', missing, true);
        result.AppendRange(text.Address + sign, text.Length - sign);
        return vm.Failed ? default : result.ToValue(text.Flags);
    }

    public static Value ExpandTabs(Interpreter vm, int p)
    {
        Value text = vm.Stack(p);
        Value size = vm.Stack(p + 1);
        if (!size.IsMissing && !size.IsInteger) return vm.Fail(TemplateError.Type);
        long tab = size.IsMissing ? 8 : Slices.Clamp(vm, size);
        var result = new TextBuilder(vm);
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        long column = 0;
        for (int at = 0; at < bytes.Length && vm.Step();)
        {
            int length = Math.Min(Utf8.Size(bytes[at]), bytes.Length - at);
            if (bytes[at] == (byte)'\t')
            {
                long blanks = tab > 0 ? tab - (column % tab) : 0;
                result.Repeat((byte)' ', blanks, vm.Trust(text)[at] != 0);
                column += blanks;
            }
            else
            {
                result.AppendRange(text.Address + at, length);
                column = bytes[at] is (byte)'\n' or (byte)'\r' ? 0 : column + 1;
            }

            at += length;
        }

        return vm.Failed ? default : result.ToValue(text.Flags);
    }
}

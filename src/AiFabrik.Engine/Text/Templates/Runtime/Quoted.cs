namespace AiFabrik.Engine.Text.Templates;

/// <summary>Strings in quotes, as Python's <c>repr</c> writes them.</summary>
internal static class Quoted
{
    public static void Write(ref TextBuilder text, in Value value)
    {
        Interpreter vm = text.Vm;
        ReadOnlySpan<byte> bytes = vm.Bytes(value);
        if (!vm.StepBytes(bytes.Length)) return;
        byte quote = bytes.Contains((byte)'\'') && !bytes.Contains((byte)'"') ? (byte)'"' : (byte)'\'';
        text.Append(quote, true);
        int plain = 0;
        for (int at = 0; at < bytes.Length && !vm.Failed;)
        {
            int codePoint = Utf8.Decode(bytes[at..], out int size);
            if (codePoint != '\\' && codePoint != quote && UnicodeText.IsPrintable(codePoint))
            {
                at += size;
                continue;
            }

            text.AppendRange(value.Address + plain, at - plain);
            Escape(ref text, codePoint, vm.Trust(value)[at] != 0);
            at += size;
            plain = at;
        }

        text.AppendRange(value.Address + plain, bytes.Length - plain);
        text.Append(quote, true);
    }

    public static void WriteBytes(ref TextBuilder text, in Value value)
    {
        Interpreter vm = text.Vm;
        ReadOnlySpan<byte> bytes = vm.Bytes(value);
        ReadOnlySpan<byte> trust = vm.Trust(value);
        byte quote = bytes.Contains((byte)'\'') && !bytes.Contains((byte)'"') ? (byte)'"' : (byte)'\'';
        text.Append((byte)'b', true);
        text.Append(quote, true);
        for (int i = 0; i < bytes.Length && vm.Step(); i++)
        {
            if (bytes[i] is >= 0x20 and < 0x7F && bytes[i] != '\\' && bytes[i] != quote) text.Append(bytes[i], trust[i] != 0);
            else Escape(ref text, bytes[i], trust[i] != 0);
        }

        text.Append(quote, true);
    }

    private static void Escape(ref TextBuilder text, int codePoint, bool trusted)
    {
        text.Append((byte)'\\', trusted);
        switch (codePoint)
        {
            case '\n': text.Append((byte)'n', trusted); break;
            case '\r': text.Append((byte)'r', trusted); break;
            case '\t': text.Append((byte)'t', trusted); break;
            case '\\' or '\'' or '"': text.Append((byte)codePoint, trusted); break;
            case < 0x100: Hex(ref text, (byte)'x', codePoint, 2, trusted); break;
            case < 0x10000: Hex(ref text, (byte)'u', codePoint, 4, trusted); break;
            default: Hex(ref text, (byte)'U', codePoint, 8, trusted); break;
        }
    }

    public static void Hex(ref TextBuilder text, byte letter, int value, int digits, bool trusted)
    {
        text.Append(letter, trusted);
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
            text.Append("0123456789abcdef"u8[(value >> shift) & 15], trusted);
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>HTML escaping, which marks its result so that it is not escaped again.</summary>
internal static class Escaping
{
    public static Value Escape(Interpreter vm, in Value text)
    {
        if (vm.Failed || text.IsMarkup) return text;
        return Force(vm, text);
    }

    public static Value Force(Interpreter vm, in Value text)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (bytes.IndexOfAny("&<>\"'"u8) < 0) return text.With(ValueFlags.Markup);
        var result = new TextBuilder(vm);
        int plain = 0;
        for (int i = 0; i < bytes.Length && !vm.Failed; i++)
        {
            ReadOnlySpan<byte> escape = bytes[i] switch
            {
                (byte)'&' => "&amp;"u8,
                (byte)'<' => "&lt;"u8,
                (byte)'>' => "&gt;"u8,
                (byte)'"' => "&#34;"u8,
                (byte)'\'' => "&#39;"u8,
                _ => default,
            };
            if (escape.IsEmpty) continue;
            result.AppendRange(text.Address + plain, i - plain);
            result.Append(escape, vm.Trust(text)[i] != 0);
            plain = i + 1;
        }

        result.AppendRange(text.Address + plain, bytes.Length - plain);
        return vm.Failed ? default : result.ToValue(ValueFlags.Markup);
    }
}

namespace AiFabrik.Host.Http.Requests;

/// <summary>Unescapes string values of a body that <see cref="JsonCheck"/> has accepted.</summary>
internal static class JsonStrings
{
    /// <summary>Writes the UTF-8 that a raw (escaped, unquoted) JSON string stands for; never longer than the raw form.</summary>
    public static int Unescape(ReadOnlySpan<byte> raw, Span<byte> target)
    {
        var written = 0;
        while (true)
        {
            var escape = raw.IndexOf((byte)'\\');
            var plain = escape < 0 ? raw : raw[..escape];
            plain.CopyTo(target[written..]);
            written += plain.Length;
            if (escape < 0) return written;
            raw = raw[(escape + 1)..];
            if (raw[0] == 'u')
            {
                var rune = Unit(raw);
                raw = raw[5..];
                if (rune is >= 0xD800 and <= 0xDBFF)
                {
                    rune = 0x10000 + ((rune - 0xD800) << 10) + (Unit(raw[1..]) - 0xDC00);
                    raw = raw[6..];
                }
                written += new System.Text.Rune(rune).EncodeToUtf8(target[written..]);
                continue;
            }
            target[written++] = raw[0] switch
            {
                (byte)'b' => 8, (byte)'f' => 12, (byte)'n' => 10, (byte)'r' => 13, (byte)'t' => 9, var c => c,
            };
            raw = raw[1..];
        }
    }

    /// <summary>The UTF-16 unit of <c>uXXXX</c>.</summary>
    private static int Unit(ReadOnlySpan<byte> escape)
    {
        var value = 0;
        for (var i = 1; i <= 4; i++) value = value << 4 | (escape[i] <= '9' ? escape[i] - '0' : (escape[i] | 0x20) - 'a' + 10);
        return value;
    }
}

using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Unicode;

/// <summary>Reading and writing UTF-8 that is known to be well-formed, and repairing what is not.</summary>
internal static class Utf8Text
{
    /// <summary>The code point at <paramref name="at"/> and its length in bytes. The text is well-formed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Decode(ReadOnlySpan<byte> text, int at, out int length)
    {
        int b = text[at];
        if (b < 0x80)
        {
            length = 1;
            return b;
        }

        if (b < 0xE0)
        {
            length = 2;
            return (b & 0x1F) << 6 | (text[at + 1] & 0x3F);
        }

        if (b < 0xF0)
        {
            length = 3;
            return (b & 0xF) << 12 | (text[at + 1] & 0x3F) << 6 | (text[at + 2] & 0x3F);
        }

        length = 4;
        return (b & 7) << 18 | (text[at + 1] & 0x3F) << 12 | (text[at + 2] & 0x3F) << 6 | (text[at + 3] & 0x3F);
    }

    /// <summary>Where the character before <paramref name="at"/> starts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Previous(ReadOnlySpan<byte> text, int at)
    {
        do at--;
        while ((text[at] & 0xC0) == 0x80);
        return at;
    }

    /// <summary>Bytes of the character that starts with <paramref name="lead"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Length(byte lead) => lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    /// <summary>Writes a code point; returns its length. The target has room for four bytes.</summary>
    internal static int Encode(int c, Span<byte> target)
    {
        if (c < 0x80)
        {
            target[0] = (byte)c;
            return 1;
        }

        if (c < 0x800)
        {
            target[0] = (byte)(0xC0 | c >> 6);
            target[1] = (byte)(0x80 | (c & 0x3F));
            return 2;
        }

        if (c < 0x10000)
        {
            target[0] = (byte)(0xE0 | c >> 12);
            target[1] = (byte)(0x80 | (c >> 6 & 0x3F));
            target[2] = (byte)(0x80 | (c & 0x3F));
            return 3;
        }

        target[0] = (byte)(0xF0 | c >> 18);
        target[1] = (byte)(0x80 | (c >> 12 & 0x3F));
        target[2] = (byte)(0x80 | (c >> 6 & 0x3F));
        target[3] = (byte)(0x80 | (c & 0x3F));
        return 4;
    }

    /// <summary>
    /// Looks at one character of text that may be ill-formed. Returns its length if it is whole; minus the length of the
    /// maximal ill-formed part; or 0 if the text ends before it can be told.
    /// </summary>
    internal static int Inspect(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return 0;
        int lead = text[0];
        if (lead < 0x80) return 1;
        if (lead is < 0xC2 or > 0xF4) return -1;
        var length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (text.Length < 2) return 0;
        int second = text[1];
        var low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        var high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (second < low || second > high) return -1;
        for (var i = 2; i < length; i++)
        {
            if (i >= text.Length) return 0;
            if ((text[i] & 0xC0) != 0x80) return -i;
        }

        return length;
    }
}

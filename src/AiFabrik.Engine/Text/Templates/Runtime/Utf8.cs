using System.Buffers;
using System.Text;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Code points in valid UTF-8.</summary>
internal static class Utf8
{
    /// <summary>Reads the code point at the start; <paramref name="length"/> is its bytes.</summary>
    public static int Decode(ReadOnlySpan<byte> bytes, out int length)
    {
        byte first = bytes[0];
        if (first < 0x80)
        {
            length = 1;
            return first;
        }

        if (Rune.DecodeFromUtf8(bytes, out Rune rune, out length) != OperationStatus.Done) return 0xFFFD;
        return rune.Value;
    }

    /// <summary>Reads the code point at the end.</summary>
    public static int DecodeLast(ReadOnlySpan<byte> bytes, out int length)
    {
        int start = bytes.Length - 1;
        while (start > 0 && (bytes[start] & 0xC0) == 0x80) start--;
        length = bytes.Length - start;
        return Decode(bytes[start..], out _);
    }

    public static int Encode(int codePoint, Span<byte> bytes)
    {
        Rune rune = Rune.IsValid(codePoint) ? new Rune(codePoint) : Rune.ReplacementChar;
        return rune.EncodeToUtf8(bytes);
    }

    public static int Size(byte first) => first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

    /// <summary>Number of code points.</summary>
    public static int Count(ReadOnlySpan<byte> bytes)
    {
        if (Ascii.IsValid(bytes)) return bytes.Length;
        int count = 0;
        foreach (byte b in bytes)
        {
            if ((b & 0xC0) != 0x80) count++;
        }

        return count;
    }

    /// <summary>The byte where code point number <paramref name="index"/> begins; the end if there are fewer.</summary>
    public static int Offset(ReadOnlySpan<byte> bytes, int index)
    {
        if (Ascii.IsValid(bytes)) return Math.Min(index, bytes.Length);
        int at = 0;
        for (; index > 0 && at < bytes.Length; index--) at += Size(bytes[at]);
        return Math.Min(at, bytes.Length);
    }

    public static bool IsValid(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes);
}

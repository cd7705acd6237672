using System.Runtime.CompilerServices;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>
/// The characters that stand for bytes in byte-level vocabularies (GPT-2's table): printable Latin-1 for itself, the other
/// 68 bytes as U+0100 and up, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly int[] ToCharacter = Build();
    private static readonly int[] ToByte = Invert();

    /// <summary>Appends the characters for bytes.</summary>
    internal static void Map(ReadOnlySpan<byte> raw, TextBuffer to)
    {
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var b in raw) to.Append(utf8[..Utf8Text.Encode(ToCharacter[b], utf8)]);
    }

    /// <summary>Appends the bytes for characters; the text holds nothing else.</summary>
    internal static void Unmap(ReadOnlySpan<byte> text, TextBuffer to)
    {
        Span<byte> one = stackalloc byte[1];
        for (var at = 0; at < text.Length;)
        {
            one[0] = (byte)ToByte[Utf8Text.Decode(text, at, out var length)];
            to.Append(one);
            at += length;
        }
    }

    /// <summary>The bytes for characters; -1 if one stands for no byte. The target is at least as long as the text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int TryUnmap(ReadOnlySpan<byte> text, Span<byte> to)
    {
        var n = 0;
        for (var at = 0; at < text.Length;)
        {
            var c = Utf8Text.Decode(text, at, out var length);
            if (c >= ToByte.Length || ToByte[c] < 0) return -1;
            to[n++] = (byte)ToByte[c];
            at += length;
        }

        return n;
    }

    private static int[] Build()
    {
        var table = new int[256];
        var next = 256;
        for (var b = 0; b < 256; b++) table[b] = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? b : next++;
        return table;
    }

    private static int[] Invert()
    {
        var table = new int[0x200];
        Array.Fill(table, -1);
        for (var b = 0; b < 256; b++) table[ToCharacter[b]] = b;
        return table;
    }
}

using System.Text;

namespace AiFabrik.Engine.Models;

/// <summary>Names that stand in model files (metadata, never content) as strings.</summary>
internal static class ModelText
{
    /// <summary>Characters of a foreign name that an error message repeats at most.</summary>
    public const int QuotedCharsMax = 80;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A name of a model file as a string. False if it is not UTF-8.</summary>
    public static bool TryToString(ReadOnlySpan<byte> utf8, out string text)
    {
        text = "";
        if (!System.Text.Unicode.Utf8.IsValid(utf8)) return false;
        text = StrictUtf8.GetString(utf8);
        return true;
    }

    /// <summary>A foreign name for an error message: one line, printable, of bounded length.</summary>
    public static string Quote(ReadOnlySpan<byte> utf8)
    {
        var cut = utf8.Length > QuotedCharsMax;
        Span<char> text = stackalloc char[QuotedCharsMax];
        var n = Math.Min(utf8.Length, QuotedCharsMax);
        for (var i = 0; i < n; i++) text[i] = utf8[i] is >= 0x20 and < 0x7f and not (byte)'\'' ? (char)utf8[i] : '?';
        return $"'{text[..n]}{(cut ? "…" : "")}'";
    }

    /// <inheritdoc cref="Quote(ReadOnlySpan{byte})"/>
    public static string Quote(string text) => Quote(Encoding.UTF8.GetBytes(text.Length > 2 * QuotedCharsMax ? text[..(2 * QuotedCharsMax)] : text));
}

using System.Globalization;
using System.Text;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>The escapes of a string literal: Python's. Unknown ones keep their backslash.</summary>
internal static class StringEscapes
{
    public static string Unescape(ReadOnlySpan<char> text, int line)
    {
        if (!text.Contains('\\')) return text.ToString();
        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }

            i = Escape(text, i + 1, result, line);
        }

        return result.ToString();
    }

    /// <summary>Appends the escape whose letter is at <paramref name="i"/>; returns its last character's index.</summary>
    private static int Escape(ReadOnlySpan<char> text, int i, StringBuilder result, int line)
    {
        switch (text[i])
        {
            case '\n': return i;
            case '\\' or '\'' or '"': result.Append(text[i]); return i;
            case 'a': result.Append('\a'); return i;
            case 'b': result.Append('\b'); return i;
            case 'f': result.Append('\f'); return i;
            case 'n': result.Append('\n'); return i;
            case 'r': result.Append('\r'); return i;
            case 't': result.Append('\t'); return i;
            case 'v': result.Append('\v'); return i;
            case 'x': return Hex(text, i, 2, result, line);
            case 'u': return Hex(text, i, 4, result, line);
            case 'U': return Hex(text, i, 8, result, line);
            case 'N': return Named(text, i, result, line);
            case >= '0' and <= '7': return Octal(text, i, result);
            default:
                result.Append('\\').Append(text[i]);
                return i;
        }
    }

    private static int Octal(ReadOnlySpan<char> text, int i, StringBuilder result)
    {
        int value = 0;
        int end = Math.Min(i + 3, text.Length);
        for (; i < end && text[i] is >= '0' and <= '7'; i++) value = (value * 8) + (text[i] - '0');
        result.Append((char)value);
        return i - 1;
    }

    private static int Hex(ReadOnlySpan<char> text, int i, int digits, StringBuilder result, int line)
    {
        if (i + digits >= text.Length
            || !int.TryParse(text.Slice(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            || !(Rune.IsValid(value) || value is >= 0xD800 and <= 0xDFFF))
        {
            throw new TemplateSyntaxException("a string escape is cut short or names no character", line);
        }

        // A lone surrogate has no UTF-8 form; two that make a pair join in the literal.
        if (Rune.IsValid(value)) result.Append(new Rune(value).ToString());
        else result.Append((char)value);
        return i + digits;
    }

    private static int Named(ReadOnlySpan<char> text, int i, StringBuilder result, int line)
    {
        int close = text[i..].IndexOf('}');
        if (i + 1 >= text.Length || text[i + 1] != '{' || close < 0
            || !CharacterNames.TryGet(text.Slice(i + 2, close - 2), out int value))
        {
            throw new TemplateSyntaxException("a string escape names no known character", line);
        }

        result.Append(new Rune(value).ToString());
        return i + close;
    }
}

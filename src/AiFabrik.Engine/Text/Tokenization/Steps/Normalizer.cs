using AiFabrik.Engine.Text.Tokenization.Regex;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>A step of the normalizer: text in, text out, trust carried along.</summary>
internal abstract class Normalizer
{
    internal abstract void Apply(TextBuffer from, TextBuffer to, TokenizerScratch scratch);
}

/// <summary>Puts text before a text that is not empty.</summary>
internal sealed class PrependNormalizer(byte[] prefix) : Normalizer
{
    internal override void Apply(TextBuffer from, TextBuffer to, TokenizerScratch scratch)
    {
        if (from.Length == 0) return;
        to.Append(prefix, from.TrustAt(0));
        to.Append(from, 0, from.Length);
    }
}

/// <summary>Replaces every match; the content is literal.</summary>
internal sealed class ReplaceNormalizer(Pattern pattern, byte[] content) : Normalizer
{
    internal override void Apply(TextBuffer from, TextBuffer to, TokenizerScratch scratch)
    {
        if (pattern.Literal is [var one] && !from.TracksTrust)
        {
            ReplaceByte(from.Span, one, to);
            return;
        }

        var done = 0;
        var matches = new PatternMatches(pattern, from.Span, scratch.NormalizerRegex);
        while (matches.TryNext(from.Span, out var start, out var end))
        {
            to.Append(from, done, start - done);
            to.Append(content, start < from.Length ? from.TrustAt(start) : (byte)0);
            done = end;
        }

        to.Append(from, done, from.Length - done);
    }

    /// <summary>The usual case (a space), run by run.</summary>
    private void ReplaceByte(ReadOnlySpan<byte> text, byte one, TextBuffer to)
    {
        while (!text.IsEmpty)
        {
            var run = 0;
            while (run < text.Length && text[run] == one) run++;
            if (run > 0) to.AppendRepeated(content, run, 0);
            text = text[run..];
            var other = text.IndexOf(one);
            if (other < 0) other = text.Length;
            to.Append(text[..other]);
            text = text[other..];
        }
    }
}

/// <summary>Takes white space off either end.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    private static readonly CharClass WhiteSpace = new(UnicodeProperties.WhiteSpace());

    internal override void Apply(TextBuffer from, TextBuffer to, TokenizerScratch scratch)
    {
        var text = from.Span;
        var start = left ? WhiteSpace.Run(text, 0, text.Length) : 0;
        var end = text.Length;
        while (right && end > start)
        {
            var previous = Utf8Text.Previous(text, end);
            if (WhiteSpace.Match(text, previous) == 0) break;
            end = previous;
        }

        to.Append(from, start, end - start);
    }
}

/// <summary>Lower case, character by character: no final sigma; U+0130 becomes i and U+0307.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    private static readonly Dictionary<int, int> Lower = Load();

    internal override void Apply(TextBuffer from, TextBuffer to, TokenizerScratch scratch)
    {
        var text = from.Span;
        Span<byte> utf8 = stackalloc byte[4];
        for (var at = 0; at < text.Length;)
        {
            var c = Utf8Text.Decode(text, at, out var length);
            if (c == 0x130) to.Append("i\u0307"u8, from.TrustAt(at));
            else if (Lower.TryGetValue(c, out var lower)) to.Append(utf8[..Utf8Text.Encode(lower, utf8)], from.TrustAt(at));
            else to.Append(from, at, length);
            at += length;
        }
    }

    private static Dictionary<int, int> Load()
    {
        var lower = new Dictionary<int, int>();
        var table = CaseMappings.Lower;
        for (var i = 0; i < table.Length; i += 4)
        {
            for (var c = table[i]; c <= table[i + 1]; c += table[i + 2]) lower.Add(c, c + table[i + 3]);
        }

        return lower;
    }
}

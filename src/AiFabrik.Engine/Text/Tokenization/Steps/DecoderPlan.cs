using System.Runtime.CompilerServices;
using AiFabrik.Engine.Text.Tokenization.Regex;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>What ids become: for each the bytes that it stands for, and what is done to the text as a whole.</summary>
internal sealed class DecoderPlan
{
    private readonly byte[] _bytes, _firstBytes;
    private readonly int[] _starts, _firstStarts;

    internal DecoderPlan(TokenizerParts parts)
    {
        Steps = parts.Decoder;
        (_bytes, _starts) = Collect(parts, false);
        (_firstBytes, _firstStarts) = Steps.HasOtherFirst ? Collect(parts, true) : (_bytes, _starts);
        for (var id = 0; id < parts.VocabSize; id++) LongestBytes = Math.Max(LongestBytes, _starts[id + 1] - _starts[id]);
    }

    internal DecoderSteps Steps { get; }
    internal int LongestBytes { get; }

    /// <summary>The bytes of an id; of the first id of a text, which a Metaspace decoder treats otherwise.</summary>
    internal ReadOnlySpan<byte> Bytes(int id, bool isFirst) => isFirst
        ? _firstBytes.AsSpan(_firstStarts[id].._firstStarts[id + 1])
        : _bytes.AsSpan(_starts[id].._starts[id + 1]);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (byte[], int[]) Collect(TokenizerParts parts, bool isFirst)
    {
        var starts = new int[parts.VocabSize + 1];
        var bytes = new byte[parts.Spellings.Text.Length];
        var used = 0;
        for (var id = 0; id < parts.VocabSize; id++)
        {
            if (parts.TryGetToken(id, out var token))
            {
                token = parts.Decoder.Apply(token, isFirst);
                if (token.Length > bytes.Length - used) Array.Resize(ref bytes, checked((used + token.Length) * 2));
                token.CopyTo(bytes.AsSpan(used));
                used += token.Length;
            }

            starts[id + 1] = used;
        }

        return (bytes[..used], starts);
    }
}

/// <summary>The decoder's steps: those for each token, and (after Fuse) those for the text, which work on characters as they come.</summary>
internal sealed class DecoderSteps
{
    private readonly List<Step> _perToken = [];
    private TextBuffer _token = new(), _changed = new();
    private readonly RegexScratch _scratch = new();

    /// <summary>Tokens are joined by a space: what the reference does without a decoder.</summary>
    internal bool JoinsWithSpace { get; set; }
    internal bool HasOtherFirst { get; private set; }
    internal bool IsFused { get; private set; }

    /// <summary>Leading characters to leave out of the text, and how many at most.</summary>
    internal byte[] StripContent { get; private set; } = [];
    internal int StripStart { get; private set; }
    internal int StripStop { get; private set; }

    /// <summary>A character to replace in the text.</summary>
    internal byte[] Replaced { get; private set; } = [];
    internal byte[] Replacement { get; private set; } = [];

    /// <summary>What a step makes of one token: fills an empty buffer, or returns false where it changes nothing.</summary>
    private delegate bool Step(ReadOnlySpan<byte> token, bool isFirst, TextBuffer to);

    /// <summary>A token after all steps; valid until the next call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal ReadOnlySpan<byte> Apply(ReadOnlySpan<byte> token, bool isFirst)
    {
        foreach (var step in _perToken)
        {
            _changed.Reset();
            if (!step(token, isFirst, _changed)) continue;
            token = _changed.Span;
            (_token, _changed) = (_changed, _token);
        }

        return token;
    }

    internal void Fuse() => IsFused = true;

    internal bool TryAddByteLevel()
    {
        if (IsFused) return false;
        // After byte fallback a token may be a single byte that is no character.
        var isWellFormed = _perToken.Count == 0;
        _perToken.Add((token, _, to) =>
        {
            if (!isWellFormed && !System.Text.Unicode.Utf8.IsValid(token)) return false;
            to.Append(token);
            var n = ByteAlphabet.TryUnmap(token, to.Data);
            to.Shorten(Math.Max(n, 0));
            return n >= 0;
        });
        IsFused = true;
        return true;
    }

    internal bool TryAddByteFallback()
    {
        if (IsFused) return false;
        _perToken.Add(static (token, _, to) =>
        {
            var b = ByteOf(token);
            if (b >= 0) to.Append([(byte)b]);
            return b >= 0;
        });
        return true;
    }

    internal bool TryAddReplace(Pattern pattern, byte[] content)
    {
        if (IsFused)
        {
            if (Replaced.Length > 0 || StripContent.Length > 0 || pattern.Literal is not { Length: > 0 } one || Utf8Text.Length(one[0]) != one.Length) return false;
            (Replaced, Replacement) = (one, content);
            return true;
        }

        if (pattern.Literal is { Length: > 0 } literal)
        {
            _perToken.Add((token, _, to) =>
            {
                var at = token.IndexOf(literal);
                if (at < 0) return false;
                for (; at >= 0; at = token.IndexOf(literal))
                {
                    to.Append(token[..at]);
                    to.Append(content);
                    token = token[(at + literal.Length)..];
                }

                to.Append(token);
                return true;
            });
            return true;
        }

        _perToken.Add((token, _, to) =>
        {
            if (!System.Text.Unicode.Utf8.IsValid(token)) return false;
            var done = 0;
            var matches = new PatternMatches(pattern, token, _scratch);
            while (matches.TryNext(token, out var start, out var end))
            {
                to.Append(token[done..start]);
                to.Append(content);
                done = end;
            }

            to.Append(token[done..]);
            return true;
        });
        return true;
    }

    internal bool TryAddStrip(byte[] content, int start, int stop)
    {
        if (IsFused)
        {
            if (StripContent.Length > 0) return false;
            (StripContent, StripStart, StripStop) = (content, start, stop);
            return true;
        }

        _perToken.Add((token, _, to) =>
        {
            var rest = token;
            for (var i = 0; i < start && rest.StartsWith(content); i++) rest = rest[content.Length..];
            for (var i = 0; i < stop && rest.EndsWith(content); i++) rest = rest[..^content.Length];
            to.Append(rest);
            return true;
        });
        return true;
    }

    internal bool TryAddMetaspace(byte[] replacement, bool prepends)
    {
        if (IsFused) return false;
        HasOtherFirst |= prepends;
        _perToken.Add((token, isFirst, to) =>
        {
            var rest = token;
            for (var at = rest.IndexOf(replacement); at >= 0; at = rest.IndexOf(replacement))
            {
                to.Append(rest[..at]);
                if (!isFirst || !prepends) to.Append(" "u8);
                rest = rest[(at + replacement.Length)..];
            }

            to.Append(rest);
            return true;
        });
        return true;
    }

    /// <summary>The byte that a token like &lt;0x0A&gt; stands for, or -1.</summary>
    internal static int ByteOf(ReadOnlySpan<byte> token)
    {
        if (token.Length != 6 || !token.StartsWith("<0x"u8) || token[5] != '>') return -1;
        var (high, low) = (Hex(token[3]), Hex(token[4]));
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    private static int Hex(byte b) => char.IsAsciiHexDigit((char)b) ? Convert.ToInt32(((char)b).ToString(), 16) : -1;
}

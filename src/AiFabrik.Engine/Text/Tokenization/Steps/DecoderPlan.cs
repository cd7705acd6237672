using AiFabrik.Engine.Text.Tokenization.Regex;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>What ids become: for each the bytes that it stands for, and what is done to the text as a whole.</summary>
internal sealed class DecoderPlan
{
    private readonly byte[] _bytes, _firstBytes;
    private readonly int[] _starts, _firstStarts;

    internal DecoderPlan(DecoderSteps steps, int count, Func<int, byte[]?> tokenOf)
    {
        Steps = steps;
        (_bytes, _starts) = Collect(steps, count, tokenOf, false);
        (_firstBytes, _firstStarts) = steps.HasOtherFirst ? Collect(steps, count, tokenOf, true) : (_bytes, _starts);
        for (var id = 0; id < count; id++) LongestBytes = Math.Max(LongestBytes, _starts[id + 1] - _starts[id]);
    }

    internal DecoderSteps Steps { get; }
    internal int LongestBytes { get; }

    /// <summary>The bytes of an id; of the first id of a text, which a Metaspace decoder treats otherwise.</summary>
    internal ReadOnlySpan<byte> Bytes(int id, bool isFirst) => isFirst
        ? _firstBytes.AsSpan(_firstStarts[id].._firstStarts[id + 1])
        : _bytes.AsSpan(_starts[id].._starts[id + 1]);

    private static (byte[], int[]) Collect(DecoderSteps steps, int count, Func<int, byte[]?> tokenOf, bool isFirst)
    {
        var starts = new int[count + 1];
        var bytes = new MemoryStream();
        for (var id = 0; id < count; id++)
        {
            if (tokenOf(id) is { } token) bytes.Write(steps.Apply(token, isFirst));
            starts[id + 1] = (int)bytes.Length;
        }

        return (bytes.ToArray(), starts);
    }
}

/// <summary>The decoder's steps: those for each token, and (after Fuse) those for the text, which work on characters as they come.</summary>
internal sealed class DecoderSteps
{
    private readonly List<Func<byte[], bool, byte[]>> _perToken = [];
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

    internal byte[] Apply(byte[] token, bool isFirst)
    {
        foreach (var step in _perToken) token = step(token, isFirst);
        return token;
    }

    internal void Fuse() => IsFused = true;

    internal bool TryAddByteLevel()
    {
        if (IsFused) return false;
        _perToken.Add(static (token, _) =>
        {
            var raw = new byte[token.Length];
            var n = ByteAlphabet.TryUnmap(token, raw);
            return n < 0 ? token : raw[..n];
        });
        IsFused = true;
        return true;
    }

    internal bool TryAddByteFallback()
    {
        if (IsFused) return false;
        _perToken.Add(static (token, _) => ByteOf(token) is var b and >= 0 ? [(byte)b] : token);
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

        _perToken.Add((token, _) =>
        {
            if (pattern.Literal is { } literal && token.AsSpan().IndexOf(literal) < 0) return token;
            if (!System.Text.Unicode.Utf8.IsValid(token)) return token;
            var to = new MemoryStream();
            var done = 0;
            var matches = new PatternMatches(pattern, token, _scratch);
            while (matches.TryNext(token, out var start, out var end))
            {
                to.Write(token.AsSpan(done..start));
                to.Write(content);
                done = end;
            }

            to.Write(token.AsSpan(done));
            return to.ToArray();
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

        _perToken.Add((token, _) =>
        {
            var (from, to) = (0, token.Length);
            for (var i = 0; i < start && token.AsSpan(from..to).StartsWith(content); i++) from += content.Length;
            for (var i = 0; i < stop && token.AsSpan(from..to).EndsWith(content); i++) to -= content.Length;
            return token[from..to];
        });
        return true;
    }

    internal bool TryAddMetaspace(byte[] replacement, bool prepends)
    {
        if (IsFused) return false;
        HasOtherFirst |= prepends;
        _perToken.Add((token, isFirst) =>
        {
            var to = new MemoryStream();
            ReadOnlySpan<byte> rest = token;
            for (var at = rest.IndexOf(replacement); at >= 0; at = rest.IndexOf(replacement))
            {
                to.Write(rest[..at]);
                if (!isFirst || !prepends) to.WriteByte((byte)' ');
                rest = rest[(at + replacement.Length)..];
            }

            to.Write(rest);
            return to.ToArray();
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

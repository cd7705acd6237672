using System.Buffers;
using AiFabrik.Engine.Text.Tokenization.Regex;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text;

/// <summary>A token that is looked for in the text itself, before anything else.</summary>
internal sealed record AddedToken(int Id, byte[] Content, bool IsSingleWord, bool TakesLeft, bool TakesRight, bool IsNormalized, bool IsSpecial);

/// <summary>Finds added tokens, leftmost and then longest.</summary>
internal sealed class AddedTokenFinder
{
    private static readonly CharClass Word = new(UnicodeProperties.RustWord());
    private static readonly CharClass WhiteSpace = new(UnicodeProperties.WhiteSpace());
    private readonly List<Node> _nodes = [new Node()];
    private readonly int[] _roots = new int[256];
    private readonly SearchValues<byte> _first;

    /// <param name="spellings">Each token with the spelling to look for.</param>
    internal AddedTokenFinder(IEnumerable<(AddedToken Token, byte[] Spelling)> spellings)
    {
        foreach (var (token, spelling) in spellings)
        {
            if (spelling.Length > 0) Insert(token, spelling);
        }

        _first = SearchValues.Create([.. Enumerable.Range(0, 256).Where(b => _roots[b] != 0).Select(b => (byte)b)]);
        IsEmpty = _nodes.Count == 1;
    }

    internal bool IsEmpty { get; }

    /// <summary>The next token that counts, from <paramref name="search"/> on.</summary>
    /// <param name="search">Where to look; afterwards where to look next.</param>
    /// <param name="done">The end of the token before: white space up to it is taken already.</param>
    internal AddedToken? Next(TextBuffer text, ControlSet control, bool isTrusted, ref int search, int done, out int start, out int end)
    {
        var span = text.Span;
        while (search < span.Length)
        {
            var skip = span[search..].IndexOfAny(_first);
            if (skip < 0) break;
            search += skip;
            var token = Match(text, control, isTrusted, search, out start, out end, out var resume);
            search = resume;
            if (token is null) continue;
            if (token.IsSingleWord && !StandsAlone(span, start, end)) continue;
            if (token.TakesLeft)
            {
                while (start > done && Utf8Text.Previous(span, start) is var before && WhiteSpace.Match(span, before) > 0 && before >= done) start = before;
            }

            if (token.TakesRight) end = WhiteSpace.Run(span, end, span.Length);
            return token;
        }

        search = span.Length;
        start = end = span.Length;
        return null;
    }

    /// <summary>
    /// The longest token at a place. A control token counts where all its text is trusted. Where none of it is, it is
    /// passed over as a whole; where only part is, shorter ones are tried, so that untrusted text next to a trusted control
    /// token can't hide it.
    /// </summary>
    private AddedToken? Match(TextBuffer text, ControlSet control, bool isTrusted, int at, out int start, out int end, out int resume)
    {
        var span = text.Span;
        start = at;
        AddedToken? found = null;
        var (foundEnd, foundSkips) = (0, false);
        var node = _roots[span[at]];
        for (var next = at + 1; node != 0; next++)
        {
            if (_nodes[node].Token is { } token)
            {
                var trust = !control.Contains(token.Id) ? 1 : !text.TracksTrust ? (isTrusted ? 1 : 0) : Trust(text.Trust[at..next]);
                if (trust >= 0) (found, foundEnd, foundSkips) = (token, next, trust == 0);
            }

            node = next < span.Length ? Child(node, span[next]) : 0;
        }

        end = foundEnd;
        resume = found is null ? at + 1 : foundEnd;
        return foundSkips ? null : found;
    }

    /// <summary>1: all trusted; 0: none; -1: part of it.</summary>
    private static int Trust(ReadOnlySpan<byte> trust) => !trust.Contains((byte)0) ? 1 : !trust.Contains((byte)1) ? 0 : -1;

    private static bool StandsAlone(ReadOnlySpan<byte> text, int start, int end) =>
        (start == 0 || Word.Match(text, Utf8Text.Previous(text, start)) == 0) && Word.Match(text, end) == 0;

    private int Child(int node, byte b)
    {
        var child = _nodes[node].FirstChild;
        while (child != 0 && _nodes[child].Byte != b) child = _nodes[child].NextSibling;
        return child;
    }

    private void Insert(AddedToken token, byte[] spelling)
    {
        var node = _roots[spelling[0]];
        if (node == 0) _roots[spelling[0]] = node = New(spelling[0]);
        foreach (var b in spelling.AsSpan(1))
        {
            var child = Child(node, b);
            if (child == 0)
            {
                child = New(b);
                _nodes[child].NextSibling = _nodes[node].FirstChild;
                _nodes[node].FirstChild = child;
            }

            node = child;
        }

        _nodes[node].Token ??= token;
    }

    private int New(byte b)
    {
        _nodes.Add(new Node { Byte = b });
        return _nodes.Count - 1;
    }

    private sealed class Node
    {
        internal byte Byte;
        internal int FirstChild, NextSibling;
        internal AddedToken? Token;
    }
}

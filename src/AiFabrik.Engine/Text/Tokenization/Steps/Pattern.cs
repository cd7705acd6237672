using AiFabrik.Engine.Text.Tokenization.Regex;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>What a Split or a Replace looks for: a literal, one character of a class, or an expression.</summary>
internal sealed class Pattern
{
    internal byte[]? Literal { get; private init; }
    internal CharClass? Class { get; private init; }
    internal RegexProgram? Program { get; private init; }

    internal static Pattern OfLiteral(byte[] literal) => new() { Literal = literal };

    internal static Pattern OfClass(CharClass one) => new() { Class = one };

    internal static Pattern OfRegex(RegexProgram program) => new() { Program = program };
}

/// <summary>The matches of a pattern in one text, left to right, as the reference's iterator gives them.</summary>
internal struct PatternMatches
{
    private readonly Pattern _pattern;
    private readonly RegexScratch _scratch;
    private int _from;
    private int _lastEnd;

    internal PatternMatches(Pattern pattern, ReadOnlySpan<byte> text, RegexScratch scratch)
    {
        _pattern = pattern;
        _scratch = scratch;
        _from = 0;
        _lastEnd = -1;
        if (pattern.Program is not null) scratch.Begin(pattern.Program, text.Length);
    }

    internal bool TryNext(ReadOnlySpan<byte> text, out int start, out int end)
    {
        if (_pattern.Program is { } program)
        {
            while (_from <= text.Length && RegexMatcher.TryFind(program, _scratch, text, _from, out start, out end))
            {
                if (start == end && end == _lastEnd)
                {
                    // An empty match right after a match does not count.
                    _from += _from < text.Length ? Utf8Text.Length(text[_from]) : 1;
                    continue;
                }

                _from = _lastEnd = end;
                return true;
            }

            start = end = -1;
            return false;
        }

        if (_pattern.Literal is { } literal)
        {
            var at = literal.Length == 0 ? -1 : text[_from..].IndexOf(literal);
            start = _from + at;
            end = start + literal.Length;
            _from = end;
            return at >= 0;
        }

        for (start = _from; start < text.Length; start += Utf8Text.Length(text[start]))
        {
            var length = _pattern.Class!.Match(text, start);
            if (length == 0) continue;
            _from = end = start + length;
            return true;
        }

        end = -1;
        return false;
    }
}

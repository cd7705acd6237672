using System.Text;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Regex;

/// <summary>
/// Reads the part of Oniguruma's syntax (its Ruby flavour, which the reference uses) that tokenizers can use without
/// captures: classes, groups, alternatives, repeats, look-around, anchors. Anything else is refused by name.
/// </summary>
internal sealed class RegexParser
{
    internal const int PatternCodePointsMax = 16_384;
    internal const int DepthMax = 48;
    internal const int RepeatMax = 255;
    private static readonly string[] MultiFolds = ["ss", "ff", "fi", "fl", "st"];
    private readonly int[] _p;
    private readonly RegexClassParser _classes;
    private int _at;
    private int _depth;
    private bool _ignoreCase;
    private bool _dotAll;

    private RegexParser(string pattern)
    {
        _p = [.. pattern.EnumerateRunes().Select(r => r.Value)];
        if (_p.Length > PatternCodePointsMax) throw Refuse($"an expression of more than {PatternCodePointsMax} characters");
        _classes = new RegexClassParser(_p);
    }

    /// <exception cref="RegexRefusedException">The pattern is malformed or uses what is not supported.</exception>
    internal static RegexNode Parse(string pattern)
    {
        var parser = new RegexParser(pattern);
        var node = parser.Alternatives();
        if (parser._at < parser._p.Length) throw Refuse("an unmatched ')' in an expression");
        return node;
    }

    internal static RegexRefusedException Refuse(string what) => new($"The tokenizer uses {what}, which is not supported.");

    private RegexNode Alternatives()
    {
        if (++_depth > DepthMax) throw Refuse($"an expression nested more than {DepthMax} deep");
        var (ignoreCase, dotAll) = (_ignoreCase, _dotAll);
        var items = new List<RegexNode> { Branch() };
        while (_at < _p.Length && _p[_at] == '|')
        {
            _at++;
            items.Add(Branch());
        }

        _depth--;
        (_ignoreCase, _dotAll) = (ignoreCase, dotAll);
        return items.Count == 1 ? items[0] : new RegexNode.Alternation(items);
    }

    private RegexNode.Sequence Branch()
    {
        var items = new List<RegexNode>();
        var letters = new StringBuilder();
        while (_at < _p.Length && _p[_at] != '|' && _p[_at] != ')')
        {
            if (TryOption(out var rest))
            {
                if (rest is not null) items.Add(rest);
                letters.Clear();
                continue;
            }

            var start = _at;
            var atom = Atom(out var literal);
            CheckMultiFold(letters, literal);
            atom = Quantified(atom, start);
            items.Add(atom);
        }

        return new RegexNode.Sequence(items);
    }

    /// <summary>Two letters side by side can match one character under case folding (ss and ß); that is not supported.</summary>
    private void CheckMultiFold(StringBuilder letters, int literal)
    {
        if (literal < 0 || !_ignoreCase)
        {
            letters.Clear();
            return;
        }

        if (literal > 127) throw Refuse("a letter outside ASCII under (?i)");
        letters.Append(char.ToLowerInvariant((char)literal));
        var text = letters.ToString();
        foreach (var fold in MultiFolds)
        {
            if (text.EndsWith(fold, StringComparison.Ordinal)) throw Refuse($"'{fold}' under (?i)");
        }
    }

    /// <summary><c>(?i)</c> alone: holds to the end of the enclosing group, alternatives included.</summary>
    private bool TryOption(out RegexNode? rest)
    {
        rest = null;
        if (!Ahead("(?") || _at + 2 >= _p.Length || _p[_at + 2] is not ('i' or 'm' or 'x' or '-')) return false;
        var end = _at + 2;
        while (end < _p.Length && _p[end] is 'i' or 'm' or 'x' or '-') end++;
        if (end >= _p.Length || _p[end] != ')') return false;
        Options(end);
        _at = end + 1;
        rest = Alternatives();
        return true;
    }

    private void Options(int end)
    {
        var on = true;
        for (var i = _at + 2; i < end; i++)
        {
            if (_p[i] == '-') on = false;
            else if (_p[i] == 'i') _ignoreCase = on;
            else if (_p[i] == 'm') _dotAll = on;
            else throw Refuse($"the option '(?{(char)_p[i]})'");
        }
    }

    private RegexNode Quantified(RegexNode atom, int start)
    {
        while (_at < _p.Length && TryQuantifier(out var min, out var max, out var interval))
        {
            if (atom is RegexNode.Assert or RegexNode.Look) throw Refuse("a repeated anchor or look-around");
            var mode = RepeatMode.Greedy;
            if (_at < _p.Length && _p[_at] == '?')
            {
                if (interval && min == max) throw Refuse("'{n}?'");
                mode = RepeatMode.Lazy;
                _at++;
            }
            else if (!interval && _at < _p.Length && _p[_at] == '+')
            {
                mode = RepeatMode.Possessive;
                _at++;
            }

            if (max != 1 && RegexNode.Nullable(atom)) throw Refuse("a repeat of something that may be empty");
            atom = new RegexNode.Repeat(atom, min, max, mode);
            if (_at - start > PatternCodePointsMax) break;
        }

        return atom;
    }

    private bool TryQuantifier(out int min, out int max, out bool interval)
    {
        (min, max, interval) = (0, -1, false);
        switch (_p[_at])
        {
            case '*': _at++; return true;
            case '+': min = 1; _at++; return true;
            case '?': max = 1; _at++; return true;
            case '{': interval = true; return TryInterval(out min, out max);
            default: return false;
        }
    }

    private bool TryInterval(out int min, out int max)
    {
        (min, max) = (0, -1);
        var at = _at + 1;
        var first = Number(ref at);
        var last = first;
        if (at < _p.Length && _p[at] == ',')
        {
            at++;
            last = Number(ref at);
            if (first < 0 && last < 0) return false;
        }
        else if (first < 0)
        {
            return false;
        }

        if (at >= _p.Length || _p[at] != '}') return false;
        (min, max) = (Math.Max(first, 0), last);
        if (min > RepeatMax || max > RepeatMax) throw Refuse($"a repeat of more than {RepeatMax}");
        if (max >= 0 && max < min) throw Refuse("a repeat whose bounds are the wrong way round");
        _at = at + 1;
        return true;
    }

    private int Number(ref int at)
    {
        var value = -1;
        while (at < _p.Length && _p[at] is >= '0' and <= '9')
        {
            value = Math.Min(Math.Max(value, 0) * 10 + _p[at] - '0', 100_000);
            at++;
        }

        return value;
    }

    private RegexNode Atom(out int literal)
    {
        literal = -1;
        var c = _p[_at];
        switch (c)
        {
            case '(': return Group();
            case '[': return new RegexNode.One(_classes.Class(ref _at, _ignoreCase));
            case '.':
                _at++;
                var any = new CodePointSet().Invert();
                return new RegexNode.One(_dotAll ? any : new CodePointSet().Add('\n').Invert());
            case '^': _at++; return new RegexNode.Assert(AssertKind.LineStart);
            case '$': _at++; return new RegexNode.Assert(AssertKind.LineEnd);
            case '*' or '+' or '?': throw Refuse("a repeat of nothing");
            case '\\' when TryAnchor(out var anchor): return anchor;
            case '\\':
                var set = _classes.Escape(ref _at, inClass: false, out literal);
                if (set is not null) return new RegexNode.One(_ignoreCase ? set.AddCaseVariants() : set);
                break;
            default:
                literal = c;
                _at++;
                break;
        }

        var one = new CodePointSet().Add(literal);
        return new RegexNode.One(_ignoreCase ? one.AddCaseVariants() : one);
    }

    private bool TryAnchor(out RegexNode anchor)
    {
        AssertKind? kind = _at + 1 >= _p.Length ? null : _p[_at + 1] switch
        {
            'b' => AssertKind.WordBorder,
            'B' => AssertKind.NotWordBorder,
            'A' => AssertKind.TextStart,
            'z' => AssertKind.TextEnd,
            'Z' => AssertKind.TextEndOrFinalNewline,
            _ => null,
        };
        anchor = new RegexNode.Assert(kind ?? AssertKind.TextStart);
        if (kind is null) return false;
        _at += 2;
        return true;
    }

    private RegexNode Group()
    {
        var (ignoreCase, dotAll) = (_ignoreCase, _dotAll);
        Func<RegexNode, RegexNode> wrap = n => n;
        if (Ahead("(?#")) throw Refuse("a comment in an expression");
        if (Skip("(?:"))
        {
        }
        else if (Skip("(?=")) wrap = n => new RegexNode.Look(n, false, false);
        else if (Skip("(?!")) wrap = n => new RegexNode.Look(n, false, true);
        else if (Skip("(?<=")) wrap = n => new RegexNode.Look(n, true, false);
        else if (Skip("(?<!")) wrap = n => new RegexNode.Look(n, true, true);
        else if (Skip("(?>")) wrap = n => new RegexNode.Atomic(n);
        else if (Skip("(?<")) SkipName();
        else if (Ahead("(?"))
        {
            var end = _at + 2;
            while (end < _p.Length && _p[end] is 'i' or 'm' or 'x' or '-') end++;
            if (end >= _p.Length || _p[end] != ':') throw Refuse("a group '(?" + (_at + 2 < _p.Length ? char.ConvertFromUtf32(_p[_at + 2]) : "") + "'");
            Options(end);
            _at = end + 1;
        }
        else
        {
            _at++;
        }

        var body = Alternatives();
        if (_at >= _p.Length || _p[_at] != ')') throw Refuse("an expression with an unclosed group");
        _at++;
        (_ignoreCase, _dotAll) = (ignoreCase, dotAll);
        return wrap(body);
    }

    private void SkipName()
    {
        while (_at < _p.Length && _p[_at] != '>') _at++;
        if (_at++ >= _p.Length) throw Refuse("an unfinished group name");
    }

    private bool Ahead(string text)
    {
        if (_at + text.Length > _p.Length) return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (_p[_at + i] != text[i]) return false;
        }

        return true;
    }

    private bool Skip(string text)
    {
        if (!Ahead(text)) return false;
        _at += text.Length;
        return true;
    }
}

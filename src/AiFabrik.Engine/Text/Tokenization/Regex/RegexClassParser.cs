using System.Globalization;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Regex;

/// <summary>Bracketed classes (ranges, negation, nested classes, intersections) and escapes.</summary>
internal sealed class RegexClassParser(int[] pattern)
{
    private readonly int[] _p = pattern;
    private int _depth;

    /// <summary>The class whose '[' stands at <paramref name="at"/>.</summary>
    internal CodePointSet Class(ref int at, bool ignoreCase)
    {
        if (++_depth > RegexParser.DepthMax) throw RegexParser.Refuse("classes nested too deep");
        at++;
        var negated = at < _p.Length && _p[at] == '^';
        if (negated) at++;
        CodePointSet? left = null;
        var set = new CodePointSet();
        var first = true;
        while (true)
        {
            if (at >= _p.Length) throw RegexParser.Refuse("an expression with an unclosed class");
            if (_p[at] == ']' && !first) break;
            first = false;
            if (_p[at] == '&' && at + 1 < _p.Length && _p[at + 1] == '&')
            {
                at += 2;
                left = left is null ? set : left.Intersect(set);
                set = new CodePointSet();
                continue;
            }

            Item(set, ref at);
        }

        at++;
        _depth--;
        if (left is not null) set = left.Intersect(set);
        if (ignoreCase) set.AddCaseVariants();
        return negated ? set.Invert() : set;
    }

    private void Item(CodePointSet set, ref int at)
    {
        if (_p[at] == '[')
        {
            if (at + 1 < _p.Length && _p[at + 1] == ':' && TryPosix(ref at, out var posix)) set.Add(posix);
            else set.Add(Class(ref at, false));
            return;
        }

        if (!Single(set, ref at, out var first)) return;
        var isRange = at + 1 < _p.Length && _p[at] == '-' && _p[at + 1] != ']' && _p[at + 1] != '[';
        if (!isRange)
        {
            set.Add(first);
            return;
        }

        at++;
        var other = new CodePointSet();
        if (!Single(other, ref at, out var last))
        {
            // A class after the hyphen: the hyphen is itself.
            set.Add(first).Add('-').Add(other);
            return;
        }

        if (last < first) throw RegexParser.Refuse("a range whose ends are the wrong way round");
        set.Add(first, last);
    }

    /// <summary>One character, or (false) an escape that is a class and was added.</summary>
    private bool Single(CodePointSet set, ref int at, out int c)
    {
        c = _p[at];
        if (c != '\\')
        {
            at++;
            return true;
        }

        var escaped = Escape(ref at, inClass: true, out c);
        if (escaped is not null) set.Add(escaped);
        return escaped is null;
    }

    private bool TryPosix(ref int at, out CodePointSet set)
    {
        var end = at + 2;
        while (end < _p.Length && _p[end] != ':' && _p[end] != ']') end++;
        set = new CodePointSet();
        if (end + 1 >= _p.Length || _p[end] != ':' || _p[end + 1] != ']') return false;
        var name = Text(at + 2, end);
        var negated = name.StartsWith('^');
        if (negated) name = name[1..];
        if (name is not ("alpha" or "digit" or "space" or "word" or "xdigit") || !UnicodeProperties.TryGet(name, out var found))
            throw RegexParser.Refuse($"the class '[:{name}:]'");
        set = negated ? found.Invert() : found;
        at = end + 2;
        return true;
    }

    /// <summary>The escape at <paramref name="at"/>: a class, or null and the one character that it stands for.</summary>
    internal CodePointSet? Escape(ref int at, bool inClass, out int literal)
    {
        literal = -1;
        if (at + 1 >= _p.Length) throw RegexParser.Refuse("an expression that ends in a backslash");
        var c = _p[at + 1];
        at += 2;
        switch (c)
        {
            case 's': return UnicodeProperties.WhiteSpace();
            case 'S': return UnicodeProperties.WhiteSpace().Invert();
            case 'd': return UnicodeProperties.Category("Nd")!;
            case 'D': return UnicodeProperties.Category("Nd")!.Invert();
            case 'w': return UnicodeProperties.Word();
            case 'W': return UnicodeProperties.Word().Invert();
            case 'h': return CodePointSet.FromPairs(['0', '9', 'A', 'F', 'a', 'f']);
            case 'H': return CodePointSet.FromPairs(['0', '9', 'A', 'F', 'a', 'f']).Invert();
            case 'p' or 'P': return Property(ref at, c == 'P');
            case 'n': literal = '\n'; return null;
            case 'r': literal = '\r'; return null;
            case 't': literal = '\t'; return null;
            case 'f': literal = '\f'; return null;
            case 'v': literal = '\v'; return null;
            case 'a': literal = '\a'; return null;
            case 'e': literal = 0x1B; return null;
            case 'b' when inClass: literal = '\b'; return null;
            case 'x': literal = Hex(ref at, at < _p.Length && _p[at] == '{', 2); return null;
            case 'u': literal = Hex(ref at, false, 4); return null;
            case '0' when at >= _p.Length || _p[at] is < '0' or > '9': literal = 0; return null;
            default:
                if (c < 128 && char.IsAsciiLetterOrDigit((char)c)) throw RegexParser.Refuse($"'\\{(char)c}' in an expression");
                literal = c;
                return null;
        }
    }

    private CodePointSet Property(ref int at, bool negated)
    {
        var end = at;
        while (end < _p.Length && _p[end] != '}') end++;
        if (at >= _p.Length || _p[at] != '{' || end >= _p.Length) throw RegexParser.Refuse("'\\p' without braces");
        var name = Text(at + 1, end);
        at = end + 1;
        if (name.StartsWith('^'))
        {
            negated = !negated;
            name = name[1..];
        }

        if (!UnicodeProperties.TryGet(name, out var set)) throw RegexParser.Refuse($"the class '\\p{{{name}}}'");
        return negated ? set.Invert() : set;
    }

    private int Hex(ref int at, bool braced, int digits)
    {
        var end = braced ? Array.IndexOf(_p, '}', at) : Math.Min(at + digits, _p.Length);
        if (!braced && digits == 2)
        {
            end = at;
            while (end < _p.Length && end < at + 2 && _p[end] < 128 && char.IsAsciiHexDigit((char)_p[end])) end++;
        }

        var text = end < 0 ? "" : Text(braced ? at + 1 : at, end);
        if (text.Length is 0 or > 8 || !int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || (uint)value >= CodePointSet.Limit)
            throw RegexParser.Refuse("a malformed code point in an expression");
        at = braced ? end + 1 : end;
        return value;
    }

    private string Text(int first, int end) => string.Concat(_p[first..end].Select(char.ConvertFromUtf32));
}

namespace AiFabrik.Engine.Tests.Text.Fuzzing;

/// <summary>Changes a template tag by tag and word by word: statements and expressions away, doubled, swapped, or taken from another template.</summary>
internal static class TemplateMutator
{
    private static readonly string[] Words =
    [
        "messages", "message", "message.content", "message['role']", "tools", "loop.index0", "loop.last", "namespace()", "ns.x", "none", "true", "undefined", "x", "0", "-1", "1.5", "10**40", "99999999999999999999",
        "''", "'a' * 100000", "[1, 2, 3]", "{'a': [1]}", "range(100000)", "range(10, 0, -1)", "dict(a=1)", "cycler", "joiner()", "lipsum()", "strftime_now('%Y')", "raise_exception('no')", "caller()", "self", "varargs", "kwargs", "super()",
        "|tojson", "|tojson(indent=2)", "|length", "|join(',')", "|first", "|last", "|list", "|string", "|int", "|float", "|upper", "|trim", "|replace('a', 'b' * 1000)", "|map(attribute='content')", "|selectattr('role', 'equalto', 'user')",
        "|items", "|dictsort", "|groupby('role')", "|batch(2)", "|slice(3)", "|sort(reverse=true)", "|unique", "|indent(1000)", "|wordwrap(1)", "|center(100000)", "|format(1)", "|default('x')", "|safe", "|nope",
        "[0]", "[-1]", "[::-1]", "[1:]", "[::0]", ".split('a')", ".strip()", ".items()", ".get('a')", ".format(1)", ".nope", "+", "-", "*", "**", "/", "//", "%", "~", "==", "<", "in", "not", "and", "or", "is defined", "is mapping", "is nope",
        "if x else y", "(", ")", "[", "]", "{", "}", ",", ":", "=",
    ];

    private static readonly string[] Tags =
    [
        "{% for a in messages %}", "{% for a in range(9) recursive %}", "{{ loop(a) }}", "{% endfor %}", "{% else %}", "{% if x %}", "{% elif true %}", "{% endif %}", "{% set x = messages %}", "{% set ns.x = ns %}", "{% set x %}", "{% endset %}",
        "{% macro m(a, b=1) %}", "{% endmacro %}", "{{ m(m) }}", "{% call m() %}", "{% endcall %}", "{% filter upper %}", "{% endfilter %}", "{% break %}", "{% continue %}", "{% generation %}", "{% endgeneration %}", "{% with a = 1 %}", "{% endwith %}",
        "{% raw %}", "{% endraw %}", "{# c #}", "{%- block b -%}", "{% endblock %}", "{% include 'a' %}", "{% import 'a' as b %}", "{% extends 'a' %}", "{% do x.append(x) %}", "{% autoescape true %}",
    ];

    internal static string Mutate(Random random, string seed, string other)
    {
        var (tags, donors) = (Split(seed), Split(other));
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var at = random.Next(tags.Count + 1);
            var length = Math.Min(tags.Count - at, random.Next(1, 5));
            switch (random.Next(8))
            {
                case 0: tags.RemoveRange(at, length); break;
                case 1: tags.InsertRange(at, tags[at..(at + length)]); break;
                case 2 when donors.Count > 0:
                    var from = random.Next(donors.Count);
                    tags.InsertRange(at, donors[from..Math.Min(donors.Count, from + random.Next(1, 8))]);
                    break;
                case 3: tags.Insert(at, Tags[random.Next(Tags.Length)]); break;
                case 4 when length > 1: (tags[at], tags[at + 1]) = (tags[at + 1], tags[at]); break;
                default:
                    if (at < tags.Count && tags[at].StartsWith('{')) tags[at] = ChangeWords(random, tags[at]);
                    break;
            }
        }

        return string.Concat(tags);
    }

    private static string ChangeWords(Random random, string tag)
    {
        var words = new List<string>();
        for (var at = 0; at < tag.Length;)
        {
            var end = at + 1;
            if (char.IsLetterOrDigit(tag[at]) || tag[at] == '_')
            {
                while (end < tag.Length && (char.IsLetterOrDigit(tag[end]) || tag[end] == '_')) end++;
            }

            words.Add(tag[at..end]);
            at = end;
        }

        // Mostly inside the delimiters.
        var place = Math.Min(words.Count - 1, random.Next(2, Math.Max(3, words.Count - 1)));
        switch (random.Next(4))
        {
            case 0: words.RemoveAt(place); break;
            case 1: words[place] = Words[random.Next(Words.Length)]; break;
            case 2: words.Insert(place, words[random.Next(words.Count)]); break;
            default: words.Insert(place, Words[random.Next(Words.Length)]); break;
        }

        return string.Concat(words);
    }

    private static List<string> Split(string template)
    {
        var parts = new List<string>();
        for (var at = 0; at < template.Length;)
        {
            var open = template.IndexOf('{', at);
            if (open < 0 || open + 1 >= template.Length) open = template.Length;
            if (open > at) parts.Add(template[at..open]);
            if (open == template.Length) break;
            var close = template[open + 1] switch { '{' => "}}", '%' => "%}", '#' => "#}", _ => "" };
            var end = close.Length == 0 ? open + 1 : template.IndexOf(close, open, StringComparison.Ordinal) is >= 0 and var found ? found + 2 : template.Length;
            parts.Add(template[open..end]);
            at = end;
        }

        return parts;
    }
}

namespace AiFabrik.Engine.Tests.Text.Fuzzing;

/// <summary>Changes an expression item by item: what stands in brackets or after a backslash stays whole.</summary>
internal static class RegexMutator
{
    private static readonly string[] Fragments =
    [
        "a", "b", "c", " ", "\\s", "\\S", "\\d", "\\w", "\\W", "\\p{L}", "\\p{N}", "\\P{Lu}", "\\p{Han}", "\\p{Nope}", "\\r\\n", "[ab]", "[^a]", "[a-c\\s]", "[[:alpha:]]", "[a&&[b]]", "[^\\s\\p{L}\\p{N}]",
        ".", "^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z", "\\G", "\\K", "\\1", "\\x41", "\\x{1F600}", "\\u0041", "\u4e2d", "\U0001F600", "*", "+", "?", "*?", "+?", "??", "*+", "++", "?+",
        "{1,3}", "{0,}", "{2}", "{1000}", "{1001}", "{3,1}", "{,2}", "{", "}", "(", ")", "[", "]", "|", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i)", "(?i:", "(?m)", "(?x)", "(?-i)", "(?<n>", "(?P<n>", "(?#x)", "\\",
        "(a+)+", "(?:a|aa)+b", "(?:a?){20}a{20}", "a*a*a*b", "\\s+$", "(?=a*b)", "(?:ab*)*c", "(?:(?:a{30}){30}){30}", "(?:a|b|c){50}", "'(?i:[sdmt]|ll|ve|re)",
    ];

    internal static string Fragment(Random random) => Fragments[random.Next(Fragments.Length)];

    internal static string Mutate(Random random, string seed, string other)
    {
        var (items, donors) = (Items(seed), Items(other));
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var (at, length) = Part(random, items.Count);
            switch (random.Next(7))
            {
                case 0: items.RemoveRange(at, length); break;
                case 1: items.InsertRange(at, items[at..(at + length)]); break;
                case 2:
                    var (from, count) = Part(random, donors.Count);
                    items.InsertRange(at, donors[from..(from + count)]);
                    break;
                case 3:
                    items.Insert(at + length, ")" + Quantifier(random));
                    items.Insert(at, Fragments[Array.IndexOf(Fragments, "(?:") + random.Next(6)]);
                    break;
                case 4 when length > 0: items[at] = Fragment(random); break;
                case 5: items.Insert(at, "|"); break;
                default: items.Insert(at, Fragment(random)); break;
            }
        }

        return string.Concat(items);
    }

    private static string Quantifier(Random random) => random.Next(3) switch
    {
        0 => "",
        1 => "*+?"[random.Next(3)] + (random.Next(3) == 0 ? "?" : ""),
        _ => $"{{{random.Next(0, 4)},{random.Next(0, 40)}}}",
    };

    private static (int At, int Length) Part(Random random, int count)
    {
        var at = random.Next(count + 1);
        return (at, Math.Min(count - at, random.Next(1, 6)));
    }

    private static List<string> Items(string pattern)
    {
        var items = new List<string>();
        for (var at = 0; at < pattern.Length;)
        {
            var end = at + 1;
            if (pattern[at] == '\\' && at + 1 < pattern.Length)
            {
                end = at + 2;
                if (pattern[at + 1] is 'p' or 'P' or 'x' && pattern.IndexOf('}', at) is > 0 and var close && at + 2 < pattern.Length && pattern[at + 2] == '{') end = close + 1;
            }
            else if (pattern[at] == '[' && pattern.IndexOf(']', at) is > 0 and var bracket)
            {
                end = bracket + 1;
            }
            else if (char.IsHighSurrogate(pattern[at]) && at + 1 < pattern.Length)
            {
                end = at + 2;
            }

            items.Add(pattern[at..end]);
            at = end;
        }

        return items;
    }
}

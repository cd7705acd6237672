using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Regex;

internal enum RepeatMode
{
    Greedy,
    Lazy,
    Possessive,
}

internal enum AssertKind
{
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    TextEndOrFinalNewline,
    WordBorder,
    NotWordBorder,
}

/// <summary>A parsed expression.</summary>
internal abstract record RegexNode
{
    /// <summary>One character of a set.</summary>
    internal sealed record One(CodePointSet Set) : RegexNode;

    internal sealed record Sequence(List<RegexNode> Items) : RegexNode;

    /// <summary>The first alternative that leads to a match, not the longest.</summary>
    internal sealed record Alternation(List<RegexNode> Items) : RegexNode;

    /// <param name="Max">-1: unbounded.</param>
    internal sealed record Repeat(RegexNode Body, int Min, int Max, RepeatMode Mode) : RegexNode;

    internal sealed record Assert(AssertKind Kind) : RegexNode;

    internal sealed record Look(RegexNode Body, bool Behind, bool Negative) : RegexNode;

    internal sealed record Atomic(RegexNode Body) : RegexNode;

    /// <summary>Whether the empty text matches.</summary>
    internal static bool Nullable(RegexNode node) => node switch
    {
        One => false,
        Sequence s => s.Items.TrueForAll(Nullable),
        Alternation a => a.Items.Exists(Nullable),
        Repeat r => r.Min == 0 || Nullable(r.Body),
        Atomic a => Nullable(a.Body),
        _ => true,
    };

    /// <summary>Fewest and most characters of a match; most is -1 if unbounded.</summary>
    internal static (long Fewest, long Most) Width(RegexNode node)
    {
        switch (node)
        {
            case One: return (1, 1);
            case Atomic a: return Width(a.Body);
            case Repeat r:
                var (few, most) = Width(r.Body);
                return (few * r.Min, r.Max < 0 || most < 0 ? -1 : most * r.Max);
            case Sequence s:
                var sum = (Fewest: 0L, Most: 0L);
                foreach (var item in s.Items)
                {
                    var w = Width(item);
                    sum = (sum.Fewest + w.Fewest, sum.Most < 0 || w.Most < 0 ? -1 : sum.Most + w.Most);
                }

                return sum;
            case Alternation a:
                var all = (Fewest: long.MaxValue, Most: 0L);
                foreach (var item in a.Items)
                {
                    var w = Width(item);
                    all = (Math.Min(all.Fewest, w.Fewest), all.Most < 0 || w.Most < 0 ? -1 : Math.Max(all.Most, w.Most));
                }

                return all;
            default: return (0, 0);
        }
    }
}

/// <summary>Why an expression is refused: one sentence that names the construct.</summary>
internal sealed class RegexRefusedException(string message) : Exception(message);

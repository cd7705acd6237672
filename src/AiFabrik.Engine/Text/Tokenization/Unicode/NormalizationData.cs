using AiFabrik.Engine.Text.Tokenization.Regex;

namespace AiFabrik.Engine.Text.Tokenization.Unicode;

/// <summary>Decompositions, compositions and combining classes for lookup, from <see cref="Decompositions"/>.</summary>
internal static class NormalizationData
{
    internal const int HangulBase = 0xAC00, HangulCount = 11172, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    internal const int LeadCount = 19, VowelCount = 21, TrailCount = 28;
    private static readonly Dictionary<int, int> Canonical = [], Compatible = [];
    private static readonly Dictionary<long, int> Composed = [];
    private static readonly Dictionary<int, byte> Classes = [];

    static NormalizationData()
    {
        var entries = Decompositions.Entries;
        for (var i = 0; i < entries.Length; i += 1 + Length(entries[i]))
        {
            (entries[i] >> 27 != 0 ? Compatible : Canonical).Add(entries[i] & 0x1FFFFF, i);
        }

        var triples = Decompositions.Compositions;
        for (var i = 0; i < triples.Length; i += 3) Composed[(long)triples[i] << 32 | (uint)triples[i + 1]] = triples[i + 2];
        var classes = Decompositions.CombiningClasses;
        for (var i = 0; i < classes.Length; i += 3)
        {
            for (var c = classes[i]; c <= classes[i + 1]; c++) Classes.Add(c, (byte)classes[i + 2]);
        }
    }

    internal static int CombiningClass(int c) => c >= 0x300 && Classes.TryGetValue(c, out var value) ? value : 0;

    /// <summary>The full decomposition, empty if there is none. Hangul is not in it.</summary>
    internal static ReadOnlySpan<int> Decompose(int c, bool compatible)
    {
        if (c < 0xA0) return default;
        if ((!compatible || !Compatible.TryGetValue(c, out var at)) && !Canonical.TryGetValue(c, out at)) return default;
        var entries = Decompositions.Entries;
        return entries.Slice(at + 1, Length(entries[at]));
    }

    /// <summary>The composition of two code points, or -1.</summary>
    internal static int Compose(int first, int second)
    {
        if (first - LeadBase is >= 0 and < LeadCount && second - VowelBase is >= 0 and < VowelCount)
            return HangulBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TrailCount;
        if (first - HangulBase is >= 0 and < HangulCount && (first - HangulBase) % TrailCount == 0 && second - TrailBase is > 0 and < TrailCount)
            return first + second - TrailBase;
        return Composed.TryGetValue((long)first << 32 | (uint)second, out var c) ? c : -1;
    }

    /// <summary>Code points that a form may change, or that may change with what stands before them.</summary>
    internal static CharClass Unstable(bool composes, bool compatible)
    {
        var set = new CodePointSet();
        var composites = Composed.Values.ToHashSet();
        foreach (var c in Classes.Keys) set.Add(c);
        foreach (var c in Canonical.Keys)
        {
            if (!composes || !composites.Contains(c)) set.Add(c);
        }

        if (compatible)
        {
            foreach (var c in Compatible.Keys) set.Add(c);
        }

        if (composes)
        {
            foreach (var pair in Composed.Keys) set.Add((int)(uint)pair);
            set.Add(VowelBase, VowelBase + VowelCount - 1).Add(TrailBase + 1, TrailBase + TrailCount - 1);
        }
        else
        {
            set.Add(HangulBase, HangulBase + HangulCount - 1);
        }

        return new CharClass(set);
    }

    private static int Length(int header) => header >> 21 & 63;
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Code points as Python's string methods see them.</summary>
internal static class UnicodeText
{
    /// <summary>The longest mapping of one code point.</summary>
    public const int MappingMax = 3;

    public static bool IsSpace(int codePoint) => codePoint switch
    {
        >= 0x09 and <= 0x0D or >= 0x1C and <= 0x20 => true,
        < 0x85 => false,
        0x85 or 0xA0 or 0x1680 or >= 0x2000 and <= 0x200A or 0x2028 or 0x2029 or 0x202F or 0x205F or 0x3000 => true,
        _ => false,
    };

    /// <summary>Whether a line ends there, for <c>splitlines</c>.</summary>
    public static bool IsLineBreak(int codePoint) =>
        codePoint is >= 0x0A and <= 0x0D or >= 0x1C and <= 0x1E or 0x85 or 0x2028 or 0x2029;

    public static bool IsPrintable(int codePoint) =>
        codePoint < 0x7F ? codePoint >= 0x20 : Contains(CharacterSets.Printable, codePoint);

    public static bool IsAlphabetic(int codePoint) => Contains(CharacterSets.Alphabetic, codePoint);
    public static bool IsDecimal(int codePoint) => Contains(CharacterSets.Decimal, codePoint);
    public static bool IsDigit(int codePoint) => Contains(CharacterSets.Digit, codePoint);
    public static bool IsNumeric(int codePoint) => Contains(CharacterSets.Numeric, codePoint);
    public static bool IsLower(int codePoint) => Contains(CharacterSets.Lowercase, codePoint);
    public static bool IsUpper(int codePoint) => Contains(CharacterSets.Uppercase, codePoint);
    public static bool IsTitle(int codePoint) => Contains(CharacterSets.Titlecase, codePoint);
    public static bool IsCased(int codePoint) => IsLower(codePoint) || IsUpper(codePoint) || IsTitle(codePoint);
    public static bool IsCaseIgnorable(int codePoint) => Contains(CharacterSets.CaseIgnorable, codePoint);
    public static bool IsAlphanumeric(int codePoint) => IsAlphabetic(codePoint) || IsDigit(codePoint) || IsNumeric(codePoint);

    /// <summary>A letter, digit or underscore: <c>\w</c>.</summary>
    public static bool IsWord(int codePoint) => codePoint == '_' || IsAlphanumeric(codePoint);

    private static bool Contains(ReadOnlySpan<int> ranges, int codePoint)
    {
        int low = 0;
        int high = (ranges.Length / 2) - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (codePoint < ranges[2 * middle]) high = middle - 1;
            else if (codePoint > ranges[(2 * middle) + 1]) low = middle + 1;
            else return true;
        }

        return false;
    }

    /// <summary>Writes the mapping of a code point; returns how many code points it is.</summary>
    public static int Map(CaseMapping mapping, int codePoint, Span<int> output)
    {
        output[0] = codePoint;
        if (codePoint < 0x80)
        {
            bool toUpper = mapping is CaseMapping.Upper or CaseMapping.Title;
            if (toUpper && codePoint is >= 'a' and <= 'z') output[0] = codePoint - 32;
            if (!toUpper && codePoint is >= 'A' and <= 'Z') output[0] = codePoint + 32;
            return 1;
        }

        ReadOnlySpan<int> special = Special(mapping);
        for (int i = 0; i < special.Length; i += 4)
        {
            if (special[i] != codePoint) continue;
            special.Slice(i + 1, 3).CopyTo(output);
            return special[i + 3] != 0 ? 3 : special[i + 2] != 0 ? 2 : 1;
        }

        output[0] = Simple(Single(mapping), codePoint);
        return 1;
    }

    private static int Simple(ReadOnlySpan<int> ranges, int codePoint)
    {
        int low = 0;
        int high = (ranges.Length / 4) - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            ReadOnlySpan<int> range = ranges.Slice(4 * middle, 4);
            if (codePoint < range[0]) high = middle - 1;
            else if (codePoint > range[1]) low = middle + 1;
            else return (codePoint - range[0]) % range[2] == 0 ? codePoint + range[3] : codePoint;
        }

        return codePoint;
    }

    private static ReadOnlySpan<int> Special(CaseMapping mapping) => mapping switch
    {
        CaseMapping.Upper => CaseMappings.UpperSpecial,
        CaseMapping.Lower => CaseMappings.LowerSpecial,
        CaseMapping.Title => CaseMappings.TitleSpecial,
        _ => CaseMappings.FoldSpecial,
    };

    private static ReadOnlySpan<int> Single(CaseMapping mapping) => mapping switch
    {
        CaseMapping.Upper => CaseMappings.Upper,
        CaseMapping.Lower => CaseMappings.Lower,
        CaseMapping.Title => CaseMappings.Title,
        _ => CaseMappings.Fold,
    };
}

internal enum CaseMapping
{
    Upper,
    Lower,
    Title,
    Fold,
}

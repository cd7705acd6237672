using System.Diagnostics.CodeAnalysis;

namespace AiFabrik.Engine.Text.Tokenization.Unicode;

/// <summary>Classes of Unicode 16 by name: general categories, scripts, and the few others that expressions use.</summary>
internal static class UnicodeProperties
{
    private static readonly string[] Short =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ];

    private static readonly string[] Long =
    [
        "UppercaseLetter", "LowercaseLetter", "TitlecaseLetter", "ModifierLetter", "OtherLetter", "NonspacingMark", "SpacingMark",
        "EnclosingMark", "DecimalNumber", "LetterNumber", "OtherNumber", "ConnectorPunctuation", "DashPunctuation", "OpenPunctuation",
        "ClosePunctuation", "InitialPunctuation", "FinalPunctuation", "OtherPunctuation", "MathSymbol", "CurrencySymbol",
        "ModifierSymbol", "OtherSymbol", "SpaceSeparator", "LineSeparator", "ParagraphSeparator", "Control", "Format", "Surrogate",
        "PrivateUse", "Unassigned",
    ];

    private static readonly (string Name, string Short)[] Groups =
    [
        ("Letter", "L"), ("Mark", "M"), ("Number", "N"), ("Punctuation", "P"), ("Symbol", "S"), ("Separator", "Z"), ("Other", "C"),
    ];

    /// <summary>White space: 25 code points.</summary>
    internal static CodePointSet WhiteSpace() =>
        CodePointSet.FromPairs([9, 13, 32, 32, 0x85, 0x85, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000]);

    /// <summary>What <c>\w</c> matches in Oniguruma: alphabetic, marks, all numbers, connectors.</summary>
    internal static CodePointSet Word() =>
        CodePointSet.FromPairs(CharacterSets.Alphabetic).Add(Category("M")!).Add(Category("N")!).Add(Category("Pc")!);

    /// <summary>What <c>\w</c> matches where the reference uses Rust's expressions: only decimal digits, and the two joiners.</summary>
    internal static CodePointSet RustWord() =>
        CodePointSet.FromPairs(CharacterSets.Alphabetic).Add(Category("M")!).Add(Category("Nd")!).Add(Category("Pc")!).Add(0x200C, 0x200D);

    /// <summary>A general category by its short name; one letter is the whole group.</summary>
    internal static CodePointSet? Category(string name)
    {
        uint wanted = 0;
        for (var i = 0; i < Short.Length; i++)
        {
            var matches = name.Length == 1
                ? char.ToUpperInvariant(name[0]) == Short[i][0]
                : name.Equals(Short[i], StringComparison.OrdinalIgnoreCase)
                    || (name.Equals("LC", StringComparison.OrdinalIgnoreCase) && i < 3);
            if (matches) wanted |= 1u << i;
        }

        if (wanted == 0) return null;
        var set = new CodePointSet();
        var starts = GeneralCategories.Starts;
        for (var i = 0; i < starts.Length; i++)
        {
            if ((wanted >> (int)(starts[i] & 31) & 1) == 0) continue;
            var end = i + 1 < starts.Length ? (int)(starts[i + 1] >> 5) : CodePointSet.Limit;
            set.Add((int)(starts[i] >> 5), end - 1);
        }

        return set;
    }

    /// <summary>A class by the name inside <c>\p{…}</c>; case, spaces, hyphens and underscores do not count.</summary>
    internal static bool TryGet(string name, [NotNullWhen(true)] out CodePointSet? set)
    {
        var plain = name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        set = plain.ToUpperInvariant() switch
        {
            "ANY" => new CodePointSet().Invert(),
            "ASSIGNED" => Category("Cn")!.Invert(),
            "ALPHABETIC" or "ALPHA" => CodePointSet.FromPairs(CharacterSets.Alphabetic),
            "DIGIT" => Category("Nd"),
            "SPACE" or "WHITESPACE" => WhiteSpace(),
            "WORD" => Word(),
            "XDIGIT" => CodePointSet.FromPairs(['0', '9', 'A', 'F', 'a', 'f']),
            _ => null,
        };
        if (set is null && plain.Length is 1 or 2) set = Category(plain);
        for (var i = 0; set is null && i < Long.Length; i++)
        {
            if (plain.Equals(Long[i], StringComparison.OrdinalIgnoreCase)) set = Category(Short[i]);
        }

        for (var i = 0; set is null && i < Groups.Length; i++)
        {
            if (plain.Equals(Groups[i].Name, StringComparison.OrdinalIgnoreCase)) set = Category(Groups[i].Short);
        }

        set ??= Script(plain);
        return set is not null;
    }

    private static CodePointSet? Script(string name)
    {
        var index = Array.FindIndex(Scripts.Names, n => n.Length > 0 && n.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (index < 0) return null;
        var set = new CodePointSet();
        var starts = Scripts.Starts;
        for (var i = 0; i < starts.Length; i++)
        {
            if ((starts[i] & 255) != index) continue;
            var end = i + 1 < starts.Length ? (int)(starts[i + 1] >> 8) : CodePointSet.Limit;
            set.Add((int)(starts[i] >> 8), end - 1);
        }

        return set;
    }
}

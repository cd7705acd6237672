using System.Globalization;
using System.Text;
using AiFabrik.Engine.Text;

namespace AiFabrik.Engine.Models;

/// <summary>A row of <see cref="ModelVerifier"/>: which bytes of a text no token can give.</summary>
internal static class ByteCoverage
{
    internal static (ModelVerdict, string) Check(Tokenizer tokenizer)
    {
        var fate = tokenizer.HasUnknownToken ? "become the unknown token" : "are dropped";
        if (!tokenizer.CoversBytes) return (ModelVerdict.Warning, $"no tokens for single bytes: characters that the vocabulary lacks {fate}");
        var missing = tokenizer.UncoveredBytes();
        return missing.Length == 0
            ? (ModelVerdict.Ok, "every byte has a token")
            : (ModelVerdict.Warning, string.Create(CultureInfo.InvariantCulture, $"{missing.Length} byte values have no token and {fate}: {Ranges(missing)}"));
    }

    /// <summary>Ascending values as <c>0x04 0x13-0x14</c>.</summary>
    private static string Ranges(ReadOnlySpan<byte> values)
    {
        var text = new StringBuilder();
        for (var i = 0; i < values.Length;)
        {
            var end = i;
            while (end + 1 < values.Length && values[end + 1] == values[end] + 1) end++;
            text.Append(CultureInfo.InvariantCulture, $"{(i > 0 ? " " : "")}0x{values[i]:X2}");
            if (end > i) text.Append(CultureInfo.InvariantCulture, $"-0x{values[end]:X2}");
            i = end + 1;
        }

        return text.ToString();
    }
}

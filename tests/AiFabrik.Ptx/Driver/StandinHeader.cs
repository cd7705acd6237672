using System.Globalization;
using System.Text.RegularExpressions;

namespace AiFabrik.Ptx;

/// <summary>The directives that a driver reads before it compiles, from the text: the machine itself has no use for them.</summary>
internal static partial class StandinHeader
{
    /// <summary>10 · major + minor of a pattern's numbers, or of its one number; −1 where the text has none.</summary>
    public static int Version(string text) => Two(VersionPattern().Match(text));

    /// <summary>10 · major + minor of the architecture; −1 where there is none.</summary>
    public static int Target(string text) => TargetPattern().Match(text) is { Success: true } match ? Number(match.Groups[1]) : -1;

    /// <summary>Threads that a block of a kernel may have at most.</summary>
    public static int ThreadsMax(string text, string kernel)
    {
        int start = text.IndexOf(".entry " + kernel, StringComparison.Ordinal);
        int threads = 1;
        if (start < 0 || ThreadsPattern().Match(text[start..text.IndexOf('{', start)]) is not { Success: true } match)
        {
            return StandinAttributes.ThreadsPerBlock;
        }
        for (int i = 1; i < match.Groups.Count; i++)
        {
            threads *= match.Groups[i].Success ? Number(match.Groups[i]) : 1;
        }
        return threads;
    }

    private static int Two(System.Text.RegularExpressions.Match match) => match.Success ? Number(match.Groups[1]) * 10 + Number(match.Groups[2]) : -1;

    private static int Number(Group group) => int.Parse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\.version\s+(\d+)\.(\d+)")]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"\.target\s+sm_(\d+)")]
    private static partial Regex TargetPattern();

    [GeneratedRegex(@"\.(?:maxntid|reqntid)\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?")]
    private static partial Regex ThreadsPattern();
}

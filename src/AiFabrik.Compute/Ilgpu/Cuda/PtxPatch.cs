using System.Globalization;
using System.Text;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>
/// The one place where PTX that ILGPU has emitted is changed. ILGPU 1.5.3 writes <c>.target sm_80</c> at most, puts <c>.extern .shared</c> declarations into
/// function bodies (a syntax error for ptxas), gives parameters and labels
/// names with counters in them, so that equal kernels have unequal texts, and does not tell ptxas how large groups are.
/// </summary>
internal static class PtxPatch
{
    /// <summary>The name that <see cref="Normalise"/> gives the kernel.</summary>
    public const string EntryName = "kernel";

    /// <summary>Retargets, moves shared declarations, normalises, and bounds the group where its threads are known, in that order.</summary>
    /// <param name="ptx">ILGPU's text with exactly one kernel.</param>
    /// <param name="target">Such as <c>sm_80</c> or <c>sm_90a</c>.</param>
    /// <param name="threads">Threads of a group, or 0.</param>
    /// <param name="groups">Groups that shall be resident on a multiprocessor.</param>
    public static string Apply(string ptx, string target, int threads = 0, int groups = 1)
    {
        string patched = Normalise(HoistSharedDeclarations(Retarget(ptx, target)));
        return threads > 0 ? BoundGroup(patched, threads, groups) : patched;
    }

    /// <summary>
    /// Tells ptxas how large groups are and how many shall be resident (<c>.maxntid</c>, <c>.minnctapersm</c>). Without, it leaves room for 1024 threads:
    /// 64 registers, and to keep to them it moves loads behind the arithmetic of earlier ones, so that half as many bytes are on the way.
    /// </summary>
    /// <exception cref="ArgumentException">The text does not have exactly one kernel, or it has bounds already.</exception>
    public static string BoundGroup(string ptx, int threads, int groups)
    {
        int entry = ptx.IndexOf(FindEntry(ptx), StringComparison.Ordinal);
        int body = ptx.IndexOf('{', entry);
        if (body < 0 || ptx.AsSpan(entry, body - entry).Contains(".maxntid", StringComparison.Ordinal))
        {
            throw new ArgumentException("The kernel has no body, or has bounds already.", nameof(ptx));
        }
        return string.Create(CultureInfo.InvariantCulture, $"{ptx.AsSpan(0, body)}.maxntid {threads}, 1, 1\n.minnctapersm {groups}\n{ptx.AsSpan(body)}");
    }

    /// <summary>Replaces the module's <c>.target</c>; the <c>.version</c> is raised where the target needs it (PTX ISA, "Target ISA notes").</summary>
    /// <exception cref="ArgumentException">The target is none, or the text has no <c>.target</c> line or several.</exception>
    public static string Retarget(string ptx, string target)
    {
        (int Major, int Minor) needed = VersionFor(target);
        string[] lines = ptx.Split('\n');
        int found = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            ReadOnlySpan<char> line = lines[i].AsSpan().Trim();
            if (line.StartsWith(".target ", StringComparison.Ordinal))
            {
                lines[i] = ".target " + target;
                found++;
            }
            else if (line.StartsWith(".version ", StringComparison.Ordinal))
            {
                lines[i] = ".version " + Newer(line[".version ".Length..].Trim(), needed);
            }
        }
        return found == 1 ? string.Join('\n', lines) : throw new ArgumentException($"The text has {found} .target lines.", nameof(ptx));
    }

    /// <summary>Moves <c>.extern .shared</c> declarations from function bodies to the module, once each, before the first function.</summary>
    public static string HoistSharedDeclarations(string ptx)
    {
        string[] lines = ptx.Split('\n');
        var moved = new List<string>();
        var kept = new List<string>(lines.Length);
        int depth = 0, firstFunction = -1;
        foreach (string line in lines)
        {
            string text = line.Trim();
            if (depth > 0 && text.StartsWith(".extern .shared ", StringComparison.Ordinal) && text.EndsWith(';'))
            {
                if (!moved.Contains(text))
                {
                    moved.Add(text);
                }
                continue;
            }
            if (depth == 0 && firstFunction < 0 && IsFunction(text))
            {
                firstFunction = kept.Count;
            }
            foreach (char c in line)
            {
                depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            }
            kept.Add(line);
        }
        if (moved.Count == 0)
        {
            return ptx;
        }
        kept.InsertRange(Math.Max(firstFunction, 0), moved);
        return string.Join('\n', kept);
    }

    /// <summary>
    /// Gives the only kernel the name <see cref="EntryName"/>, and its parameters and labels (whose names hold node numbers) numbers in the order of
    /// their first appearance. Comments go, since they hold the same numbers.
    /// </summary>
    /// <exception cref="ArgumentException">The text does not have exactly one kernel.</exception>
    public static string Normalise(string ptx)
    {
        string entry = FindEntry(ptx);
        var names = new Dictionary<string, string>(StringComparer.Ordinal) { [entry] = EntryName };
        var result = new StringBuilder(ptx.Length);
        foreach (string line in ptx.Split('\n'))
        {
            int comment = line.IndexOf("//", StringComparison.Ordinal);
            ReadOnlySpan<char> text = (comment < 0 ? line.AsSpan() : line.AsSpan(0, comment)).TrimEnd();
            if (!text.IsEmpty)
            {
                RenameLine(text, names, result);
                result.Append('\n');
            }
        }
        return result.ToString();
    }

    /// <summary>The name of the only kernel.</summary>
    /// <exception cref="ArgumentException">There is none, or several.</exception>
    public static string FindEntry(string ptx)
    {
        const string Mark = ".entry ";
        int at = ptx.IndexOf(Mark, StringComparison.Ordinal);
        if (at < 0 || ptx.IndexOf(Mark, at + 1, StringComparison.Ordinal) >= 0)
        {
            throw new ArgumentException("The text must have exactly one kernel.", nameof(ptx));
        }
        int start = at + Mark.Length;
        while (char.IsWhiteSpace(ptx[start]))
        {
            start++;
        }
        int end = start;
        while (end < ptx.Length && IsNameCharacter(ptx[end]))
        {
            end++;
        }
        return ptx[start..end];
    }

    private static bool IsFunction(string text) =>
        text.Contains(".entry ", StringComparison.Ordinal) || text.StartsWith(".func ", StringComparison.Ordinal) || text.StartsWith(".visible .func ", StringComparison.Ordinal);

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%';

    private static void RenameLine(ReadOnlySpan<char> text, Dictionary<string, string> names, StringBuilder result)
    {
        int at = 0;
        while (at < text.Length)
        {
            int end = at;
            while (end < text.Length && IsNameCharacter(text[end]))
            {
                end++;
            }
            if (end == at)
            {
                result.Append(text[at++]);
                continue;
            }
            string word = text[at..end].ToString();
            result.Append(names.TryGetValue(word, out string? name) ? name : Rename(word, names));
            at = end;
        }
    }

    /// <summary>Parameters start with the function's name or <c>_</c>, labels with <c>L_</c>; all else is kept.</summary>
    private static string Rename(string word, Dictionary<string, string> names)
    {
        bool generated = word.StartsWith("L_", StringComparison.Ordinal) || (word[0] == '_' && word.Length > 1 && char.IsAsciiLetter(word[1]) && char.IsAsciiDigit(word[^1]));
        if (!generated)
        {
            return word;
        }
        string name = string.Create(CultureInfo.InvariantCulture, $"{(word[0] == 'L' ? "L" : "p")}_{names.Count}");
        names.Add(word, name);
        return name;
    }

    private static (int Major, int Minor) VersionFor(string target) => target switch
    {
        "sm_80" => (7, 0),
        "sm_86" => (7, 1),
        "sm_87" => (7, 4),
        "sm_89" or "sm_90" => (7, 8),
        "sm_90a" => (8, 0),
        "sm_100" or "sm_100a" => (8, 6),
        "sm_120" or "sm_120a" => (8, 7),
        _ => throw new ArgumentException("The target is not known.", nameof(target)),
    };

    private static string Newer(ReadOnlySpan<char> version, (int Major, int Minor) needed)
    {
        int dot = version.IndexOf('.');
        int major = int.Parse(version[..dot], CultureInfo.InvariantCulture), minor = int.Parse(version[(dot + 1)..], CultureInfo.InvariantCulture);
        (int Major, int Minor) result = (major, minor).CompareTo(needed) >= 0 ? (major, minor) : needed;
        return string.Create(CultureInfo.InvariantCulture, $"{result.Major}.{result.Minor}");
    }
}

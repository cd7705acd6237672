using System.Globalization;
using System.Text.RegularExpressions;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>What ptxas says of a kernel.</summary>
internal sealed record Resources(int Registers, int SharedBytes, int StackBytes, int SpillBytes)
{
    public static Resources Parse(string messages)
    {
        int Number(string pattern) => Regex.Match(messages, pattern) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
        return new Resources(Number(@"Used (\d+) registers"), Number(@"(\d+) bytes smem"), Number(@"(\d+) bytes stack frame"),
            Number(@"(\d+) bytes spill stores") + Number(@"(\d+) bytes spill loads"));
    }
}

/// <summary>A kernel's machine code, as nvdisasm prints it, and its inner loop: the shortest loop with most of the marked instructions.</summary>
internal sealed partial class MachineCode
{
    private readonly List<string> _instructions = [];
    private readonly List<(int Start, int End)> _loops = [];

    public MachineCode(string text)
    {
        var labels = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n'))
        {
            if (Label().Match(line) is { Success: true } label)
            {
                labels[label.Groups[1].Value] = _instructions.Count;
            }
            else if (Instruction().Match(line) is { Success: true } instruction)
            {
                string code = instruction.Groups[1].Value;
                // A branch backwards closes a loop; a branch to itself is the padding after the end.
                if (Branch().Match(code) is { Success: true } branch && labels.TryGetValue(branch.Groups[1].Value, out int start) && start < _instructions.Count)
                {
                    _loops.Add((start, _instructions.Count));
                }
                _instructions.Add(code);
            }
        }
    }

    /// <summary>All instructions.</summary>
    public int Length => _instructions.Count;

    /// <summary>Instructions whose opcode starts so, in the whole kernel.</summary>
    public int Count(string opcode) => _instructions.Count(i => Is(i, opcode));

    /// <summary>Instructions of the loop that holds most of <paramref name="opcode"/>, the shortest of those; empty where none does.</summary>
    public IReadOnlyList<string> InnerLoop(string opcode)
    {
        IReadOnlyList<string> best = [];
        int most = 0;
        foreach ((int start, int end) in _loops.OrderBy(l => l.End - l.Start))
        {
            List<string> body = _instructions.GetRange(start, end - start + 1);
            int count = body.Count(i => Is(i, opcode));
            if (count > most)
            {
                (best, most) = (body, count);
            }
        }
        return best;
    }

    /// <summary>Whether an instruction, its predicate aside, has this opcode or one that goes on with a dot.</summary>
    public static bool Is(string instruction, string opcode)
    {
        ReadOnlySpan<char> text = instruction;
        if (text.StartsWith("@", StringComparison.Ordinal))
        {
            text = text[(text.IndexOf(' ') + 1)..].TrimStart();
        }
        return text.StartsWith(opcode, StringComparison.Ordinal) && (text.Length == opcode.Length || text[opcode.Length] is '.' or ' ' or ';');
    }

    [GeneratedRegex(@"^\s*(\.L_x?_?\w+):")]
    private static partial Regex Label();

    [GeneratedRegex(@"^\s*/\*[0-9a-f]{4,}\*/\s+(.+?;)")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"BRA.*?`\((\.L_\w+)\)")]
    private static partial Regex Branch();
}

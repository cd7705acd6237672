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
    private readonly Dictionary<string, int> _labels = new(StringComparer.Ordinal);

    public MachineCode(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            if (Label().Match(line) is { Success: true } label)
            {
                _labels[label.Groups[1].Value] = _instructions.Count;
            }
            else if (Instruction().Match(line) is { Success: true } instruction)
            {
                string code = instruction.Groups[1].Value;
                // A branch backwards closes a loop; a branch to itself is the padding after the end.
                if (Branch().Match(code) is { Success: true } branch && _labels.TryGetValue(branch.Groups[1].Value, out int start) && start < _instructions.Count)
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
        (int start, int count) = Inner(opcode);
        return _instructions.GetRange(start, count);
    }

    /// <summary>
    /// <see cref="InnerLoop"/> as most rounds go through it: without what a branch jumps over, unless that holds <paramref name="opcode"/> or copies to shared memory other than
    /// those that fill up with zeros.
    /// </summary>
    public IReadOnlyList<string> UsualRound(string opcode)
    {
        (int start, int count) = Inner(opcode);
        bool[] seldom = new bool[count];
        for (int i = 0; i < count; i++)
        {
            if (!_instructions[start + i].StartsWith('@') || Branch().Match(_instructions[start + i]) is not { Success: true } branch || !_labels.TryGetValue(branch.Groups[1].Value, out int target))
            {
                continue;
            }
            int jumped = target - start - i - 1;
            if (jumped > 0 && target <= start + count && !_instructions.GetRange(start + i + 1, jumped).Any(x => Is(x, opcode) || (Is(x, "LDGSTS") && !FillsUp(x))))
            {
                Array.Fill(seldom, true, i + 1, jumped);
            }
        }
        return [.. _instructions.GetRange(start, count).Where((_, i) => !seldom[i])];
    }

    /// <summary>Whether a copy has a predicate as its last operand: where it does not hold, zeros are written.</summary>
    private static bool FillsUp(string instruction) => instruction.TrimEnd(';', ' ')[^2] == 'P';

    /// <summary>The loop with most of an opcode, the shortest of those.</summary>
    private (int Start, int Count) Inner(string opcode)
    {
        (int Start, int Count) best = (0, 0);
        int most = 0;
        foreach ((int start, int end) in _loops.OrderBy(l => l.End - l.Start))
        {
            int count = _instructions.GetRange(start, end - start + 1).Count(i => Is(i, opcode));
            if (count > most)
            {
                (best, most) = ((start, end - start + 1), count);
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

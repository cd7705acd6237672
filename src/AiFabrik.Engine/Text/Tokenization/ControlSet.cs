namespace AiFabrik.Engine.Text;

/// <summary>The added tokens that count as control: recognised in trusted text only.</summary>
public sealed class ControlSet
{
    private readonly HashSet<int> _ids;

    internal ControlSet(IEnumerable<int> ids) => _ids = [.. ids];

    public int Count => _ids.Count;

    public bool Contains(int id) => _ids.Contains(id);
}

/// <summary>Where a stretch of text came from: decides whether control tokens are recognised in it.</summary>
/// <param name="Length">In bytes. Consecutive runs cover the whole text.</param>
/// <param name="IsTrusted">Whether the host wrote it (a template's text), not a request.</param>
public readonly record struct TextRun(int Length, bool IsTrusted);

namespace AiFabrik.Engine.Text;

/// <summary>The added tokens that count as control: recognised in trusted text only.</summary>
public sealed class ControlSet
{
    private readonly HashSet<int> _ids;

    internal ControlSet(IEnumerable<int> ids) => _ids = [.. ids];

    public int Count => _ids.Count;

    public bool Contains(int id) => _ids.Contains(id);
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Built-ins by name. Names come as a template's text or as the bytes of a value.</summary>
internal sealed class BuiltInTable
{
    private readonly Dictionary<string, BuiltIn> _byName = new(StringComparer.Ordinal);
    private readonly BuiltIn[] _all;

    public BuiltInTable(params BuiltIn[][] groups)
    {
        _all = [.. groups.SelectMany(group => group)];
        foreach (BuiltIn item in _all) _byName.Add(System.Text.Encoding.UTF8.GetString(item.Name), item);
    }

    public BuiltIn? Find(string name) => _byName.GetValueOrDefault(name);

    public BuiltIn? Find(ReadOnlySpan<byte> name)
    {
        foreach (BuiltIn item in _all)
        {
            if (name.SequenceEqual(item.Name)) return item;
        }

        return null;
    }
}

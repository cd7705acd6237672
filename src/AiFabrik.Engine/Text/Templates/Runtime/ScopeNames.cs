namespace AiFabrik.Engine.Text.Templates;

/// <summary>The variables that one scope of a template may hold: its targets, parameters and sets.</summary>
internal sealed class ScopeNames(int index)
{
    private int[] _names = [];

    /// <summary>Its place among the template's scopes.</summary>
    public int Index => index;

    public int Count => _names.Length;

    public void Add(int name)
    {
        if (SlotOf(name) < 0) _names = [.. _names, name];
    }

    public int SlotOf(int name) => Array.IndexOf(_names, name);
}

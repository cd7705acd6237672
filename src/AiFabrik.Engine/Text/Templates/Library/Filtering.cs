namespace AiFabrik.Engine.Text.Templates;

/// <summary>All filters.</summary>
internal static class Filtering
{
    private static readonly BuiltInTable Table = new(
        StringFilters.All, NumberFilters.All, ListFilters.All, SortFilters.All, MapFilters.All, TextFilters.All, JsonFilter.All);

    public static BuiltIn? Find(string name) => Table.Find(name);

    public static BuiltIn? Find(ReadOnlySpan<byte> name) => Table.Find(name);
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>The methods of all kinds of values.</summary>
internal static class Methods
{
    private static readonly List<MethodGroup> Groups = [];
    private static readonly List<byte[]> Names = [];
    private static readonly Dictionary<string, int> ByName = new(StringComparer.Ordinal);

    static Methods()
    {
        Add(Kind.Str, StringMethods.All);
        Add(Kind.Dict, CollectionMethods.OfDict);
        Add(Kind.List, CollectionMethods.OfList);
        Add(Kind.Tuple, CollectionMethods.OfTuple);
        Add(Kind.Range, CollectionMethods.OfTuple);
        Add(Kind.Bytes, CollectionMethods.OfBytes);
        Add(Kind.Global, CollectionMethods.OfGlobal);
        foreach (Kind kind in (ReadOnlySpan<Kind>)[Kind.Int, Kind.Bool, Kind.BigInt]) Add(kind, CollectionMethods.OfInteger);
        Add(Kind.Float, CollectionMethods.OfFloat);
        Add(Kind.Loop, [new("cycle", Loops.Cycle), new("changed", Loops.Changed)]);
        Add(Kind.Cycler, [new("next", "self", Cyclers.Next), new("reset", "self", Cyclers.Reset)]);
    }

    private static void Add(Kind owner, BuiltIn[] methods)
    {
        foreach (BuiltIn method in methods)
        {
            string name = System.Text.Encoding.UTF8.GetString(method.Name);
            if (!ByName.TryGetValue(name, out int index))
            {
                index = Groups.Count;
                ByName.Add(name, index);
                Groups.Add(new MethodGroup());
                Names.Add(method.Name);
            }

            Groups[index].Add(owner, method);
        }
    }

    public static MethodGroup? Find(string name) => ByName.TryGetValue(name, out int index) ? Groups[index] : null;

    public static MethodGroup? Find(ReadOnlySpan<byte> name) => IndexOf(name) is >= 0 and int index ? Groups[index] : null;

    public static int IndexOf(ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < Names.Count; i++)
        {
            if (name.SequenceEqual(Names[i])) return i;
        }

        return -1;
    }

    public static MethodGroup At(int index) => Groups[index];
}

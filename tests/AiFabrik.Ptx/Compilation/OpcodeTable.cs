namespace AiFabrik.Ptx;

/// <summary>The first word of an opcode to what decodes it. What is not here is refused by name and line.</summary>
internal static class OpcodeTable
{
    private static readonly Dictionary<string, Action<OperationContext>> s_builders = Make();

    private static Dictionary<string, Action<OperationContext>> Make()
    {
        var table = new Dictionary<string, Action<OperationContext>>(StringComparer.Ordinal);
        IntegerBuilders.Register(table);
        FloatBuilders.Register(table);
        CompareBuilders.Register(table);
        ConvertBuilders.Register(table);
        MoveBuilders.Register(table);
        MemoryBuilders.Register(table);
        ControlBuilders.Register(table);
        CollectiveBuilders.Register(table);
        MatrixBuilders.Register(table);
        AsyncBuilders.Register(table);
        WarpGroupBuilders.Register(table);
        return table;
    }

    public static void Compile(OperationContext context)
    {
        if (!s_builders.TryGetValue(context.Name, out Action<OperationContext>? build))
        {
            throw context.Refuse("is not known here");
        }
        try
        {
            build(context);
        }
        catch (Exception failure) when (failure is ArgumentException or InvalidOperationException)
        {
            // A type that the operation is not defined for, such as shl.f32.
            throw context.Refuse("has a type that it cannot have");
        }
        context.ExpectAllTaken();
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>The functions that every template sees.</summary>
internal static class GlobalFunctions
{
    private static readonly BuiltIn[] All =
    [
        new("range", Ranges.Call),
        new("dict", Dict),
        new("namespace", Namespace),
        new("raise_exception", "message, /", (vm, p) => vm.Raise(Printing.ToText(vm, vm.Stack(p)))),
        new("strftime_now", "format, /", (vm, p) => Strftime.Format(vm, vm.Stack(p))),
        new("cycler", Cyclers.Make),
        new("joiner", Cyclers.MakeJoiner),
        new("lipsum", (Interpreter vm, in Arguments _) => vm.Fail(TemplateError.Runtime)),
    ];

    /// <summary>The number of the function of that name, or -1.</summary>
    public static int Find(string name)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(name);
        return Array.FindIndex(All, function => function.Name.AsSpan().SequenceEqual(bytes));
    }

    public static Value Call(Interpreter vm, int index, in Arguments given) => All[index].Call(vm, given);

    /// <summary>Whether the value is the <c>dict</c> function, which has a method of its own.</summary>
    public static bool IsDict(in Value value) => value.Kind == Kind.Global && value.Length == 1;

    private static Value Dict(Interpreter vm, in Arguments given)
    {
        ListBuilder pairs = Pairs(vm, given);
        return vm.Failed ? default : Dicts.FromPairs(vm, ref pairs);
    }

    private static Value Namespace(Interpreter vm, in Arguments given)
    {
        ListBuilder pairs = Pairs(vm, given);
        return vm.Failed ? default : Namespaces.Make(vm, Dicts.FromPairs(vm, ref pairs));
    }

    /// <summary>The pairs of an optional dict (or list of pairs) and of the keywords.</summary>
    private static ListBuilder Pairs(Interpreter vm, in Arguments given)
    {
        var pairs = new ListBuilder(vm);
        if (given.Count > 1) vm.Fail(TemplateError.Type);
        if (given.Count == 1 && !vm.Failed)
        {
            Value source = given[vm, 0];
            if (source.Kind == Kind.Dict)
            {
                for (int i = 0; i < 2 * source.Length; i++) pairs.Add(vm.Cells[source.Address + i]);
            }
            else
            {
                AddPairs(vm, source, ref pairs);
            }
        }

        for (int i = 0; i < given.Keywords && !vm.Failed; i++)
        {
            pairs.Add(given.KeywordName(vm, i));
            pairs.Add(given.KeywordValue(vm, i));
        }

        if (pairs.Count == 0 && !vm.Failed) pairs.Grow(1);
        return pairs;
    }

    private static void AddPairs(Interpreter vm, in Value source, ref ListBuilder pairs)
    {
        Value list = Iteration.ToList(vm, source);
        for (int i = 0; i < list.Length && !vm.Failed; i++)
        {
            Value pair = Iteration.ToList(vm, vm.Cells[list.Address + i]);
            if (vm.Failed) return;
            if (pair.Length != 2)
            {
                vm.Fail(TemplateError.Value);
                return;
            }

            pairs.Add(vm.Cells[pair.Address]);
            pairs.Add(vm.Cells[pair.Address + 1]);
        }
    }
}

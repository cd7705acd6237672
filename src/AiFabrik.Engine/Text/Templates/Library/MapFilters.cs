namespace AiFabrik.Engine.Text.Templates;

/// <summary>map, select, reject, selectattr, rejectattr: filters that apply filters and tests to items.</summary>
internal static class MapFilters
{
    public static readonly BuiltIn[] All =
    [
        new("map", Map),
        new("select", (Interpreter vm, in Arguments given) => Select(vm, given, false, true)),
        new("reject", (Interpreter vm, in Arguments given) => Select(vm, given, false, false)),
        new("selectattr", (Interpreter vm, in Arguments given) => Select(vm, given, true, true)),
        new("rejectattr", (Interpreter vm, in Arguments given) => Select(vm, given, true, false)),
    ];

    private static Value Map(Interpreter vm, in Arguments given)
    {
        var result = new ListBuilder(vm);
        if (given.Count > 0 && Truth.Of(vm, given[vm, 0]))
        {
            if (given.Count == 1) MapAttribute(vm, given, ref result);
            else MapFilter(vm, given, ref result);
        }

        return Iteration.Generator(vm, ref result);
    }

    private static void MapAttribute(Interpreter vm, in Arguments given, ref ListBuilder result)
    {
        Value attribute = default;
        Value otherwise = Value.None;
        for (int i = 0; i < given.Keywords; i++)
        {
            ReadOnlySpan<byte> name = vm.Bytes(given.KeywordName(vm, i));
            if (name.SequenceEqual("attribute"u8)) attribute = given.KeywordValue(vm, i);
            else if (name.SequenceEqual("default"u8)) otherwise = given.KeywordValue(vm, i);
            else vm.Fail(TemplateError.Runtime);
        }

        if (attribute.IsMissing) vm.Fail(TemplateError.Runtime);
        if (vm.Failed) return;
        Value source = Iteration.Open(vm, given[vm, 0]);
        Value position = Value.Int(0);
        while (Iteration.Next(vm, source, ref position, out Value item) && vm.Step())
            result.Add(AttributePath.Get(vm, item, attribute, otherwise));
    }

    private static void MapFilter(Interpreter vm, in Arguments given, ref ListBuilder result)
    {
        Value name = given[vm, 1];
        BuiltIn? filter = name.IsStr ? Filtering.Find(vm.Bytes(name)) : null;
        if (filter is null)
        {
            vm.Fail(TemplateError.Runtime);
            return;
        }

        Value source = Iteration.Open(vm, given[vm, 0]);
        Value position = Value.Int(0);
        while (Iteration.Next(vm, source, ref position, out Value item) && vm.Step())
        {
            Value mapped = Apply(vm, filter, item, given, 2);
            if (!vm.Failed) result.Add(mapped);
        }
    }

    /// <summary>Calls a filter or test on an item with the arguments from number <paramref name="from"/> on.</summary>
    private static Value Apply(Interpreter vm, BuiltIn function, in Value item, in Arguments given, int from)
    {
        int start = vm.StackTop;
        if (!vm.HasStack() || !vm.Push(item)) return default;
        for (int i = from; i < given.Count; i++) vm.Push(given[vm, i]);
        int count = vm.StackTop - start;
        for (int i = 0; i < 2 * given.Keywords; i++) vm.Push(vm.Stack(given.Start + given.Count + i));
        Value result = vm.Failed ? default : function.Call(vm, new Arguments(start, count, given.Keywords));
        vm.StackTop = start;
        return result;
    }

    private static Value Select(Interpreter vm, in Arguments given, bool byAttribute, bool wanted)
    {
        var result = new ListBuilder(vm);
        if (given.Count > 0 && Truth.Of(vm, given[vm, 0])) Select(vm, given, byAttribute, wanted, ref result);
        return Iteration.Generator(vm, ref result);
    }

    private static void Select(Interpreter vm, in Arguments given, bool byAttribute, bool wanted, ref ListBuilder result)
    {
        int at = byAttribute ? 2 : 1;
        if (given.Count < at) vm.Fail(TemplateError.Runtime);
        BuiltIn? test = null;
        if (given.Count > at && !vm.Failed)
        {
            Value name = given[vm, at];
            test = name.IsStr ? Testing.Find(vm.Bytes(name)) : null;
            if (test is null) vm.Fail(TemplateError.Runtime);
        }

        if (vm.Failed) return;
        Value source = Iteration.Open(vm, given[vm, 0]);
        Value position = Value.Int(0);
        while (Iteration.Next(vm, source, ref position, out Value item) && vm.Step())
        {
            Value tested = byAttribute ? AttributePath.Get(vm, item, given[vm, 1], Value.None) : item;
            if (vm.Failed) return;
            if (test is not null) tested = Apply(vm, test, tested, given, at + 1);
            if (!vm.Failed && Truth.Of(vm, tested) == wanted) result.Add(item);
        }
    }
}

/// <summary>The attributes that filters take: <c>name</c>, <c>a.b</c>, <c>a.0</c>, 1.</summary>
internal static class AttributePath
{
    /// <summary>Follows the path; <paramref name="otherwise"/> stands for what is undefined, unless it is none.</summary>
    public static Value Get(Interpreter vm, in Value item, in Value path, in Value otherwise)
    {
        if (path.IsNone || path.IsMissing) return item;
        if (!path.IsStr) return Part(vm, item, path, otherwise);
        ReadOnlySpan<byte> bytes = vm.Bytes(path);
        Value value = item;
        for (int at = 0; at <= bytes.Length && !vm.Failed;)
        {
            int dot = bytes[at..].IndexOf((byte)'.');
            int end = dot < 0 ? bytes.Length : at + dot;
            value = Part(vm, value, Key(bytes[at..end], path, at), otherwise);
            at = end + 1;
        }

        return value;
    }

    private static Value Key(ReadOnlySpan<byte> part, in Value path, int at)
    {
        bool isIndex = part.Length is > 0 and < 10 && part.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
        if (!isIndex) return Value.Str(path.Address + at, part.Length);
        long index = 0;
        foreach (byte digit in part) index = (index * 10) + (digit - '0');
        return Value.Int(index);
    }

    private static Value Part(Interpreter vm, in Value item, in Value key, in Value otherwise)
    {
        Value value = Attributes.GetItem(vm, item, key);
        return value.IsUndefined && !otherwise.IsNone && !otherwise.IsMissing ? otherwise : value;
    }

    /// <summary>A key for sorting and grouping: text in lower case, if case is not to count.</summary>
    public static Value Key(Interpreter vm, in Value value, bool caseSensitive) =>
        caseSensitive || !value.IsStr || vm.Failed ? value : Cases.Map(vm, value, CaseMapping.Lower);
}

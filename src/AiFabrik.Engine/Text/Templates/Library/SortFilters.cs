namespace AiFabrik.Engine.Text.Templates;

/// <summary>Filters that order, group and pick by key.</summary>
internal static class SortFilters
{
    public static readonly BuiltIn[] All =
    [
        new("sort", "value, reverse?, case_sensitive?, attribute?", Sort),
        new("dictsort", "value, case_sensitive?, by?, reverse?", DictSort),
        new("unique", "value, case_sensitive?, attribute?", Unique),
        new("groupby", "value, attribute, default?, case_sensitive?", GroupBy),
        new("min", "value, case_sensitive?, attribute?", (vm, p) => Extreme(vm, p, Comparison.Lt)),
        new("max", "value, case_sensitive?, attribute?", (vm, p) => Extreme(vm, p, Comparison.Gt)),
    ];

    private static Value Sort(Interpreter vm, int p)
    {
        Value list = Iteration.ToList(vm, vm.Stack(p));
        bool caseSensitive = Truth.Of(vm, vm.Stack(p + 2));
        Value attribute = vm.Stack(p + 3);
        var pairs = new ListBuilder(vm);
        for (int i = 0; i < list.Length && vm.Step(); i++)
        {
            Value item = vm.Cells[list.Address + i];
            pairs.Add(SortKey(vm, item, attribute, caseSensitive));
            pairs.Add(item);
        }

        return Sorted(vm, ref pairs, Truth.Of(vm, vm.Stack(p + 1)));
    }

    /// <summary>The key of an item; several attributes with commas between them make a list.</summary>
    private static Value SortKey(Interpreter vm, in Value item, in Value attribute, bool caseSensitive)
    {
        if (!attribute.IsStr || vm.Bytes(attribute).IndexOf((byte)',') < 0)
            return AttributePath.Key(vm, AttributePath.Get(vm, item, attribute, Value.None), caseSensitive);
        var keys = new ListBuilder(vm);
        ReadOnlySpan<byte> bytes = vm.Bytes(attribute);
        for (int at = 0; at <= bytes.Length && !vm.Failed;)
        {
            int comma = bytes[at..].IndexOf((byte)',');
            int end = comma < 0 ? bytes.Length : at + comma;
            Value part = Value.Str(attribute.Address + at, end - at);
            keys.Add(AttributePath.Key(vm, AttributePath.Get(vm, item, part, Value.None), caseSensitive));
            at = end + 1;
        }

        return keys.ToValue();
    }

    /// <summary>Sorts pairs of key and item by key, stably, and gives the items.</summary>
    public static Value Sorted(Interpreter vm, ref ListBuilder pairs, bool reverse)
    {
        Value list = pairs.ToValue();
        int count = list.Length / 2;
        if (vm.Failed || !vm.AllocateCells(Math.Max(1, list.Length), out int spare)) return default;
        int from = list.Address;
        for (int width = 1; width < count; width *= 2)
        {
            for (int start = 0; start < count; start += 2 * width)
            {
                int middle = Math.Min(start + width, count);
                if (!Merge(vm, from, spare, start, middle, Math.Min(middle + width, count), reverse)) return default;
            }

            (from, spare) = (spare, from);
        }

        var items = new ListBuilder(vm);
        for (int i = 0; i < count; i++) items.Add(vm.Cells[from + (2 * i) + 1]);
        if (count == 0) items.Grow(1);
        return items.ToValue();
    }

    private static bool Merge(Interpreter vm, int from, int to, int start, int middle, int end, bool reverse)
    {
        int left = start;
        int right = middle;
        for (int at = start; at < end; at++)
        {
            bool takeRight = left >= middle;
            if (!takeRight && right < end)
            {
                Value a = vm.Cells[from + (2 * left)];
                Value b = vm.Cells[from + (2 * right)];
                takeRight = reverse ? Ordering.Compare(vm, Comparison.Lt, a, b, 0) : Ordering.Compare(vm, Comparison.Lt, b, a, 0);
                if (!vm.Step()) return false;
            }

            int taken = takeRight ? right++ : left++;
            vm.Cells[to + (2 * at)] = vm.Cells[from + (2 * taken)];
            vm.Cells[to + (2 * at) + 1] = vm.Cells[from + (2 * taken) + 1];
        }

        return !vm.Failed;
    }

    private static Value DictSort(Interpreter vm, int p)
    {
        Value dict = vm.Stack(p);
        Value by = vm.Stack(p + 2);
        bool byValue = by.IsStr && vm.Bytes(by).SequenceEqual("value"u8);
        if (!by.IsMissing && !byValue && !(by.IsStr && vm.Bytes(by).SequenceEqual("key"u8))) return vm.Fail(TemplateError.Runtime);
        if (dict.IsUndefined) return vm.Fail(TemplateError.Undefined);
        if (dict.Kind != Kind.Dict) return vm.Fail(TemplateError.Type);
        bool caseSensitive = Truth.Of(vm, vm.Stack(p + 1));
        var pairs = new ListBuilder(vm);
        for (int i = 0; i < dict.Length && vm.Step(); i++)
        {
            Value key = Dicts.Key(vm, dict, i);
            Value value = Dicts.ValueAt(vm, dict, i);
            pairs.Add(AttributePath.Key(vm, byValue ? value : key, caseSensitive));
            pairs.Add(vm.NewTuple(key, value));
        }

        return Sorted(vm, ref pairs, Truth.Of(vm, vm.Stack(p + 3)));
    }

    private static Value Unique(Interpreter vm, int p)
    {
        Value list = Iteration.ToList(vm, vm.Stack(p));
        bool caseSensitive = Truth.Of(vm, vm.Stack(p + 1));
        var pairs = new ListBuilder(vm);
        for (int i = 0; i < list.Length && vm.Step(); i++)
        {
            Value item = vm.Cells[list.Address + i];
            pairs.Add(AttributePath.Key(vm, AttributePath.Get(vm, item, vm.Stack(p + 2), Value.None), caseSensitive));
            pairs.Add(item);
        }

        Value first = vm.Failed ? default : Dicts.FromPairs(vm, ref pairs, keepFirst: true);
        var result = new ListBuilder(vm);
        for (int i = 0; i < first.Length && !vm.Failed; i++) result.Add(Dicts.ValueAt(vm, first, i));
        return Iteration.Generator(vm, ref result);
    }

    private static Value GroupBy(Interpreter vm, int p)
    {
        Value list = Iteration.ToList(vm, vm.Stack(p));
        Value attribute = vm.Stack(p + 1);
        Value otherwise = vm.Stack(p + 2);
        bool caseSensitive = Truth.Of(vm, vm.Stack(p + 3));
        var pairs = new ListBuilder(vm);
        for (int i = 0; i < list.Length && vm.Step(); i++)
        {
            Value item = vm.Cells[list.Address + i];
            pairs.Add(AttributePath.Key(vm, AttributePath.Get(vm, item, attribute, otherwise), caseSensitive));
            pairs.Add(item);
        }

        Value sorted = Sorted(vm, ref pairs, false);
        var groups = new ListBuilder(vm);
        for (int start = 0; start < sorted.Length && !vm.Failed;)
        {
            Value first = AttributePath.Get(vm, vm.Cells[sorted.Address + start], attribute, otherwise);
            Value key = AttributePath.Key(vm, first, caseSensitive);
            int end = start + 1;
            while (end < sorted.Length && vm.Step() && Ordering.Equal(vm, key, AttributePath.Key(
                vm, AttributePath.Get(vm, vm.Cells[sorted.Address + end], attribute, otherwise), caseSensitive)))
            {
                end++;
            }

            groups.Add(vm.NewTuple(first, new Value(Kind.List, sorted.Address + start, end - start)).With(ValueFlags.Group));
            start = end;
        }

        return vm.Failed ? default : groups.ToValue();
    }

    private static Value Extreme(Interpreter vm, int p, Comparison better)
    {
        bool caseSensitive = Truth.Of(vm, vm.Stack(p + 1));
        Value source = Iteration.Open(vm, vm.Stack(p));
        Value position = Value.Int(0);
        Value best = Value.Undefined;
        Value bestKey = default;
        while (Iteration.Next(vm, source, ref position, out Value item) && vm.Step())
        {
            Value key = AttributePath.Key(vm, AttributePath.Get(vm, item, vm.Stack(p + 2), Value.None), caseSensitive);
            if (vm.Failed) return default;
            if (!bestKey.IsMissing && !Ordering.Compare(vm, better, key, bestKey, 0)) continue;
            best = item;
            bestKey = key;
        }

        return vm.Failed ? default : best;
    }
}

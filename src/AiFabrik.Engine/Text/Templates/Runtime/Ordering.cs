namespace AiFabrik.Engine.Text.Templates;

/// <summary>Equality, order and containment as in Python.</summary>
internal static class Ordering
{
    public static bool Holds(Interpreter vm, Comparison operation, in Value a, in Value b) => operation switch
    {
        Comparison.Eq => Equal(vm, a, b),
        Comparison.Ne => !Equal(vm, a, b),
        Comparison.In => Contains(vm, b, a),
        Comparison.NotIn => !Contains(vm, b, a),
        _ => Compare(vm, operation, a, b, 0),
    };

    public static bool Equal(Interpreter vm, in Value a, in Value b) => Equal(vm, a, b, 0);

    private static bool Equal(Interpreter vm, in Value a, in Value b, int depth)
    {
        if (a.IsNumber && b.IsNumber) return Numbers.Equal(vm, a, b);
        if (a.Kind != b.Kind) return false;
        switch (a.Kind)
        {
            case Kind.Undefined or Kind.None: return true;
            case Kind.Str or Kind.Bytes:
                return a.Length == b.Length && (a.Address == b.Address
                    || (vm.StepBytes(a.Length) && vm.Bytes(a).SequenceEqual(vm.Bytes(b))));
            case Kind.List or Kind.Tuple: return a.Length == b.Length && ItemsEqual(vm, a, b, depth);
            case Kind.Dict: return a.Length == b.Length && DictsEqual(vm, a, b, depth);
            case Kind.View: return a.Aux == b.Aux && a.Aux != (ushort)ViewKind.Values && ViewsEqual(vm, a, b);
            case Kind.Range: return ItemsEqual(vm, Iteration.ToList(vm, a), Iteration.ToList(vm, b), depth);
            case Kind.Method: return a.Bits == b.Bits;
            default: return a.Bits == b.Bits && a.Length == b.Length;
        }
    }

    private static bool Deep(Interpreter vm, int depth)
    {
        if (depth > vm.Limits.ValueDepthMax) vm.FailLimit(TemplateLimit.Depth);
        return !vm.HasStack() || !vm.Step();
    }

    private static bool ItemsEqual(Interpreter vm, in Value a, in Value b, int depth)
    {
        if (a.Length != b.Length) return false;
        if (a.Address == b.Address) return true;
        if (Deep(vm, depth)) return false;
        for (int i = 0; i < a.Length; i++)
        {
            if (!vm.Step() || !Equal(vm, vm.Cells[a.Address + i], vm.Cells[b.Address + i], depth + 1)) return false;
        }

        return !vm.Failed;
    }

    private static bool DictsEqual(Interpreter vm, in Value a, in Value b, int depth)
    {
        if (a.Bits == b.Bits) return true;
        if (Deep(vm, depth)) return false;
        for (int i = 0; i < a.Length; i++)
        {
            Value other = Dicts.Get(vm, b, Dicts.Key(vm, a, i));
            if (other.IsMissing || !vm.Step() || !Equal(vm, Dicts.ValueAt(vm, a, i), other, depth + 1)) return false;
        }

        return !vm.Failed;
    }

    private static bool ViewsEqual(Interpreter vm, in Value a, in Value b)
    {
        if (a.Length != b.Length) return false;
        Value items = Iteration.ToList(vm, a);
        for (int i = 0; i < items.Length && !vm.Failed; i++)
        {
            if (!Contains(vm, b, vm.Cells[items.Address + i])) return false;
        }

        return !vm.Failed;
    }

    /// <summary>One of &lt;, &lt;=, &gt;, &gt;=; fails for values that have no order.</summary>
    public static bool Compare(Interpreter vm, Comparison operation, in Value a, in Value b, int depth)
    {
        if (a.IsUndefined || b.IsUndefined)
        {
            vm.Fail(TemplateError.Undefined);
            return false;
        }

        if (a.IsNumber && b.IsNumber) return Numbers.Compare(vm, operation, a, b);
        if (a.Kind == b.Kind && a.Kind is Kind.Str or Kind.Bytes)
        {
            return vm.StepBytes(Math.Min(a.Length, b.Length))
                && Is(operation, vm.Bytes(a).SequenceCompareTo(vm.Bytes(b)));
        }

        if (a.Kind == b.Kind && a.IsSequence) return CompareItems(vm, operation, a, b, depth);
        vm.Fail(TemplateError.Type);
        return false;
    }

    public static bool Is(Comparison operation, int order) => operation switch
    {
        Comparison.Lt => order < 0,
        Comparison.LtEq => order <= 0,
        Comparison.Gt => order > 0,
        _ => order >= 0,
    };

    private static bool CompareItems(Interpreter vm, Comparison operation, in Value a, in Value b, int depth)
    {
        if (Deep(vm, depth)) return false;
        int shared = Math.Min(a.Length, b.Length);
        for (int i = 0; i < shared; i++)
        {
            Value left = vm.Cells[a.Address + i];
            Value right = vm.Cells[b.Address + i];
            if (!vm.Step()) return false;
            if (!Equal(vm, left, right, depth + 1)) return !vm.Failed && Compare(vm, operation, left, right, depth + 1);
        }

        return Is(operation, a.Length.CompareTo(b.Length));
    }

    public static bool Contains(Interpreter vm, in Value container, in Value item)
    {
        switch (container.Kind)
        {
            case Kind.Undefined: return false;
            case Kind.Str:
                if (!item.IsStr) vm.Fail(TemplateError.Type);
                return !vm.Failed && vm.StepBytes(container.Length) && vm.Bytes(container).IndexOf(vm.Bytes(item)) >= 0;
            case Kind.Dict:
                if (!Dicts.IsHashable(vm, item, 0)) vm.Fail(TemplateError.Type);
                return !vm.Failed && Dicts.Find(vm, container, item) >= 0;
            case Kind.Range when item.Kind is Kind.Int or Kind.Bool: return Ranges.Contains(vm, container, item.Bits);
            default: return ContainsItem(vm, container, item);
        }
    }

    private static bool ContainsItem(Interpreter vm, in Value container, in Value item)
    {
        Value source = Iteration.Open(vm, container);
        Value position = Value.Int(0);
        while (Iteration.Next(vm, source, ref position, out Value candidate))
        {
            if (!vm.Step()) return false;
            if (Equal(vm, candidate, item)) return true;
        }

        return false;
    }

    /// <summary>Whether both are the same object.</summary>
    public static bool Same(in Value a, in Value b) => a.Kind == b.Kind && a.Bits == b.Bits && a.Length == b.Length;
}

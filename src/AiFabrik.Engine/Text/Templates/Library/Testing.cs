namespace AiFabrik.Engine.Text.Templates;

/// <summary>All tests: what may follow <c>is</c>.</summary>
internal static class Testing
{
    private static readonly BuiltIn[] Kinds =
    [
        new("defined", "value, /", (vm, p) => Value.Bool(!vm.Stack(p).IsUndefined)),
        new("undefined", "value, /", (vm, p) => Value.Bool(vm.Stack(p).IsUndefined)),
        new("none", "value, /", (vm, p) => Value.Bool(vm.Stack(p).IsNone)),
        new("boolean", "value, /", (vm, p) => Value.Bool(vm.Stack(p).Kind == Kind.Bool)),
        new("true", "value, /", (vm, p) => Value.Bool(vm.Stack(p) is { Kind: Kind.Bool, Bits: 1 })),
        new("false", "value, /", (vm, p) => Value.Bool(vm.Stack(p) is { Kind: Kind.Bool, Bits: 0 })),
        new("integer", "value, /", (vm, p) => Value.Bool(vm.Stack(p).Kind is Kind.Int or Kind.BigInt)),
        new("float", "value, /", (vm, p) => Value.Bool(vm.Stack(p).Kind == Kind.Float)),
        new("number", "value, /", (vm, p) => Value.Bool(vm.Stack(p).IsNumber)),
        new("string", "value, /", (vm, p) => Value.Bool(vm.Stack(p).IsStr)),
        new("mapping", "value, /", (vm, p) => Value.Bool(vm.Stack(p).Kind == Kind.Dict)),
        new("sequence", "value, /", (vm, p) => Value.Bool(vm.Stack(p).Kind
            is Kind.List or Kind.Tuple or Kind.Str or Kind.Dict or Kind.Range or Kind.Bytes or Kind.Undefined)),
        new("iterable", "value, /", (vm, p) => Value.Bool(vm.Stack(p).Kind
            is Kind.List or Kind.Tuple or Kind.Str or Kind.Dict or Kind.Range or Kind.Bytes or Kind.Undefined
            or Kind.View or Kind.Generator or Kind.Loop)),
        new("callable", "value, /", (vm, p) => Value.Bool(Calls.IsCallable(vm.Stack(p)))),
        new("escaped", "value, /", (vm, p) => Value.Bool(vm.Stack(p).IsMarkup)),
    ];

    private static readonly BuiltIn[] Values =
    [
        new("odd", "value, /", (vm, p) => Remainder(vm, vm.Stack(p), Value.Int(2), 1)),
        new("even", "value, /", (vm, p) => Remainder(vm, vm.Stack(p), Value.Int(2), 0)),
        new("divisibleby", "value, num", (vm, p) => Remainder(vm, vm.Stack(p), vm.Stack(p + 1), 0)),
        new("lower", "value, /", (vm, p) => Case(vm, p, CaseMapping.Lower)),
        new("upper", "value, /", (vm, p) => Case(vm, p, CaseMapping.Upper)),
        new("sameas", "value, other", (vm, p) => Value.Bool(Ordering.Same(vm.Stack(p), vm.Stack(p + 1)))),
        new("filter", "value, /", (vm, p) => Value.Bool(vm.Stack(p).IsStr && Filtering.Find(vm.Bytes(vm.Stack(p))) is not null)),
        new("test", "value, /", (vm, p) => Value.Bool(vm.Stack(p).IsStr && Find(vm.Bytes(vm.Stack(p))) is not null)),
    ];

    private static readonly BuiltIn[] Comparisons =
    [
        Operator("==", Comparison.Eq), Operator("eq", Comparison.Eq), Operator("equalto", Comparison.Eq),
        Operator("!=", Comparison.Ne), Operator("ne", Comparison.Ne),
        Operator(">", Comparison.Gt), Operator("gt", Comparison.Gt), Operator("greaterthan", Comparison.Gt),
        Operator(">=", Comparison.GtEq), Operator("ge", Comparison.GtEq),
        Operator("<", Comparison.Lt), Operator("lt", Comparison.Lt), Operator("lessthan", Comparison.Lt),
        Operator("<=", Comparison.LtEq), Operator("le", Comparison.LtEq),
        Operator("in", Comparison.In),
    ];

    private static readonly BuiltInTable Table = new(Kinds, Values, Comparisons);

    public static BuiltIn? Find(string name) => Table.Find(name);

    public static BuiltIn? Find(ReadOnlySpan<byte> name) => Table.Find(name);

    private static BuiltIn Operator(string name, Comparison operation) =>
        new(name, "a, b, /", (vm, p) => Value.Bool(Ordering.Holds(vm, operation, vm.Stack(p), vm.Stack(p + 1))));

    private static Value Remainder(Interpreter vm, in Value value, in Value divisor, long wanted)
    {
        Value rest = Arithmetic.Apply(vm, Templates.Operator.Mod, value, divisor);
        return vm.Failed ? default : Value.Bool(Ordering.Equal(vm, rest, Value.Int(wanted)));
    }

    private static Value Case(Interpreter vm, int p, CaseMapping mapping)
    {
        Value text = Printing.ToText(vm, vm.Stack(p));
        return vm.Failed ? default : StringMethods.IsCase(vm, text, mapping);
    }
}

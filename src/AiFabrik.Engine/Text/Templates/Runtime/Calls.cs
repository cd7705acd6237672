namespace AiFabrik.Engine.Text.Templates;

/// <summary>Calling a value.</summary>
internal static class Calls
{
    /// <summary>Calls it; the object of a method is already its first positional argument.</summary>
    public static Value Call(Interpreter vm, in Value callee, in Arguments given)
    {
        switch (callee.Kind)
        {
            case Kind.Macro: return vm.Program.Macros[callee.Length].Call(vm, callee.Address, given);
            case Kind.Method: return Methods.At(callee.Length).For(vm.Cells[callee.Address].Kind)!.Call(vm, given);
            case Kind.Global: return GlobalFunctions.Call(vm, callee.Length, given);
            case Kind.Loop: return Loops.Recurse(vm, callee, given);
            case Kind.Joiner: return Cyclers.Join(vm, callee, given);
            case Kind.Undefined: return vm.Fail(TemplateError.Undefined);
            default: return vm.Fail(TemplateError.Type);
        }
    }

    public static bool IsCallable(in Value value) => value.Kind
        is Kind.Macro or Kind.Method or Kind.Global or Kind.Loop or Kind.Joiner or Kind.Undefined;
}

/// <summary>Cyclers (a list and a place in it) and joiners (a separator and whether it was used).</summary>
internal static class Cyclers
{
    public static Value Make(Interpreter vm, in Arguments given)
    {
        if (given.Keywords > 0 || given.Count == 0) return vm.Fail(given.Keywords > 0 ? TemplateError.Type : TemplateError.Runtime);
        var items = new ListBuilder(vm);
        for (int i = 0; i < given.Count; i++) items.Add(given[vm, i]);
        Value list = items.ToValue();
        return Pair(vm, Kind.Cycler, list, Value.Int(0));
    }

    public static Value MakeJoiner(Interpreter vm, in Arguments given)
    {
        if (given.Count + given.Keywords > 1) return vm.Fail(TemplateError.Type);
        Value separator = given.Count == 1 ? given[vm, 0]
            : given.Keywords == 1 ? given.KeywordValue(vm, 0) : vm.NewText(", "u8, true);
        return Pair(vm, Kind.Joiner, separator, Value.False);
    }

    private static Value Pair(Interpreter vm, Kind kind, in Value first, in Value second)
    {
        if (vm.Failed || !vm.AllocateCells(2, out int address)) return default;
        vm.Cells[address] = first;
        vm.Cells[address + 1] = second;
        return new Value(kind, address);
    }

    public static Value Current(Interpreter vm, in Value cycler)
    {
        Value list = vm.Cells[cycler.Address];
        return vm.Cells[list.Address + (int)vm.Cells[cycler.Address + 1].Bits];
    }

    public static Value Next(Interpreter vm, int arguments)
    {
        Value cycler = vm.Stack(arguments);
        Value current = Current(vm, cycler);
        long next = vm.Cells[cycler.Address + 1].Bits + 1;
        vm.Cells[cycler.Address + 1] = Value.Int(next % vm.Cells[cycler.Address].Length);
        return current;
    }

    public static Value Reset(Interpreter vm, int arguments)
    {
        vm.Cells[vm.Stack(arguments).Address + 1] = Value.Int(0);
        return Value.None;
    }

    public static Value Join(Interpreter vm, in Value joiner, in Arguments given)
    {
        if (given.Count + given.Keywords > 0) return vm.Fail(TemplateError.Type);
        bool used = vm.Cells[joiner.Address + 1].Bits != 0;
        vm.Cells[joiner.Address + 1] = Value.True;
        return used ? vm.Cells[joiner.Address] : Value.Str(0, 0);
    }
}

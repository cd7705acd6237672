namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// <c>x.name</c> and <c>x[key]</c>. The first looks for a method before a key, the second the other way round; what
/// neither finds is undefined, and only an undefined value has no attributes at all.
/// </summary>
internal static class Attributes
{
    public static Value Get(Interpreter vm, in Value target, in Value name, MethodGroup? methods)
    {
        if (target.IsUndefined) return vm.Fail(TemplateError.Undefined);
        Value own = Own(vm, target, name, methods);
        if (!own.IsMissing || vm.Failed) return own;
        if (target.Kind == Kind.Dict)
        {
            Value item = Dicts.Get(vm, target, name);
            if (!item.IsMissing) return item;
        }

        return Value.Undefined;
    }

    public static Value GetItem(Interpreter vm, in Value target, in Value key)
    {
        if (target.IsUndefined) return vm.Fail(TemplateError.Undefined);
        switch (target.Kind)
        {
            case Kind.Dict:
                if (!Dicts.IsHashable(vm, key, 0)) return Value.Undefined;
                Value item = Dicts.Get(vm, target, key);
                if (!item.IsMissing || vm.Failed) return item;
                break;
            case Kind.Str or Kind.Bytes or Kind.List or Kind.Tuple or Kind.Range when key.IsInteger:
                return Slices.At(vm, target, key);
        }

        if (!key.IsStr) return Value.Undefined;
        Value own = Own(vm, target, key, Methods.Find(vm.Bytes(key)));
        return own.IsMissing && !vm.Failed ? Value.Undefined : own;
    }

    /// <summary>What the value has by itself under that name; missing if nothing.</summary>
    public static Value Own(Interpreter vm, in Value target, in Value name, MethodGroup? methods)
    {
        if (target.Kind == Kind.Namespace) return Namespaces.Get(vm, target, name);
        ReadOnlySpan<byte> bytes = vm.Bytes(name);
        if (methods?.For(target.Kind) is { } method)
        {
            if (method.IsForbidden) return Value.Undefined;
            return Bound(vm, target, bytes);
        }

        return target.Kind switch
        {
            Kind.Loop => Loops.Attribute(vm, target, bytes),
            Kind.Tuple when (target.Flags & ValueFlags.Group) != 0 => GroupField(vm, target, bytes),
            Kind.Macro => MacroField(vm, target, bytes),
            Kind.Cycler when bytes.SequenceEqual("current"u8) => Cyclers.Current(vm, target),
            Kind.Range when bytes.SequenceEqual("start"u8) => Value.Int(Ranges.Start(vm, target)),
            Kind.Range when bytes.SequenceEqual("stop"u8) => Value.Int(Ranges.Stop(vm, target)),
            Kind.Range when bytes.SequenceEqual("step"u8) => Value.Int(Ranges.Step(vm, target)),
            Kind.Bool or Kind.Int or Kind.BigInt or Kind.Float => NumberField(target, bytes),
            _ => default,
        };
    }

    private static Value Bound(Interpreter vm, in Value target, ReadOnlySpan<byte> name)
    {
        if (!vm.AllocateCells(1, out int address)) return default;
        vm.Cells[address] = target;
        return new Value(Kind.Method, address, Methods.IndexOf(name));
    }

    private static Value GroupField(Interpreter vm, in Value group, ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("grouper"u8)) return vm.Cells[group.Address];
        return name.SequenceEqual("list"u8) ? vm.Cells[group.Address + 1] : default;
    }

    private static Value MacroField(Interpreter vm, in Value macro, ReadOnlySpan<byte> name)
    {
        MacroNode node = vm.Program.Macros[macro.Length];
        if (name.SequenceEqual("name"u8)) return vm.Program.Names[node.Name];
        if (name.SequenceEqual("catch_kwargs"u8)) return Value.Bool(node.KwargsName >= 0);
        if (name.SequenceEqual("catch_varargs"u8)) return Value.Bool(node.VarargsName >= 0);
        if (name.SequenceEqual("caller"u8)) return Value.Bool(node.CallerName >= 0);
        if (!name.SequenceEqual("arguments"u8)) return default;
        var names = new ListBuilder(vm);
        foreach (int parameter in node.Parameters) names.Add(vm.Program.Names[parameter]);
        return names.ToValue(Kind.Tuple);
    }

    private static Value NumberField(in Value number, ReadOnlySpan<byte> name)
    {
        bool isFloat = number.Kind == Kind.Float;
        Value plain = number.Kind == Kind.Bool ? Value.Int(number.Bits).With(number.Flags) : number;
        if (name.SequenceEqual("real"u8)) return plain;
        if (name.SequenceEqual("imag"u8)) return isFloat ? Value.Float(0) : Value.Int(0);
        if (isFloat) return default;
        if (name.SequenceEqual("numerator"u8)) return plain;
        return name.SequenceEqual("denominator"u8) ? Value.Int(1) : default;
    }
}

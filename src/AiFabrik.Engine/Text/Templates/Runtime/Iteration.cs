namespace AiFabrik.Engine.Text.Templates;

/// <summary>Going through the items of a value, and the lazy values that filters give.</summary>
internal static class Iteration
{
    /// <summary>
    /// Something that <see cref="Next"/> can go through: lists, tuples, ranges and generators as they are, everything
    /// else that has items as a list of them. Fails for what has none.
    /// </summary>
    public static Value Open(Interpreter vm, in Value value)
    {
        switch (value.Kind)
        {
            case Kind.List or Kind.Tuple or Kind.Range or Kind.Generator: return value;
            case Kind.Undefined: return new Value(Kind.List, 0);
            case Kind.Str: return Characters(vm, value);
            case Kind.Dict: return ViewItems(vm, new Value(Kind.View, value.Bits, value.Length, (ushort)ViewKind.Keys));
            case Kind.View: return ViewItems(vm, value);
            case Kind.Loop: return LoopRest(vm, value);
            case Kind.Bytes: return ByteItems(vm, value);
            default: return vm.Fail(TemplateError.Type);
        }
    }

    /// <summary>Takes the item at <paramref name="position"/> and moves on; a generator keeps its own place.</summary>
    public static bool Next(Interpreter vm, in Value source, ref Value position, out Value item)
    {
        item = default;
        if (vm.Failed) return false;
        if (source.Kind == Kind.Generator) return NextOfGenerator(vm, source, out item);
        long index = position.Bits;
        if (index >= Count(vm, source)) return false;
        item = source.Kind == Kind.Range ? Value.Int(Ranges.At(vm, source, index)) : vm.Cells[source.Address + (int)index];
        position = Value.Int(index + 1);
        return true;
    }

    /// <summary>Items of something that <see cref="Open"/> gave, other than a generator.</summary>
    public static long Count(Interpreter vm, in Value source) =>
        source.Kind == Kind.Range ? Ranges.Count(vm, source) : source.Length;

    /// <summary>All items as a list (tuples stay tuples).</summary>
    public static Value ToList(Interpreter vm, in Value value)
    {
        if (vm.Failed) return default;
        Value source = Open(vm, value);
        if (vm.Failed || source.IsSequence) return source;
        var list = new ListBuilder(vm);
        if (source.Kind == Kind.Range && Ranges.Count(vm, source) is > 0 and var count) list.Grow((int)count);
        Value position = Value.Int(0);
        while (Next(vm, source, ref position, out Value item))
        {
            if (!vm.Step()) return default;
            list.Add(item);
        }

        return vm.Failed ? default : list.ToValue();
    }

    private static Value Characters(Interpreter vm, in Value text)
    {
        var list = new ListBuilder(vm);
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(8L * bytes.Length)) return default;
        for (int at = 0; at < bytes.Length && !vm.Failed;)
        {
            int size = Math.Min(Utf8.Size(bytes[at]), bytes.Length - at);
            list.Add(Value.Str(text.Address + at, size, text.Flags));
            at += size;
        }

        return list.ToValue();
    }

    private static Value ByteItems(Interpreter vm, in Value bytes)
    {
        var list = new ListBuilder(vm);
        foreach (byte b in vm.Bytes(bytes)) list.Add(Value.Int(b));
        return list.ToValue();
    }

    private static Value ViewItems(Interpreter vm, in Value view)
    {
        if (!vm.Step(1 + (view.Length / 4))) return default;
        var list = new ListBuilder(vm);
        for (int i = 0; i < view.Length && !vm.Failed; i++)
        {
            Value key = vm.Cells[view.Address + (2 * i)];
            Value item = vm.Cells[view.Address + (2 * i) + 1];
            list.Add((ViewKind)view.Aux switch
            {
                ViewKind.Keys => key,
                ViewKind.Values => item,
                _ => vm.NewTuple(key, item),
            });
        }

        return list.ToValue();
    }

    private static Value LoopRest(Interpreter vm, in Value loop)
    {
        var list = new ListBuilder(vm);
        while (Loops.MoveNext(vm, loop.Address))
        {
            if (!vm.Step()) return default;
            list.Add(vm.NewTuple(Loops.Current(vm, loop.Address), loop));
        }

        return list.ToValue();
    }

    // Generators: a cell with the list of all items, one with the place, one with what fails at the end.

    /// <summary>
    /// What a lazy filter gives. Its items are worked out at once; if that failed, the failure shows when the place
    /// where it happened is reached, as in Python.
    /// </summary>
    public static Value Generator(Interpreter vm, ref ListBuilder items)
    {
        TemplateError error = vm.TakeError();
        if (vm.Failed || !vm.AllocateCells(3, out int address)) return default;
        vm.Cells[address] = items.ToValue();
        vm.Cells[address + 1] = Value.Int(0);
        vm.Cells[address + 2] = Value.Int((int)error);
        return new Value(Kind.Generator, address);
    }

    private static bool NextOfGenerator(Interpreter vm, in Value generator, out Value item)
    {
        item = default;
        Value list = vm.Cells[generator.Address];
        long position = vm.Cells[generator.Address + 1].Bits;
        if (position >= list.Length)
        {
            var error = (TemplateError)vm.Cells[generator.Address + 2].Bits;
            if (error != TemplateError.None) vm.Fail(error);
            return false;
        }

        item = vm.Cells[list.Address + (int)position];
        vm.Cells[generator.Address + 1] = Value.Int(position + 1);
        return true;
    }
}

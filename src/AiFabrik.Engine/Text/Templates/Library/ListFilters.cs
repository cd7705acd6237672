namespace AiFabrik.Engine.Text.Templates;

/// <summary>Filters on lists and dicts that keep their order, and those that take any value.</summary>
internal static class ListFilters
{
    public static readonly BuiltIn[] All =
    [
        new("length", "obj, /", (vm, p) => Length(vm, vm.Stack(p))),
        new("count", "obj, /", (vm, p) => Length(vm, vm.Stack(p))),
        new("list", "value", (vm, p) => ToList(vm, vm.Stack(p))),
        new("first", "seq", First),
        new("last", "seq", Last),
        new("items", "value", Items),
        new("reverse", "value", Reverse),
        new("sum", "iterable, attribute?, start?", Sum),
        new("batch", "value, linecount, fill_with?", Batch),
        new("slice", "value, slices, fill_with?", Slice),
        new("join", "value, d?, attribute?", Join),
        new("default", "value, default_value?, boolean?", Default),
        new("d", "value, default_value?, boolean?", Default),
        new("attr", "obj, name", Attribute),
        new("random", "seq", (vm, _) => vm.Fail(TemplateError.Runtime)),
        new("pprint", "value", (vm, p) => Repr(vm, vm.Stack(p))),
    ];

    private static Value Repr(Interpreter vm, in Value value)
    {
        var text = new TextBuilder(vm);
        Printing.Repr(ref text, value, 0);
        return text.ToValue();
    }

    public static Value Length(Interpreter vm, in Value value)
    {
        switch (value.Kind)
        {
            case Kind.Undefined: return Value.Int(0);
            case Kind.Str: return vm.StepBytes(value.Length) ? Value.Int(Utf8.Count(vm.Bytes(value))) : default;
            case Kind.List or Kind.Tuple or Kind.Dict or Kind.View or Kind.Bytes: return Value.Int(value.Length);
            case Kind.Range: return Value.Int(Ranges.Count(vm, value));
            case Kind.Loop: return Loops.Attribute(vm, value, "length"u8);
            default: return vm.Fail(TemplateError.Type);
        }
    }

    private static Value ToList(Interpreter vm, in Value value)
    {
        Value list = Iteration.ToList(vm, value);
        return vm.Failed ? default : new Value(Kind.List, list.Bits, list.Length);
    }

    private static Value First(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        if (value.IsStr) return value.Length == 0 ? Value.Undefined : Slices.At(vm, value, Value.Int(0));
        Value source = Iteration.Open(vm, value);
        Value position = Value.Int(0);
        return Iteration.Next(vm, source, ref position, out Value item) ? item : vm.Failed ? default : Value.Undefined;
    }

    private static Value Last(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        if (value.Kind is Kind.Generator or Kind.Loop) return vm.Fail(TemplateError.Type);
        if (value.Kind is Kind.Str or Kind.List or Kind.Tuple or Kind.Range) return Slices.At(vm, value, Value.Int(-1));
        Value list = Iteration.ToList(vm, value);
        return vm.Failed ? default : list.Length == 0 ? Value.Undefined : vm.Cells[list.Address + list.Length - 1];
    }

    private static Value Items(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        var items = new ListBuilder(vm);
        if (value.Kind == Kind.Dict)
        {
            for (int i = 0; i < value.Length && vm.Step(); i++)
                items.Add(vm.NewTuple(Dicts.Key(vm, value, i), Dicts.ValueAt(vm, value, i)));
        }
        else if (!value.IsUndefined)
        {
            vm.Fail(TemplateError.Type);
        }

        return Iteration.Generator(vm, ref items);
    }

    private static Value Reverse(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        if (value.IsStr) return Slices.Slice(vm, value, Value.None, Value.None, Value.Int(-1));
        if (value.Kind is Kind.None or Kind.Bool or Kind.Int or Kind.BigInt or Kind.Float) return vm.Fail(TemplateError.Runtime);
        Value list = Iteration.ToList(vm, value);
        var reversed = new ListBuilder(vm);
        for (int i = list.Length - 1; i >= 0 && vm.Step(); i--) reversed.Add(vm.Cells[list.Address + i]);
        if (vm.Failed) return default;
        return value.Kind == Kind.Generator ? reversed.ToValue() : Iteration.Generator(vm, ref reversed);
    }

    private static Value Sum(Interpreter vm, int p)
    {
        Value source = Iteration.Open(vm, vm.Stack(p));
        Value position = Value.Int(0);
        Value total = vm.Stack(p + 2).IsMissing ? Value.Int(0) : vm.Stack(p + 2);
        if (total.IsStr) return vm.Fail(TemplateError.Type);
        while (Iteration.Next(vm, source, ref position, out Value item) && vm.Step())
        {
            item = AttributePath.Get(vm, item, vm.Stack(p + 1), Value.None);
            if (!vm.Failed) total = Arithmetic.Apply(vm, Operator.Add, total, item);
        }

        return vm.Failed ? default : total;
    }

    private static bool Fills(in Value fill) => !fill.IsMissing && !fill.IsNone;

    private static Value Batch(Interpreter vm, int p)
    {
        var batches = new ListBuilder(vm);
        Value list = Iteration.ToList(vm, vm.Stack(p));
        Value size = vm.Stack(p + 1);
        Value fill = vm.Stack(p + 2);
        if (!vm.Failed && !size.IsInteger) vm.Fail(TemplateError.Type);
        long count = vm.Failed ? 0 : Slices.Clamp(vm, size);
        if (count <= 0) count = long.MaxValue;
        for (int at = 0; at < list.Length && !vm.Failed;)
        {
            var batch = new ListBuilder(vm);
            for (; at < list.Length && batch.Count < count && vm.Step(); at++) batch.Add(vm.Cells[list.Address + at]);
            if (at == list.Length && Fills(fill) && batch.Count < count)
            {
                if (count > vm.Limits.ListItemsMax) return vm.FailLimit(TemplateLimit.ListItems);
                while (batch.Count < count && vm.Step()) batch.Add(fill);
            }

            batches.Add(batch.ToValue());
        }

        return Iteration.Generator(vm, ref batches);
    }

    private static Value Slice(Interpreter vm, int p)
    {
        var slices = new ListBuilder(vm);
        Value list = Iteration.ToList(vm, vm.Stack(p));
        Value number = vm.Stack(p + 1);
        Value fill = vm.Stack(p + 2);
        if (!vm.Failed && !number.IsInteger) vm.Fail(TemplateError.Type);
        long count = vm.Failed ? 0 : Slices.Clamp(vm, number);
        if (count == 0 && !vm.Failed) vm.Fail(TemplateError.Value);
        if (count > vm.Limits.ListItemsMax) return vm.FailLimit(TemplateLimit.ListItems);
        long extra = vm.Failed || count < 0 ? 0 : list.Length % count;
        int at = 0;
        for (long i = 0; i < count && vm.Step(); i++)
        {
            int length = (int)((list.Length / count) + (i < extra ? 1 : 0));
            var slice = new ListBuilder(vm);
            for (int k = 0; k < length; k++) slice.Add(vm.Cells[list.Address + at++]);
            if (Fills(fill) && i >= extra) slice.Add(fill);
            slices.Add(slice.ToValue());
        }

        return Iteration.Generator(vm, ref slices);
    }

    private static Value Join(Interpreter vm, int p)
    {
        Value separator = vm.Stack(p + 1).IsMissing ? Value.Str(0, 0) : Printing.ToText(vm, vm.Stack(p + 1));
        if (vm.Autoescape) separator = Escaping.Escape(vm, separator);
        Value source = Iteration.Open(vm, vm.Stack(p));
        Value position = Value.Int(0);
        var text = new TextBuilder(vm);
        bool first = true;
        while (Iteration.Next(vm, source, ref position, out Value item) && vm.Step())
        {
            if (!first) text.Append(separator);
            first = false;
            item = AttributePath.Get(vm, item, vm.Stack(p + 2), Value.None);
            if (vm.Failed) return default;
            if (vm.Autoescape) text.Append(Escaping.Escape(vm, Printing.ToText(vm, item)));
            else Printing.Write(ref text, item);
        }

        return vm.Failed ? default : text.ToValue(vm.Autoescape ? ValueFlags.Markup : ValueFlags.None);
    }

    private static Value Default(Interpreter vm, int p)
    {
        Value value = vm.Stack(p);
        bool replace = value.IsUndefined || (Truth.Of(vm, vm.Stack(p + 2)) && !Truth.Of(vm, value));
        if (!replace) return value;
        return vm.Stack(p + 1).IsMissing ? Value.Str(0, 0) : vm.Stack(p + 1);
    }

    private static Value Attribute(Interpreter vm, int p)
    {
        Value name = Printing.ToText(vm, vm.Stack(p + 1));
        if (vm.Failed) return default;
        Value own = Attributes.Own(vm, vm.Stack(p), name, Methods.Find(vm.Bytes(name)));
        return own.IsMissing && !vm.Failed ? Value.Undefined : own;
    }
}

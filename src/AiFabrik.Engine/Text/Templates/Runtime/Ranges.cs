namespace AiFabrik.Engine.Text.Templates;

/// <summary>A range: three cells that hold start, stop and step.</summary>
internal static class Ranges
{
    public static Value Make(Interpreter vm, long start, long stop, long step)
    {
        if (!vm.AllocateCells(3, out int address)) return default;
        vm.Cells[address] = Value.Int(start);
        vm.Cells[address + 1] = Value.Int(stop);
        vm.Cells[address + 2] = Value.Int(step);
        return new Value(Kind.Range, address);
    }

    public static long Start(Interpreter vm, in Value range) => vm.Cells[range.Address].Bits;

    public static long Stop(Interpreter vm, in Value range) => vm.Cells[range.Address + 1].Bits;

    public static long Step(Interpreter vm, in Value range) => vm.Cells[range.Address + 2].Bits;

    public static long Count(Interpreter vm, in Value range) =>
        Count(Start(vm, range), Stop(vm, range), Step(vm, range));

    public static long Count(long start, long stop, long step)
    {
        if (step > 0 ? start >= stop : start <= stop) return 0;
        Int128 distance = step > 0 ? (Int128)stop - start : (Int128)start - stop;
        Int128 count = ((distance - 1) / Int128.Abs(step)) + 1;
        return count > long.MaxValue ? long.MaxValue : (long)count;
    }

    public static long At(Interpreter vm, in Value range, long index) => Start(vm, range) + (index * Step(vm, range));

    public static bool Contains(Interpreter vm, in Value range, long value)
    {
        long start = Start(vm, range);
        long step = Step(vm, range);
        long offset = value - start;
        return offset % step == 0 && offset / step >= 0 && offset / step < Count(vm, range);
    }

    /// <summary>The range function: one, two or three integers.</summary>
    public static Value Call(Interpreter vm, in Arguments given)
    {
        if (given.Keywords > 0 || given.Count is < 1 or > 3) return vm.Fail(TemplateError.Type);
        Span<long> bounds = stackalloc long[3];
        for (int i = 0; i < given.Count; i++)
        {
            Value bound = given[vm, i];
            if (bound.Kind == Kind.BigInt) return vm.FailLimit(TemplateLimit.RangeItems);
            if (bound.Kind is not (Kind.Int or Kind.Bool)) return vm.Fail(TemplateError.Type);
            bounds[i] = bound.Bits;
        }

        (long start, long stop) = given.Count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1]);
        long step = given.Count == 3 ? bounds[2] : 1;
        if (step == 0) return vm.Fail(TemplateError.Value);
        if (Count(start, stop, step) > TemplateLimits.RangeItemsMax) return vm.FailLimit(TemplateLimit.RangeItems);
        return Make(vm, start, stop, step);
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Subscripts with colons, and the arithmetic of indices that Python shares among its methods.</summary>
internal static class Slices
{
    public static Value Slice(Interpreter vm, in Value target, in Value start, in Value stop, in Value step)
    {
        if (target.IsUndefined) return vm.Fail(TemplateError.Undefined);
        if (target.Kind is not (Kind.Str or Kind.Bytes or Kind.List or Kind.Tuple or Kind.Range)) return Value.Undefined;
        if (!IsIndex(start) || !IsIndex(stop) || !IsIndex(step)) return Value.Undefined;
        long by = step.IsNone ? 1 : Clamp(vm, step);
        if (by == 0) return vm.Fail(TemplateError.Value);
        long length = Length(vm, target);
        long from = Bound(vm, start, length, by, by > 0 ? 0 : length - 1);
        long to = Bound(vm, stop, length, by, by > 0 ? length : -1);
        long count = Ranges.Count(from, to, by);
        return target.Kind switch
        {
            Kind.Str => Text(vm, target, from, by, count),
            Kind.Bytes => by == 1 ? new Value(Kind.Bytes, target.Bits + from, (int)count) : Value.Undefined,
            Kind.Range => Ranges.Make(vm, Ranges.At(vm, target, from), Ranges.At(vm, target, from + (count * by)),
                Ranges.Step(vm, target) * by),
            _ => Items(vm, target, from, by, count),
        };
    }

    public static bool IsIndex(in Value value) => value.IsNone || value.IsInteger;

    private static long Length(Interpreter vm, in Value target) => target.Kind switch
    {
        Kind.Str => Utf8.Count(vm.Bytes(target)),
        Kind.Range => Ranges.Count(vm, target),
        _ => target.Length,
    };

    /// <summary>An integer, cut to what any index can mean.</summary>
    public static long Clamp(Interpreter vm, in Value value)
    {
        if (value.Kind == Kind.BigInt) return vm.Bytes(value)[0] == (byte)'-' ? -(1L << 40) : 1L << 40;
        return Math.Clamp(value.Bits, -(1L << 40), 1L << 40);
    }

    private static long Bound(Interpreter vm, in Value value, long length, long step, long otherwise)
    {
        if (value.IsNone) return otherwise;
        long index = Clamp(vm, value);
        if (index < 0) index += length;
        return step > 0 ? Math.Clamp(index, 0, length) : Math.Clamp(index, -1, length - 1);
    }

    private static Value Text(Interpreter vm, in Value text, long from, long step, long count)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        if (!vm.StepBytes(bytes.Length)) return default;
        if (count == 0) return Value.Str(0, 0, text.Flags);
        if (step == 1)
        {
            int start = Utf8.Offset(bytes, (int)from);
            int end = start + Utf8.Offset(bytes[start..], (int)count);
            return Value.Str(text.Address + start, end - start, text.Flags);
        }

        var result = new TextBuilder(vm);
        bool ascii = System.Text.Ascii.IsValid(bytes);
        Value characters = ascii ? default : Iteration.Open(vm, text);
        for (long i = 0; i < count && !vm.Failed; i++)
        {
            int at = (int)(from + (i * step));
            if (ascii) result.AppendRange(text.Address + at, 1);
            else result.Append(vm.Cells[characters.Address + at]);
        }

        return result.ToValue(text.Flags);
    }

    private static Value Items(Interpreter vm, in Value list, long from, long step, long count)
    {
        if (step == 1 && count > 0) return new Value(list.Kind, list.Address + from, (int)count);
        var result = new ListBuilder(vm);
        if (count > 0) result.Grow((int)count);
        for (long i = 0; i < count && vm.Step(); i++) result.Add(vm.Cells[list.Address + (int)(from + (i * step))]);
        if (count == 0) result.Grow(1);
        return result.ToValue(list.Kind);
    }

    /// <summary>The item at an index that may count from the end; undefined outside.</summary>
    public static Value At(Interpreter vm, in Value target, in Value index)
    {
        long length = Length(vm, target);
        long at = Clamp(vm, index);
        if (at < 0) at += length;
        if (at < 0 || at >= length) return Value.Undefined;
        switch (target.Kind)
        {
            case Kind.Str:
                ReadOnlySpan<byte> bytes = vm.Bytes(target);
                if (!vm.StepBytes(bytes.Length)) return default;
                int start = Utf8.Offset(bytes, (int)at);
                return Value.Str(target.Address + start, Math.Min(Utf8.Size(bytes[start]), bytes.Length - start), target.Flags);
            case Kind.Bytes: return Value.Int(vm.Bytes(target)[(int)at]);
            case Kind.Range: return Value.Int(Ranges.At(vm, target, at));
            default: return vm.Cells[target.Address + (int)at];
        }
    }

    /// <summary>
    /// The bytes of a string between two optional code point indices (of <c>find</c>, <c>startswith</c> and the like);
    /// false if the start lies behind the end or an index is no integer.
    /// </summary>
    public static bool TryWindow(Interpreter vm, in Value text, in Value start, in Value stop, out int from, out int to)
    {
        ReadOnlySpan<byte> bytes = vm.Bytes(text);
        from = 0;
        to = bytes.Length;
        if (start.IsMissing && stop.IsMissing) return true;
        if (!(start.IsMissing || IsIndex(start)) || !(stop.IsMissing || IsIndex(stop)))
        {
            vm.Fail(TemplateError.Type);
            return false;
        }

        long length = Utf8.Count(bytes);
        long first = start.IsMissing || start.IsNone ? 0 : Clamp(vm, start);
        long last = stop.IsMissing || stop.IsNone ? length : Clamp(vm, stop);
        if (first < 0) first = Math.Max(0, first + length);
        if (last < 0) last = Math.Max(0, last + length);
        last = Math.Min(last, length);
        if (first > last) return false;
        from = Utf8.Offset(bytes, (int)first);
        to = Utf8.Offset(bytes, (int)last);
        return true;
    }
}

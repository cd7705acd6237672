namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// The state of a running loop, in cells: Jinja's LoopContext. Items are taken one at a time, so that the loop's
/// filter sees what the passes before it have done; <c>last</c> and <c>nextitem</c> look one item ahead, and
/// <c>length</c> takes the rest where there is no other way.
/// </summary>
internal static class Loops
{
    // Cells of the record.
    private const int Source = 0;
    private const int Position = 1;
    private const int Item = 2;
    private const int Before = 3;
    private const int After = 4;
    private const int Index = 5;
    private const int LengthKnown = 6;
    private const int LastChanged = 7;
    private const int Node = 8;
    private const int TestScope = 9;
    private const int CellCount = 10;

    /// <summary>In <see cref="After"/>: there is no next item.</summary>
    private const ushort Ended = 1;

    public static int Begin(Interpreter vm, ForStatement node, Value iterable, int depth)
    {
        Value source = Iteration.Open(vm, iterable);
        if (vm.Failed || !vm.AllocateCells(CellCount, out int loop)) return 0;
        vm.Cells[loop + Source] = source;
        vm.Cells[loop + Position] = Value.Int(0);
        vm.Cells[loop + Index] = new Value(Kind.Int, -1, depth);
        vm.Cells[loop + Node] = new Value(Kind.Int, vm.Scope, node.Index);
        if (node.Test is not null)
        {
            int outer = vm.Scope;
            vm.Cells[loop + TestScope] = Value.Int(vm.EnterScope(node.Names));
            vm.Scope = outer;
        }

        return loop;
    }

    public static bool MoveNext(Interpreter vm, int loop)
    {
        if (!Peek(vm, loop, out Value next)) return false;
        Value index = vm.Cells[loop + Index];
        vm.Cells[loop + Index] = new Value(Kind.Int, index.Bits + 1, index.Length);
        vm.Cells[loop + Before] = vm.Cells[loop + Item];
        vm.Cells[loop + Item] = next;
        vm.Cells[loop + After] = default;
        return true;
    }

    public static Value Current(Interpreter vm, int loop) => vm.Cells[loop + Item];

    private static bool Peek(Interpreter vm, int loop, out Value next)
    {
        next = vm.Cells[loop + After];
        if (!next.IsMissing) return true;
        if (next.Aux == Ended || !Take(vm, loop, out next))
        {
            vm.Cells[loop + After] = new Value(Kind.Missing, 0, 0, Ended);
            return false;
        }

        vm.Cells[loop + After] = next;
        return true;
    }

    /// <summary>Takes the next item of the source that passes the loop's test.</summary>
    private static bool Take(Interpreter vm, int loop, out Value item)
    {
        ForStatement node = vm.Program.Loops[vm.Cells[loop + Node].Length];
        int testScope = (int)vm.Cells[loop + TestScope].Bits;
        while (Iteration.Next(vm, vm.Cells[loop + Source], ref vm.Cells[loop + Position], out item))
        {
            if (testScope == 0) return true;
            if (!vm.Step()) return false;
            int outer = vm.Scope;
            vm.Scope = testScope;
            Assignment.Assign(vm, node.Target, item);
            Value passes = vm.Failed ? default : node.Test!.Eval(vm);
            vm.Scope = outer;
            if (vm.Failed) return false;
            if (Truth.Of(vm, passes)) return true;
        }

        return false;
    }

    private static long Length(Interpreter vm, int loop)
    {
        Value known = vm.Cells[loop + LengthKnown];
        if (!known.IsMissing) return known.Bits;
        Value source = vm.Cells[loop + Source];
        long length;
        if (source.Kind != Kind.Generator && vm.Cells[loop + TestScope].IsMissing)
        {
            length = Iteration.Count(vm, source);
        }
        else
        {
            var rest = new ListBuilder(vm);
            while (!vm.Failed && Take(vm, loop, out Value item)) rest.Add(item);
            if (vm.Failed) return 0;
            vm.Cells[loop + Source] = rest.ToValue();
            vm.Cells[loop + Position] = Value.Int(0);
            vm.Cells[loop + TestScope] = default;
            Value after = vm.Cells[loop + After];
            length = rest.Count + vm.Cells[loop + Index].Bits + 1 + (after.IsMissing ? 0 : 1);
            if (after.Aux == Ended && after.IsMissing) vm.Cells[loop + After] = default;
        }

        vm.Cells[loop + LengthKnown] = Value.Int(length);
        return length;
    }

    public static Value Attribute(Interpreter vm, Value value, ReadOnlySpan<byte> name)
    {
        int loop = value.Address;
        Value index = vm.Cells[loop + Index];
        return name switch
        {
            _ when name.SequenceEqual("index"u8) => Value.Int(index.Bits + 1),
            _ when name.SequenceEqual("index0"u8) => Value.Int(index.Bits),
            _ when name.SequenceEqual("first"u8) => Value.Bool(index.Bits == 0),
            _ when name.SequenceEqual("last"u8) => Value.Bool(!Peek(vm, loop, out _)),
            _ when name.SequenceEqual("length"u8) => Value.Int(Length(vm, loop)),
            _ when name.SequenceEqual("revindex"u8) => Value.Int(Length(vm, loop) - index.Bits),
            _ when name.SequenceEqual("revindex0"u8) => Value.Int(Length(vm, loop) - index.Bits - 1),
            _ when name.SequenceEqual("depth"u8) => Value.Int(index.Length + 1),
            _ when name.SequenceEqual("depth0"u8) => Value.Int(index.Length),
            _ when name.SequenceEqual("previtem"u8) => index.Bits == 0 ? Value.Undefined : vm.Cells[loop + Before],
            _ when name.SequenceEqual("nextitem"u8) => Peek(vm, loop, out Value next) ? next : Value.Undefined,
            _ => Value.Undefined,
        };
    }

    public static Value Cycle(Interpreter vm, in Arguments given)
    {
        if (given.Count < 2 || given.Keywords > 0) return vm.Fail(TemplateError.Type);
        long index = vm.Cells[given[vm, 0].Address + Index].Bits;
        return given[vm, 1 + (int)(index % (given.Count - 1))];
    }

    public static Value Changed(Interpreter vm, in Arguments given)
    {
        if (given.Keywords > 0) return vm.Fail(TemplateError.Type);
        int loop = given[vm, 0].Address;
        var list = new ListBuilder(vm);
        for (int i = 1; i < given.Count; i++) list.Add(given[vm, i]);
        Value now = list.ToValue(Kind.Tuple);
        Value before = vm.Cells[loop + LastChanged];
        if (vm.Failed || (!before.IsMissing && Ordering.Equal(vm, before, now))) return vm.Failed ? default : Value.False;
        vm.Cells[loop + LastChanged] = now;
        return Value.True;
    }

    /// <summary>Calls a recursive loop: runs its body over another value and gives what that writes.</summary>
    public static Value Recurse(Interpreter vm, Value value, in Arguments given)
    {
        int loop = value.Address;
        Value at = vm.Cells[loop + Node];
        ForStatement node = vm.Program.Loops[at.Length];
        if (!node.IsRecursive || given.Count != 1 || given.Keywords > 0) return vm.Fail(TemplateError.Type);
        if (!vm.EnterCall()) return default;
        int outer = vm.Scope;
        TextBuilder saved = vm.Out;
        vm.Scope = at.Address;
        vm.Out = new TextBuilder(vm);
        node.RunOver(vm, given[vm, 0], vm.Cells[loop + Index].Length + 1);
        Value text = vm.Out.ToValue(vm.Autoescape ? ValueFlags.Markup : ValueFlags.None);
        vm.Out = saved;
        vm.Scope = outer;
        vm.Depth--;
        return vm.Failed ? default : text;
    }
}

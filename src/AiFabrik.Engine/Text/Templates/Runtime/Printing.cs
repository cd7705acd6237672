using System.Buffers.Text;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Values as text: Python's <c>str</c> and <c>repr</c>.</summary>
internal static class Printing
{
    /// <summary>The value as a string.</summary>
    public static Value ToText(Interpreter vm, in Value value)
    {
        if (vm.Failed || value.IsStr) return value;
        var text = new TextBuilder(vm);
        Write(ref text, value);
        return vm.Failed ? default : text.ToValue();
    }

    /// <summary>Writes what printing the value gives.</summary>
    public static void Write(ref TextBuilder text, in Value value)
    {
        if (value.IsStr) text.Append(value);
        else if (!value.IsUndefined) Repr(ref text, value, 0);
    }

    /// <summary>Writes a value as it shows inside a list.</summary>
    public static void Repr(ref TextBuilder text, in Value value, int depth)
    {
        Interpreter vm = text.Vm;
        if (!vm.Step()) return;
        bool trusted = (value.Flags & ValueFlags.Request) == 0;
        switch (value.Kind)
        {
            case Kind.Undefined: text.Append("Undefined"u8, true); break;
            case Kind.None: text.Append("None"u8, trusted); break;
            case Kind.Bool: text.Append(value.Bits != 0 ? "True"u8 : "False"u8, trusted); break;
            case Kind.Int: Integer(ref text, value.Bits, trusted); break;
            case Kind.BigInt: text.Append(value); break;
            case Kind.Float: Float(ref text, value.AsFloat, trusted); break;
            case Kind.Str: Quoted.Write(ref text, value); break;
            case Kind.Bytes: Quoted.WriteBytes(ref text, value); break;
            case Kind.Macro: Angle(ref text, "Macro '"u8, vm.Program.Names[vm.Program.Macros[value.Length].Name], "'>"u8); break;
            case Kind.Range: Range(ref text, value); break;
            case Kind.List or Kind.Tuple or Kind.Dict or Kind.View or Kind.Namespace: Collection(ref text, value, depth); break;
            case Kind.Loop: LoopText(ref text, value); break;
            default: text.Append("<object>"u8, true); break;
        }
    }

    public static void Integer(ref TextBuilder text, long value, bool trusted)
    {
        Span<byte> digits = stackalloc byte[24];
        Utf8Formatter.TryFormat(value, digits, out int length);
        text.Append(digits[..length], trusted);
    }

    private static void Float(ref TextBuilder text, double value, bool trusted)
    {
        Span<byte> digits = stackalloc byte[FloatText.ReprMax];
        text.Append(digits[..FloatText.Repr(value, digits)], trusted);
    }

    private static void Angle(ref TextBuilder text, ReadOnlySpan<byte> before, in Value name, ReadOnlySpan<byte> after)
    {
        text.Append("<"u8, true);
        text.Append(before, true);
        text.Append(name);
        text.Append(after, true);
    }

    private static void LoopText(ref TextBuilder text, in Value loop)
    {
        text.Append("<LoopContext "u8, true);
        Integer(ref text, Loops.Attribute(text.Vm, loop, "index"u8).Bits, true);
        text.Append("/"u8, true);
        Integer(ref text, Loops.Attribute(text.Vm, loop, "length"u8).Bits, true);
        text.Append(">"u8, true);
    }

    private static void Range(ref TextBuilder text, in Value range)
    {
        text.Append("range("u8, true);
        Integer(ref text, Ranges.Start(text.Vm, range), true);
        text.Append(", "u8, true);
        Integer(ref text, Ranges.Stop(text.Vm, range), true);
        long step = Ranges.Step(text.Vm, range);
        if (step != 1)
        {
            text.Append(", "u8, true);
            Integer(ref text, step, true);
        }

        text.Append(")"u8, true);
    }

    private static void Collection(ref TextBuilder text, in Value value, int depth)
    {
        Interpreter vm = text.Vm;
        if (depth > vm.Limits.ValueDepthMax) vm.FailLimit(TemplateLimit.Depth);
        if (!vm.HasStack()) return;
        switch (value.Kind)
        {
            case Kind.List: Items(ref text, value, "["u8, "]"u8, depth); break;
            case Kind.Tuple: Items(ref text, value, "("u8, value.Length == 1 ? ",)"u8 : ")"u8, depth); break;
            case Kind.Dict: Pairs(ref text, value, depth); break;
            case Kind.Namespace: NamespaceText(ref text, value, depth); break;
            default:
                text.Append((ViewKind)value.Aux switch
                {
                    ViewKind.Keys => "dict_keys("u8,
                    ViewKind.Values => "dict_values("u8,
                    _ => "dict_items("u8,
                }, true);
                Items(ref text, Iteration.ToList(vm, value), "["u8, "]"u8, depth);
                text.Append(")"u8, true);
                break;
        }
    }

    private static void Items(ref TextBuilder text, in Value list, ReadOnlySpan<byte> open, ReadOnlySpan<byte> close, int depth)
    {
        Interpreter vm = text.Vm;
        text.Append(open, true);
        for (int i = 0; i < list.Length && !vm.Failed; i++)
        {
            if (i > 0) text.Append(", "u8, true);
            Repr(ref text, vm.Cells[list.Address + i], depth + 1);
        }

        text.Append(close, true);
    }

    private static void Pairs(ref TextBuilder text, in Value dict, int depth)
    {
        Interpreter vm = text.Vm;
        text.Append("{"u8, true);
        for (int i = 0; i < dict.Length && !vm.Failed; i++)
        {
            if (i > 0) text.Append(", "u8, true);
            Repr(ref text, Dicts.Key(vm, dict, i), depth + 1);
            text.Append(": "u8, true);
            Repr(ref text, Dicts.ValueAt(vm, dict, i), depth + 1);
        }

        text.Append("}"u8, true);
    }

    /// <summary>A namespace may hold itself, which shows as <c>{...}</c>: while it is printed its cell is empty.</summary>
    private static void NamespaceText(ref TextBuilder text, in Value value, int depth)
    {
        Interpreter vm = text.Vm;
        Value dict = vm.Cells[value.Address];
        text.Append("<Namespace "u8, true);
        if (dict.IsMissing)
        {
            text.Append("{...}>"u8, true);
            return;
        }

        vm.Cells[value.Address] = default;
        Pairs(ref text, dict, depth);
        vm.Cells[value.Address] = dict;
        text.Append(">"u8, true);
    }
}

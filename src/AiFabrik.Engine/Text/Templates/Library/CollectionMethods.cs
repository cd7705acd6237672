using System.Numerics;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>The methods of dicts, lists, tuples, ranges, bytes and numbers. What would change its object is forbidden.</summary>
internal static class CollectionMethods
{
    public static readonly BuiltIn[] OfDict =
    [
        new("keys", "self, /", (vm, p) => View(vm.Stack(p), ViewKind.Keys)),
        new("values", "self, /", (vm, p) => View(vm.Stack(p), ViewKind.Values)),
        new("items", "self, /", (vm, p) => View(vm.Stack(p), ViewKind.Items)),
        new("get", "self, key, default?, /", Get),
        new("copy", "self, /", (vm, p) => Copy(vm, vm.Stack(p))),
        new("fromkeys", "self, iterable, value?, /", FromKeys),
        new("clear"), new("pop"), new("popitem"), new("setdefault"), new("update"),
    ];

    public static readonly BuiltIn[] OfList =
    [
        new("count", "self, value, /", Count),
        new("index", "self, value, start?, stop?, /", Index),
        new("copy", "self, /", (vm, p) => Copy(vm, vm.Stack(p))),
        new("append"), new("clear"), new("extend"), new("insert"), new("pop"), new("remove"), new("reverse"), new("sort"),
    ];

    public static readonly BuiltIn[] OfTuple =
    [
        new("count", "self, value, /", Count),
        new("index", "self, value, start?, stop?, /", Index),
    ];

    public static readonly BuiltIn[] OfBytes =
    [
        new("decode", "self, encoding?, errors?", (vm, p) => Value.Str(vm.Stack(p).Address, vm.Stack(p).Length)),
    ];

    public static readonly BuiltIn[] OfGlobal = [new("fromkeys", "self, iterable, value?, /", FromKeys)];

    public static readonly BuiltIn[] OfInteger =
    [
        new("bit_length", "self, /", (vm, p) => Bits(vm, vm.Stack(p), false)),
        new("bit_count", "self, /", (vm, p) => Bits(vm, vm.Stack(p), true)),
        new("conjugate", "self, /", (vm, p) => Arithmetic.Sign(vm, false, vm.Stack(p))),
        new("as_integer_ratio", "self, /", (vm, p) => vm.NewTuple(Arithmetic.Sign(vm, false, vm.Stack(p)), Value.Int(1))),
    ];

    public static readonly BuiltIn[] OfFloat =
    [
        new("is_integer", "self, /", (vm, p) => Value.Bool(double.IsFinite(vm.Stack(p).AsFloat) && Math.Floor(vm.Stack(p).AsFloat) == vm.Stack(p).AsFloat)),
        new("conjugate", "self, /", (vm, p) => vm.Stack(p)),
        new("as_integer_ratio", "self, /", Ratio),
    ];

    private static Value View(in Value dict, ViewKind kind) => new(Kind.View, dict.Bits, dict.Length, (ushort)kind);

    private static Value Get(Interpreter vm, int p)
    {
        if (!Dicts.IsHashable(vm, vm.Stack(p + 1), 0)) return vm.Fail(TemplateError.Type);
        Value value = Dicts.Get(vm, vm.Stack(p), vm.Stack(p + 1));
        if (!value.IsMissing) return value;
        return vm.Stack(p + 2).IsMissing ? Value.None : vm.Stack(p + 2);
    }

    /// <summary>The same items at an address of their own: equal, but not the same object.</summary>
    private static Value Copy(Interpreter vm, in Value value)
    {
        int cells = value.Kind == Kind.Dict ? 2 * value.Length : value.Length;
        var copy = new ListBuilder(vm);
        copy.Grow(Math.Max(1, cells));
        for (int i = 0; i < cells && vm.Step(); i++) copy.Add(vm.Cells[value.Address + i]);
        if (vm.Failed) return default;
        return value.Kind == Kind.Dict ? Dicts.FromPairs(vm, ref copy) : copy.ToValue();
    }

    private static Value FromKeys(Interpreter vm, int p)
    {
        if (vm.Stack(p).Kind == Kind.Global && !GlobalFunctions.IsDict(vm.Stack(p))) return vm.Fail(TemplateError.Undefined);
        Value keys = Iteration.ToList(vm, vm.Stack(p + 1));
        var pairs = new ListBuilder(vm);
        for (int i = 0; i < keys.Length && vm.Step(); i++)
        {
            pairs.Add(vm.Cells[keys.Address + i]);
            pairs.Add(vm.Stack(p + 2).IsMissing ? Value.None : vm.Stack(p + 2));
        }

        return vm.Failed ? default : Dicts.FromPairs(vm, ref pairs);
    }

    private static Value Count(Interpreter vm, int p)
    {
        Value list = Iteration.ToList(vm, vm.Stack(p));
        long count = 0;
        for (int i = 0; i < list.Length && vm.Step(); i++)
        {
            if (Ordering.Equal(vm, vm.Cells[list.Address + i], vm.Stack(p + 1))) count++;
        }

        return vm.Failed ? default : Value.Int(count);
    }

    private static Value Index(Interpreter vm, int p)
    {
        Value list = Iteration.ToList(vm, vm.Stack(p));
        Value start = vm.Stack(p + 2);
        Value stop = vm.Stack(p + 3);
        if (!(start.IsMissing || start.IsInteger) || !(stop.IsMissing || stop.IsInteger)) return vm.Fail(TemplateError.Type);
        long from = start.IsMissing ? 0 : Slices.Clamp(vm, start);
        long to = stop.IsMissing ? list.Length : Slices.Clamp(vm, stop);
        if (from < 0) from = Math.Max(0, from + list.Length);
        if (to < 0) to += list.Length;
        for (long i = from; i < Math.Min(to, list.Length) && vm.Step(); i++)
        {
            if (Ordering.Equal(vm, vm.Cells[list.Address + (int)i], vm.Stack(p + 1))) return Value.Int(i);
        }

        return vm.Fail(TemplateError.Value);
    }

    private static Value Bits(Interpreter vm, in Value value, bool ones)
    {
        if (!Integers.TryGet(vm, value, out BigInteger integer)) return default;
        integer = BigInteger.Abs(integer);
        if (!ones) return Value.Int(integer.IsZero ? 0 : (long)integer.GetBitLength());
        long count = 0;
        for (; !integer.IsZero; integer >>= 32) count += BitOperations.PopCount((uint)(integer & uint.MaxValue));
        return Value.Int(count);
    }

    private static Value Ratio(Interpreter vm, int p)
    {
        double value = vm.Stack(p).AsFloat;
        if (!double.IsFinite(value)) return vm.Fail(TemplateError.Value);
        BigInteger denominator = 1;
        while (Math.Floor(value) != value)
        {
            value *= 2;
            denominator *= 2;
        }

        return vm.NewTuple(Integers.FromDouble(vm, value, vm.Stack(p).Flags), Integers.Make(vm, denominator, vm.Stack(p).Flags));
    }
}

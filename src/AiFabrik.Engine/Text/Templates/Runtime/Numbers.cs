using System.Numerics;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Comparing numbers exactly, whatever their kinds.</summary>
internal static class Numbers
{
    public static bool Equal(Interpreter vm, in Value a, in Value b)
    {
        if (a.Kind == Kind.Float && b.Kind == Kind.Float) return a.AsFloat == b.AsFloat;
        if (a.Kind == Kind.Float) return !double.IsNaN(a.AsFloat) && Order(vm, b, a.AsFloat) == 0;
        if (b.Kind == Kind.Float) return !double.IsNaN(b.AsFloat) && Order(vm, a, b.AsFloat) == 0;
        if (a.Kind == Kind.BigInt || b.Kind == Kind.BigInt)
            return a.Kind == b.Kind && vm.Bytes(a).SequenceEqual(vm.Bytes(b));
        return a.Bits == b.Bits;
    }

    public static bool Compare(Interpreter vm, Comparison operation, in Value a, in Value b)
    {
        if (a.Kind == Kind.Float && b.Kind == Kind.Float)
        {
            return operation switch
            {
                Comparison.Lt => a.AsFloat < b.AsFloat,
                Comparison.LtEq => a.AsFloat <= b.AsFloat,
                Comparison.Gt => a.AsFloat > b.AsFloat,
                _ => a.AsFloat >= b.AsFloat,
            };
        }

        if ((a.Kind == Kind.Float && double.IsNaN(a.AsFloat)) || (b.Kind == Kind.Float && double.IsNaN(b.AsFloat))) return false;
        if (a.Kind == Kind.Float) return Ordering.Is(operation, -Order(vm, b, a.AsFloat));
        if (b.Kind == Kind.Float) return Ordering.Is(operation, Order(vm, a, b.AsFloat));
        return Ordering.Is(operation, OrderIntegers(vm, a, b));
    }

    private static int OrderIntegers(Interpreter vm, in Value a, in Value b)
    {
        if (a.Kind != Kind.BigInt && b.Kind != Kind.BigInt) return a.Bits.CompareTo(b.Bits);
        ReadOnlySpan<byte> x = Digits(vm, a, out bool aNegative);
        ReadOnlySpan<byte> y = Digits(vm, b, out bool bNegative);
        if (a.Kind != Kind.BigInt) return bNegative ? 1 : -1;
        if (b.Kind != Kind.BigInt || aNegative != bNegative) return aNegative ? -1 : 1;
        int order = x.Length != y.Length ? x.Length.CompareTo(y.Length) : x.SequenceCompareTo(y);
        return aNegative ? -order : order;
    }

    private static ReadOnlySpan<byte> Digits(Interpreter vm, in Value value, out bool negative)
    {
        ReadOnlySpan<byte> digits = value.Kind == Kind.BigInt ? vm.Bytes(value) : [];
        negative = digits.Length > 0 && digits[0] == (byte)'-';
        return negative ? digits[1..] : digits;
    }

    /// <summary>An integer against a double that is a number.</summary>
    private static int Order(Interpreter vm, in Value integer, double other)
    {
        if (double.IsInfinity(other)) return other > 0 ? -1 : 1;
        if (integer.Kind != Kind.BigInt)
        {
            if (other >= 9.3e18) return -1;
            if (other <= -9.3e18) return 1;
            double floor = Math.Floor(other);
            int order = ((Int128)integer.Bits).CompareTo((Int128)floor);
            return order == 0 && floor < other ? -1 : order;
        }

        if (!Integers.TryGet(vm, integer, out BigInteger value)) return 0;
        BigInteger whole = new(Math.Floor(other));
        int exact = value.CompareTo(whole);
        return exact == 0 && Math.Floor(other) < other ? -1 : exact;
    }

    /// <summary>A number as a double; false (and the rendering fails) if it is too large.</summary>
    public static bool TryFloat(Interpreter vm, in Value value, out double result)
    {
        result = value.Kind == Kind.Float ? value.AsFloat : Integers.ToDouble(vm, value);
        if (value.Kind != Kind.BigInt || double.IsFinite(result)) return true;
        vm.Fail(TemplateError.Value);
        return false;
    }
}

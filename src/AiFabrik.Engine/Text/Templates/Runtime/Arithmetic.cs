using System.Numerics;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>The arithmetic operators, on numbers, strings and lists.</summary>
internal static class Arithmetic
{
    public static Value Apply(Interpreter vm, Operator operation, in Value a, in Value b)
    {
        if (operation == Operator.Mod && a.IsStr) return PercentFormat.Format(vm, a, b);
        if (a.IsUndefined || b.IsUndefined) return vm.Fail(TemplateError.Undefined);
        if (a.IsNumber && b.IsNumber)
        {
            ValueFlags flags = (a.Flags | b.Flags) & ValueFlags.Request;
            if (a.Kind == Kind.Float || b.Kind == Kind.Float)
            {
                return Numbers.TryFloat(vm, a, out double x) && Numbers.TryFloat(vm, b, out double y)
                    ? Floats(vm, operation, x, y).With(flags) : default;
            }

            return a.Kind == Kind.BigInt || b.Kind == Kind.BigInt
                ? Large(vm, operation, a, b, flags) : Small(vm, operation, a.Bits, b.Bits, flags);
        }

        return operation switch
        {
            Operator.Add => Add(vm, a, b),
            Operator.Mul when b.IsInteger => Repeat(vm, a, b),
            Operator.Mul when a.IsInteger => Repeat(vm, b, a),
            _ => vm.Fail(TemplateError.Type),
        };
    }

    public static Value Sign(Interpreter vm, bool negative, in Value value)
    {
        if (value.IsUndefined) return vm.Fail(TemplateError.Undefined);
        if (!value.IsNumber) return vm.Fail(TemplateError.Type);
        ValueFlags flags = value.Flags & ValueFlags.Request;
        if (value.Kind == Kind.Float) return Value.Float(negative ? -value.AsFloat : value.AsFloat).With(flags);
        if (!negative) return value.Kind == Kind.Bool ? Value.Int(value.Bits).With(flags) : value;
        if (value.Kind != Kind.BigInt && value.Bits != long.MinValue) return Value.Int(-value.Bits).With(flags);
        return Integers.TryGet(vm, value, out BigInteger large) ? Integers.Make(vm, -large, flags) : default;
    }

    private static Value Add(Interpreter vm, in Value a, in Value b)
    {
        if (a.IsStr && b.IsStr)
        {
            if (a.IsMarkup == b.IsMarkup) return vm.Concat(a, b);
            Value left = a.IsMarkup ? a : Escaping.Escape(vm, a);
            Value right = b.IsMarkup ? b : Escaping.Escape(vm, b);
            return vm.Failed ? default : vm.Concat(left, right).With(ValueFlags.Markup);
        }

        return a.Kind == b.Kind && a.IsSequence ? vm.ConcatItems(a.Without(ValueFlags.Group), b) : vm.Fail(TemplateError.Type);
    }

    private static Value Repeat(Interpreter vm, in Value value, in Value times)
    {
        if (!value.IsStr && !value.IsSequence) return vm.Fail(TemplateError.Type);
        if (times.Kind == Kind.BigInt)
        {
            bool negative = vm.Bytes(times)[0] == (byte)'-';
            if (!negative && value.Length > 0) return vm.FailLimit(TemplateLimit.ScratchBytes);
            return Repeated(vm, value, 0);
        }

        return Repeated(vm, value, Math.Max(0, times.Bits));
    }

    private static Value Repeated(Interpreter vm, in Value value, long times)
    {
        if (value.Length == 0) times = 0;
        if (times == 1) return value;
        if (value.IsStr)
        {
            if (times > TextMemory.StringBytesMax / Math.Max(1, value.Length)) return vm.FailLimit(TemplateLimit.StringBytes);
            var text = new TextBuilder(vm);
            text.Reserve((int)times * value.Length);
            for (long i = 0; i < times && !vm.Failed; i++) text.Append(value);
            return text.ToValue(value.Flags);
        }

        if (times > vm.Limits.ListItemsMax / Math.Max(1, value.Length)) return vm.FailLimit(TemplateLimit.ListItems);
        var list = new ListBuilder(vm);
        if (times > 0) list.Grow((int)times * value.Length);
        for (long i = 0; i < times && !vm.Failed; i++)
        {
            if (!vm.Step(1 + (value.Length / 4))) return default;
            for (int k = 0; k < value.Length; k++) list.Add(vm.Cells[value.Address + k]);
        }

        return list.ToValue(value.Kind);
    }

    private static Value Small(Interpreter vm, Operator operation, long a, long b, ValueFlags flags)
    {
        switch (operation)
        {
            case Operator.Add when !WouldOverflow((Int128)a + b): return Value.Int(a + b).With(flags);
            case Operator.Sub when !WouldOverflow((Int128)a - b): return Value.Int(a - b).With(flags);
            case Operator.Mul when !WouldOverflow((Int128)a * b): return Value.Int(a * b).With(flags);
            case Operator.Div or Operator.FloorDiv or Operator.Mod when b == 0: return vm.Fail(TemplateError.Value);
            case Operator.Div when Math.Abs((double)a) < 9e15 && Math.Abs((double)b) < 9e15:
                return Value.Float((double)a / b).With(flags);
            case Operator.FloorDiv when a != long.MinValue:
                return Value.Int((a / b) - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0)).With(flags);
            case Operator.Mod when a != long.MinValue:
                long rest = a % b;
                return Value.Int(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest).With(flags);
            default: return Exact(vm, operation, a, b, flags);
        }
    }

    private static bool WouldOverflow(Int128 value) => value < long.MinValue || value > long.MaxValue;

    private static Value Large(Interpreter vm, Operator operation, in Value a, in Value b, ValueFlags flags) =>
        Integers.TryGet(vm, a, out BigInteger x) && Integers.TryGet(vm, b, out BigInteger y)
            ? Exact(vm, operation, x, y, flags) : default;

    private static Value Exact(Interpreter vm, Operator operation, BigInteger a, BigInteger b, ValueFlags flags)
    {
        switch (operation)
        {
            case Operator.Add: return Integers.Make(vm, a + b, flags);
            case Operator.Sub: return Integers.Make(vm, a - b, flags);
            case Operator.Mul: return vm.Step(16) ? Integers.Make(vm, a * b, flags) : default;
            case Operator.Pow: return Power(vm, a, b, flags);
        }

        if (b.IsZero) return vm.Fail(TemplateError.Value);
        if (!vm.Step(16)) return default;
        if (operation == Operator.Div)
        {
            double ratio = a.IsZero ? 0.0 : Integers.Divide(a, b);
            return double.IsFinite(ratio) ? Value.Float(ratio).With(flags) : vm.Fail(TemplateError.Value);
        }

        BigInteger quotient = BigInteger.DivRem(a, b, out BigInteger rest);
        bool adjust = !rest.IsZero && (rest.Sign < 0) != (b.Sign < 0);
        return operation == Operator.FloorDiv
            ? Integers.Make(vm, adjust ? quotient - 1 : quotient, flags)
            : Integers.Make(vm, adjust ? rest + b : rest, flags);
    }

    private static Value Power(Interpreter vm, BigInteger a, BigInteger b, ValueFlags flags)
    {
        if (b.Sign < 0)
        {
            if (a.IsZero) return vm.Fail(TemplateError.Value);
            return Value.Float(Math.Pow((double)a, (double)b)).With(flags);
        }

        if (a.IsZero || a.IsOne) return Integers.Make(vm, b.IsZero ? 1 : a, flags);
        if (a == BigInteger.MinusOne) return Integers.Make(vm, b.IsEven ? 1 : -1, flags);
        if (b * (a.GetBitLength() - 1) > TemplateLimits.IntegerBitsMax) return vm.FailLimit(TemplateLimit.IntegerBits);
        return vm.Step(64) ? Integers.Make(vm, BigInteger.Pow(a, (int)b), flags) : default;
    }

    private static Value Floats(Interpreter vm, Operator operation, double a, double b)
    {
        switch (operation)
        {
            case Operator.Add: return Value.Float(a + b);
            case Operator.Sub: return Value.Float(a - b);
            case Operator.Mul: return Value.Float(a * b);
            case Operator.Pow: return PowerOfFloats(vm, a, b);
        }

        if (b == 0) return vm.Fail(TemplateError.Value);
        if (operation == Operator.Div) return Value.Float(a / b);
        double rest = a % b;
        double quotient = (a - rest) / b;
        if (rest == 0)
        {
            rest = Math.CopySign(0, b);
        }
        else if ((b < 0) != (rest < 0))
        {
            rest += b;
            quotient -= 1;
        }

        if (operation == Operator.Mod) return Value.Float(rest);
        if (quotient == 0) return Value.Float(Math.CopySign(0, a / b));
        double floor = Math.Floor(quotient);
        return Value.Float(quotient - floor > 0.5 ? floor + 1 : floor);
    }

    private static Value PowerOfFloats(Interpreter vm, double a, double b)
    {
        if (a == 0 && b < 0) return vm.Fail(TemplateError.Value);

        // Python gives a complex number, which templates have no use for.
        if (a < 0 && double.IsFinite(a) && double.IsFinite(b) && b != Math.Floor(b)) return vm.Fail(TemplateError.Type);
        double result = Math.Pow(a, b);
        return double.IsInfinity(result) && double.IsFinite(a) && double.IsFinite(b)
            ? vm.Fail(TemplateError.Value) : Value.Float(result);
    }
}

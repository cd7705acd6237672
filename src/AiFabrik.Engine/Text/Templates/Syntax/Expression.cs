namespace AiFabrik.Engine.Text.Templates;

/// <summary>An expression of a template; it evaluates itself.</summary>
internal abstract class Expression
{
    /// <summary>Levels of expressions below this one: bounded by the parser, so that evaluation cannot run out of stack.</summary>
    public int Depth { get; private set; }

    public Expression Nesting(params ReadOnlySpan<Expression?> children)
    {
        foreach (Expression? child in children)
        {
            if (child is not null && child.Depth >= Depth) Depth = child.Depth + 1;
        }

        return this;
    }

    /// <summary>The value, or <see cref="Kind.Missing"/> if the rendering has failed.</summary>
    public abstract Value Eval(Interpreter vm);

    /// <summary>Calls <paramref name="visit"/> for every expression directly below.</summary>
    public virtual void Children(Action<Expression> visit)
    {
    }
}

internal sealed class ConstantExpression(Value value) : Expression
{
    public Value Value => value;

    public override Value Eval(Interpreter vm) => value;
}

internal sealed class NameExpression(int name) : Expression
{
    public int Name => name;

    public override Value Eval(Interpreter vm) => vm.Step() ? vm.Lookup(name) : default;
}

/// <summary>A namespace's attribute as the target of a set.</summary>
internal sealed class NamespaceTarget(int name, int attribute) : Expression
{
    public int Name => name;
    public int Attribute => attribute;

    public override Value Eval(Interpreter vm) => vm.Fail(TemplateError.Runtime);
}

internal sealed class ListExpression(Expression[] items, Kind kind) : Expression
{
    public Expression[] Items => items;
    public Kind Kind => kind;

    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        var list = new ListBuilder(vm);
        foreach (Expression item in items)
        {
            list.Add(item.Eval(vm));
            if (vm.Failed) return default;
        }

        // Even an empty list has an address of its own: that is its identity.
        if (items.Length == 0 && kind == Kind.List) list.Grow(1);
        return list.ToValue(kind);
    }

    public override void Children(Action<Expression> visit) => Array.ForEach(items, visit);
}

internal sealed class DictExpression(Expression[] keys, Expression[] values) : Expression
{
    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        var pairs = new ListBuilder(vm);
        for (int i = 0; i < keys.Length; i++)
        {
            pairs.Add(keys[i].Eval(vm));
            pairs.Add(values[i].Eval(vm));
            if (vm.Failed) return default;
        }

        if (keys.Length == 0) pairs.Grow(1);
        return Dicts.FromPairs(vm, ref pairs);
    }

    public override void Children(Action<Expression> visit)
    {
        Array.ForEach(keys, visit);
        Array.ForEach(values, visit);
    }
}

internal enum Operator : byte
{
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
}

internal sealed class BinaryExpression(Operator operation, Expression left, Expression right) : Expression
{
    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        Value a = left.Eval(vm);
        if (vm.Failed) return default;
        Value b = right.Eval(vm);
        return vm.Failed ? default : Arithmetic.Apply(vm, operation, a, b);
    }

    public override void Children(Action<Expression> visit)
    {
        visit(left);
        visit(right);
    }
}

internal sealed class SignExpression(bool negative, Expression operand) : Expression
{
    public override Value Eval(Interpreter vm)
    {
        Value value = operand.Eval(vm);
        return vm.Failed ? default : Arithmetic.Sign(vm, negative, value);
    }

    public override void Children(Action<Expression> visit) => visit(operand);
}

internal sealed class NotExpression(Expression operand) : Expression
{
    public override Value Eval(Interpreter vm)
    {
        Value value = operand.Eval(vm);
        return vm.Failed ? default : Value.Bool(!Truth.Of(vm, value));
    }

    public override void Children(Action<Expression> visit) => visit(operand);
}

/// <summary><c>and</c> and <c>or</c>: they give one of their operands.</summary>
internal sealed class LogicExpression(bool isAnd, Expression left, Expression right) : Expression
{
    public override Value Eval(Interpreter vm)
    {
        Value value = left.Eval(vm);
        if (vm.Failed || Truth.Of(vm, value) != isAnd) return value;
        return right.Eval(vm);
    }

    public override void Children(Action<Expression> visit)
    {
        visit(left);
        visit(right);
    }
}

internal enum Comparison : byte
{
    Eq,
    Ne,
    Lt,
    LtEq,
    Gt,
    GtEq,
    In,
    NotIn,
}

/// <summary>A chain of comparisons: <c>a &lt; b &lt; c</c>.</summary>
internal sealed class CompareExpression(Expression first, Comparison[] operations, Expression[] operands) : Expression
{
    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        Value left = first.Eval(vm);
        for (int i = 0; i < operations.Length; i++)
        {
            if (vm.Failed) return default;
            Value right = operands[i].Eval(vm);
            if (vm.Failed) return default;
            if (!Ordering.Holds(vm, operations[i], left, right)) return vm.Failed ? default : Value.False;
            left = right;
        }

        return vm.Failed ? default : Value.True;
    }

    public override void Children(Action<Expression> visit)
    {
        visit(first);
        Array.ForEach(operands, visit);
    }
}

/// <summary><c>a ~ b ~ c</c>: everything as text.</summary>
internal sealed class ConcatExpression(Expression[] items) : Expression
{
    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        Value result = Printing.ToText(vm, items[0].Eval(vm));
        if (!vm.Failed && vm.Autoescape) result = Escaping.Escape(vm, result);
        for (int i = 1; i < items.Length && !vm.Failed; i++)
        {
            Value item = items[i].Eval(vm);
            if (vm.Failed) return default;
            item = Printing.ToText(vm, item);
            if (vm.Failed) return default;
            if (vm.Autoescape) item = Escaping.Escape(vm, item);
            result = vm.Concat(result, item);
        }

        return vm.Failed ? default : vm.Autoescape ? result : result.Without(ValueFlags.Markup);
    }

    public override void Children(Action<Expression> visit) => Array.ForEach(items, visit);
}

internal sealed class ConditionalExpression(Expression test, Expression then, Expression? otherwise) : Expression
{
    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        Value condition = test.Eval(vm);
        if (vm.Failed) return default;
        if (Truth.Of(vm, condition)) return then.Eval(vm);
        return otherwise is null ? Value.Undefined : otherwise.Eval(vm);
    }

    public override void Children(Action<Expression> visit)
    {
        visit(test);
        visit(then);
        if (otherwise is not null) visit(otherwise);
    }
}

internal sealed class AttributeExpression(Expression target, int name, MethodGroup? methods) : Expression
{
    public Expression Target => target;
    public int Name => name;
    public MethodGroup? Methods => methods;

    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        Value value = target.Eval(vm);
        return vm.Failed ? default : Attributes.Get(vm, value, vm.Program.Names[name], methods);
    }

    public override void Children(Action<Expression> visit) => visit(target);
}

internal sealed class ItemExpression(Expression target, Expression index) : Expression
{
    public Expression Target => target;
    public Expression Index => index;

    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        Value value = target.Eval(vm);
        if (vm.Failed) return default;
        Value key = index.Eval(vm);
        return vm.Failed ? default : Attributes.GetItem(vm, value, key);
    }

    public override void Children(Action<Expression> visit)
    {
        visit(target);
        visit(index);
    }
}

internal sealed class SliceExpression(Expression target, Expression? start, Expression? stop, Expression? step) : Expression
{
    public Expression Target => target;

    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        Value value = target.Eval(vm);
        if (vm.Failed) return default;
        Value from = start?.Eval(vm) ?? Value.None;
        if (vm.Failed) return default;
        Value to = stop?.Eval(vm) ?? Value.None;
        if (vm.Failed) return default;
        Value by = step?.Eval(vm) ?? Value.None;
        return vm.Failed ? default : Slices.Slice(vm, value, from, to, by);
    }

    public override void Children(Action<Expression> visit)
    {
        visit(target);
        if (start is not null) visit(start);
        if (stop is not null) visit(stop);
        if (step is not null) visit(step);
    }
}

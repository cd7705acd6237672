namespace AiFabrik.Engine.Text.Templates;

/// <summary>The arguments of a call as they are written.</summary>
internal sealed class ArgumentList
{
    public static ArgumentList Empty { get; } = new();

    public Expression[] Positional { get; init; } = [];
    public int[] KeywordNames { get; init; } = [];
    public Expression[] KeywordValues { get; init; } = [];
    public Expression? Star { get; init; }
    public Expression? StarStar { get; init; }

    /// <summary>
    /// Evaluates them onto the stack; what the caller has pushed since <paramref name="start"/> counts as the first
    /// positional ones. The caller puts the stack back.
    /// </summary>
    public Arguments Evaluate(Interpreter vm, int start)
    {
        foreach (Expression argument in Positional)
        {
            Value value = argument.Eval(vm);
            if (vm.Failed || !vm.Push(value)) return default;
        }

        if (Star is not null)
        {
            Value list = Iteration.ToList(vm, Star.Eval(vm));
            for (int i = 0; i < list.Length && !vm.Failed; i++) vm.Push(vm.Cells[list.Address + i]);
            if (vm.Failed) return default;
        }

        int count = vm.StackTop - start;
        for (int i = 0; i < KeywordNames.Length; i++)
        {
            Value value = KeywordValues[i].Eval(vm);
            if (vm.Failed || !vm.Push(vm.Program.Names[KeywordNames[i]]) || !vm.Push(value)) return default;
        }

        if (StarStar is not null && !PushKeywords(vm, StarStar.Eval(vm))) return default;
        return new Arguments(start, count, (vm.StackTop - start - count) / 2);
    }

    private static bool PushKeywords(Interpreter vm, Value dict)
    {
        if (vm.Failed) return false;
        if (dict.Kind != Kind.Dict)
        {
            vm.Fail(TemplateError.Type);
            return false;
        }

        for (int i = 0; i < dict.Length; i++)
        {
            Value key = Dicts.Key(vm, dict, i);
            if (!key.IsStr)
            {
                vm.Fail(TemplateError.Type);
                return false;
            }

            if (!vm.Push(key) || !vm.Push(Dicts.ValueAt(vm, dict, i))) return false;
        }

        return true;
    }

    public void Children(Action<Expression> visit)
    {
        Array.ForEach(Positional, visit);
        Array.ForEach(KeywordValues, visit);
        if (Star is not null) visit(Star);
        if (StarStar is not null) visit(StarStar);
    }
}

internal sealed class CallExpression(Expression target, ArgumentList arguments) : Expression
{
    public override Value Eval(Interpreter vm) => Call(vm, default);

    /// <summary>Calls it; <paramref name="caller"/> is the body of a call block, or missing.</summary>
    public Value Call(Interpreter vm, Value caller)
    {
        if (!vm.Step() || !vm.HasStack()) return default;
        int start = vm.StackTop;
        Value result = target is AttributeExpression attribute
            ? CallAttribute(vm, attribute, start, caller)
            : CallValue(vm, target.Eval(vm), start, caller);
        vm.StackTop = start;
        return vm.Failed ? default : result;
    }

    private Value CallAttribute(Interpreter vm, AttributeExpression attribute, int start, Value caller)
    {
        Value receiver = attribute.Target.Eval(vm);
        if (vm.Failed) return default;
        BuiltIn? method = attribute.Methods?.For(receiver.Kind);
        if (method is null || receiver.Kind is Kind.Namespace)
        {
            Value callee = Attributes.Get(vm, receiver, vm.Program.Names[attribute.Name], attribute.Methods);
            return CallValue(vm, callee, start, caller);
        }

        if (method.IsForbidden) return vm.Fail(TemplateError.Security);
        if (!vm.Push(receiver)) return default;
        Arguments given = arguments.Evaluate(vm, start);
        return vm.Failed ? default : method.Call(vm, WithCaller(vm, given, caller));
    }

    private Value CallValue(Interpreter vm, Value callee, int start, Value caller)
    {
        if (vm.Failed) return default;
        Arguments given = default;
        if (callee.Kind == Kind.Method)
        {
            if (!vm.Push(vm.Cells[callee.Address])) return default;
        }

        given = arguments.Evaluate(vm, start);
        return vm.Failed ? default : Calls.Call(vm, callee, WithCaller(vm, given, caller));
    }

    private static Arguments WithCaller(Interpreter vm, Arguments given, Value caller)
    {
        if (caller.IsMissing || !vm.Push(vm.NewText("caller"u8, true)) || !vm.Push(caller)) return given;
        return given with { Keywords = given.Keywords + 1 };
    }

    public override void Children(Action<Expression> visit)
    {
        visit(target);
        arguments.Children(visit);
    }
}

internal sealed class FilterExpression(Expression? target, string name, BuiltIn? filter, ArgumentList arguments) : Expression
{
    public Expression? Target => target;
    public string Name => name;
    public bool IsKnown => filter is not null;

    public override Value Eval(Interpreter vm) => Apply(vm, target!.Eval(vm));

    /// <summary>Applies it to a value that something else has made: a block's text, the filter before it.</summary>
    public Value Apply(Interpreter vm, Value value)
    {
        if (vm.Failed || !vm.Step()) return default;
        if (filter is null) return vm.Fail(TemplateError.Runtime);
        int start = vm.StackTop;
        if (!vm.Push(value)) return default;
        Arguments given = arguments.Evaluate(vm, start);
        Value result = vm.Failed ? default : filter.Call(vm, given);
        vm.StackTop = start;
        return vm.Failed ? default : result;
    }

    public override void Children(Action<Expression> visit)
    {
        if (target is not null) visit(target);
        arguments.Children(visit);
    }
}

/// <summary>The text of a filter or set block, as the innermost target of its filters.</summary>
internal sealed class BlockTextExpression : Expression
{
    public override Value Eval(Interpreter vm) => vm.BlockText;
}

internal sealed class TestExpression(Expression target, string name, BuiltIn? test, ArgumentList arguments) : Expression
{
    public Expression Target => target;
    public string Name => name;
    public bool IsKnown => test is not null;

    public override Value Eval(Interpreter vm)
    {
        if (!vm.Step()) return default;
        Value value = target.Eval(vm);
        if (vm.Failed) return default;
        if (test is null) return vm.Fail(TemplateError.Runtime);
        int start = vm.StackTop;
        if (!vm.Push(value)) return default;
        Arguments given = arguments.Evaluate(vm, start);
        Value result = vm.Failed ? default : test.Call(vm, given);
        vm.StackTop = start;
        return vm.Failed ? default : result;
    }

    public override void Children(Action<Expression> visit)
    {
        visit(target);
        arguments.Children(visit);
    }
}

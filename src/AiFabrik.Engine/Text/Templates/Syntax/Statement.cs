namespace AiFabrik.Engine.Text.Templates;

/// <summary>How a statement ended.</summary>
internal enum Flow : byte
{
    Next,
    Break,
    Continue,

    /// <summary>The rendering has failed.</summary>
    Stop,
}

/// <summary>A statement of a template; it runs itself.</summary>
internal abstract class Statement
{
    public abstract Flow Run(Interpreter vm);

    /// <summary>Calls the visitors for what is directly below.</summary>
    public virtual void Children(Action<Expression> expressions, Action<Statement> statements)
    {
    }

    public static Flow RunAll(Statement[] body, Interpreter vm)
    {
        foreach (Statement statement in body)
        {
            Flow flow = vm.Failed ? Flow.Stop : statement.Run(vm);
            if (flow != Flow.Next) return flow;
        }

        return vm.Failed ? Flow.Stop : Flow.Next;
    }

    /// <summary>Runs a body in a scope of its own.</summary>
    protected static Flow RunScoped(ScopeNames names, Statement[] body, Interpreter vm)
    {
        if (!vm.HasStack()) return Flow.Stop;
        int outer = vm.Scope;
        vm.EnterScope(names);
        Flow flow = RunAll(body, vm);
        vm.Scope = outer;
        return flow;
    }

    /// <summary>Runs a body in a scope of its own and takes what it writes.</summary>
    protected static Flow Capture(ScopeNames names, Statement[] body, Interpreter vm, out Value text)
    {
        TextBuilder saved = vm.Out;
        vm.Out = new TextBuilder(vm);
        Flow flow = RunScoped(names, body, vm);
        text = vm.Out.ToValue(vm.Autoescape ? ValueFlags.Markup : ValueFlags.None);
        vm.Out = saved;
        return flow;
    }
}

/// <summary>Text of the template itself.</summary>
internal sealed class DataStatement(Value text) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        if (vm.Step()) vm.Out.Append(text);
        return vm.Failed ? Flow.Stop : Flow.Next;
    }
}

internal sealed class OutputStatement(Expression value) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        Value result = value.Eval(vm);
        if (vm.Failed) return Flow.Stop;
        if (vm.Autoescape) vm.Out.Append(Escaping.Escape(vm, Printing.ToText(vm, result)));
        else Printing.Write(ref vm.Out, result);
        return vm.Failed ? Flow.Stop : Flow.Next;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements) => expressions(value);
}

internal sealed class IfStatement(Expression[] tests, Statement[][] bodies, Statement[]? otherwise) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        if (!vm.HasStack()) return Flow.Stop;
        for (int i = 0; i < tests.Length; i++)
        {
            Value condition = tests[i].Eval(vm);
            if (vm.Failed) return Flow.Stop;
            if (Truth.Of(vm, condition)) return RunAll(bodies[i], vm);
        }

        return otherwise is null ? Flow.Next : RunAll(otherwise, vm);
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements)
    {
        Array.ForEach(tests, expressions);
        foreach (Statement[] body in bodies) Array.ForEach(body, statements);
        if (otherwise is not null) Array.ForEach(otherwise, statements);
    }
}

internal sealed class SetStatement(Expression target, Expression value) : Statement
{
    public Expression Target => target;
    public Expression Value => value;

    public override Flow Run(Interpreter vm)
    {
        Value result = value.Eval(vm);
        if (vm.Failed) return Flow.Stop;
        Assignment.Assign(vm, target, result);
        return vm.Failed ? Flow.Stop : Flow.Next;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements) => expressions(value);
}

/// <summary><c>{% set x %}…{% endset %}</c>.</summary>
internal sealed class SetBlockStatement(Expression target, Expression? filter, ScopeNames names, Statement[] body) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        Flow flow = Capture(names, body, vm, out Value text);
        if (flow != Flow.Next) return flow;
        if (filter is not null)
        {
            vm.BlockText = text;
            text = filter.Eval(vm);
            if (!vm.Failed && vm.Autoescape && text.IsStr) text = text.With(ValueFlags.Markup);
        }

        if (!vm.Failed) Assignment.Assign(vm, target, text);
        return vm.Failed ? Flow.Stop : Flow.Next;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements)
    {
        if (filter is not null) expressions(filter);
        Array.ForEach(body, statements);
    }
}

internal sealed class FilterStatement(Expression filter, ScopeNames names, Statement[] body) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        Flow flow = Capture(names, body, vm, out Value text);
        if (flow != Flow.Next) return flow;
        vm.BlockText = text;
        Value result = filter.Eval(vm);
        if (vm.Failed) return Flow.Stop;
        Printing.Write(ref vm.Out, result);
        return vm.Failed ? Flow.Stop : Flow.Next;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements)
    {
        expressions(filter);
        Array.ForEach(body, statements);
    }
}

internal sealed class WithStatement(Expression[] targets, Expression[] values, ScopeNames names, Statement[] body) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        int start = vm.StackTop;
        foreach (Expression value in values)
        {
            Value result = value.Eval(vm);
            if (vm.Failed || !vm.Push(result)) return Flow.Stop;
        }

        int outer = vm.Scope;
        vm.EnterScope(names);
        for (int i = 0; i < targets.Length && !vm.Failed; i++) Assignment.Assign(vm, targets[i], vm.Stack(start + i));
        vm.StackTop = start;
        Flow flow = vm.HasStack() ? RunAll(body, vm) : Flow.Stop;
        vm.Scope = outer;
        return flow;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements)
    {
        Array.ForEach(values, expressions);
        Array.ForEach(body, statements);
    }
}

/// <summary>A body in a scope of its own: <c>generation</c>.</summary>
internal sealed class ScopeStatement(ScopeNames names, Statement[] body) : Statement
{
    public override Flow Run(Interpreter vm) => RunScoped(names, body, vm);

    public override void Children(Action<Expression> expressions, Action<Statement> statements) =>
        Array.ForEach(body, statements);
}

/// <summary><c>{% block %}</c>: it sees the template's own variables only.</summary>
internal sealed class BlockStatement(ScopeNames names, Statement[] body) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        int outer = vm.Scope;
        vm.Scope = vm.RootScope;
        Flow flow = RunScoped(names, body, vm);
        vm.Scope = outer;
        return flow;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements) =>
        Array.ForEach(body, statements);
}

internal sealed class AutoescapeStatement(Expression enabled, ScopeNames names, Statement[] body) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        Value value = enabled.Eval(vm);
        if (vm.Failed) return Flow.Stop;
        bool saved = vm.Autoescape;
        vm.Autoescape = Truth.Of(vm, value);
        Flow flow = RunScoped(names, body, vm);
        vm.Autoescape = saved;
        return flow;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements)
    {
        expressions(enabled);
        Array.ForEach(body, statements);
    }
}

internal sealed class LoopControlStatement(Flow flow) : Statement
{
    public override Flow Run(Interpreter vm) => flow;
}

/// <summary>include, import, extends: there is no other template to be had.</summary>
internal sealed class UnsupportedStatement : Statement
{
    public override Flow Run(Interpreter vm)
    {
        vm.Fail(TemplateError.Runtime);
        return Flow.Stop;
    }
}

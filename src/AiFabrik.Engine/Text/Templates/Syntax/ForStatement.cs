namespace AiFabrik.Engine.Text.Templates;

internal sealed class ForStatement : Statement
{
    /// <summary>Work units of one pass, beside those of its body.</summary>
    private const int PassSteps = 4;

    /// <summary>Its place among the template's loops.</summary>
    public required int Index { get; init; }
    public required Expression Target { get; init; }
    public required Expression Iterable { get; init; }
    public required Expression? Test { get; init; }
    public required bool IsRecursive { get; init; }
    public required ScopeNames Names { get; init; }
    public required Statement[] Body { get; init; }
    public required ScopeNames ElseNames { get; init; }
    public required Statement[]? Else { get; init; }

    /// <summary>The name <c>loop</c>.</summary>
    public required int LoopName { get; init; }

    /// <summary>Whether a macro in the body may hold on to a pass's scope, so that the next pass needs a new one.</summary>
    public required bool BodyHasMacros { get; init; }

    public override Flow Run(Interpreter vm)
    {
        Value iterable = Iterable.Eval(vm);
        return vm.Failed ? Flow.Stop : RunOver(vm, iterable, 0);
    }

    /// <summary>Runs the loop over a value; <paramref name="depth"/> counts the calls of a recursive loop.</summary>
    public Flow RunOver(Interpreter vm, Value iterable, int depth)
    {
        if (!vm.HasStack()) return Flow.Stop;
        int outer = vm.Scope;
        int loop = Loops.Begin(vm, this, iterable, depth);
        int scope = 0;
        bool completed = false;
        while (!vm.Failed && Loops.MoveNext(vm, loop))
        {
            vm.Scope = outer;
            if (scope == 0 || BodyHasMacros) scope = vm.EnterScope(Names);
            else vm.Cells.Cells(scope + 1, Names.Count).Clear();
            vm.Scope = scope;
            if (vm.Failed) break;
            vm.Assign(LoopName, new Value(Kind.Loop, loop));
            Assignment.Assign(vm, Target, Loops.Current(vm, loop));
            if (!vm.Step(PassSteps)) break;
            Flow flow = RunAll(Body, vm);
            if (flow is Flow.Break or Flow.Stop) break;
            if (flow == Flow.Next) completed = true;
        }

        vm.Scope = outer;
        if (vm.Failed) return Flow.Stop;
        return completed || Else is null ? Flow.Next : RunScoped(ElseNames, Else, vm);
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements)
    {
        expressions(Iterable);
        if (Test is not null) expressions(Test);
        Array.ForEach(Body, statements);
        if (Else is not null) Array.ForEach(Else, statements);
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>A macro, or the body of a call block.</summary>
internal sealed class MacroNode
{
    /// <summary>Its place among the template's macros.</summary>
    public required int Index { get; init; }
    public required int Name { get; init; }
    public required int[] Parameters { get; init; }

    /// <summary>One for each parameter; null where there is no default.</summary>
    public required Expression?[] Defaults { get; init; }
    public required ScopeNames Names { get; init; }
    public required Statement[] Body { get; init; }

    /// <summary>The names caller, kwargs and varargs where the body uses them; -1 where not.</summary>
    public int CallerName { get; set; } = -1;
    public int KwargsName { get; set; } = -1;
    public int VarargsName { get; set; } = -1;

    public Value Call(Interpreter vm, int definedIn, in Arguments given)
    {
        if (!vm.EnterCall()) return default;
        int outer = vm.Scope;
        TextBuilder saved = vm.Out;
        vm.Scope = definedIn;
        vm.EnterScope(Names);
        vm.Out = new TextBuilder(vm);
        Value text = default;
        if (!vm.Failed && Bind(vm, given))
        {
            Statement.RunAll(Body, vm);
            text = vm.Out.ToValue(vm.Autoescape ? ValueFlags.Markup : ValueFlags.None);
        }

        vm.Out = saved;
        vm.Scope = outer;
        vm.Depth--;
        return vm.Failed ? default : text;
    }

    private bool Bind(Interpreter vm, in Arguments given)
    {
        if (given.Count > Parameters.Length && VarargsName < 0)
        {
            vm.Fail(TemplateError.Type);
            return false;
        }

        int used = 0;
        for (int i = 0; i < Parameters.Length; i++)
        {
            Value value = i < given.Count ? given[vm, i] : default;
            if (i >= given.Count && TryKeyword(vm, given, Parameters[i], out value)) used++;
            if (!value.IsMissing) vm.Assign(Parameters[i], value);
        }

        if (CallerName >= 0)
        {
            if (TryKeyword(vm, given, CallerName, out Value caller)) used++;
            vm.Assign(CallerName, caller.IsMissing ? Value.Undefined : caller);
        }

        if (KwargsName >= 0) vm.Assign(KwargsName, OtherKeywords(vm, given));
        else if (used != given.Keywords) vm.Fail(TemplateError.Type);
        if (VarargsName >= 0) vm.Assign(VarargsName, OtherPositional(vm, given));
        return !vm.Failed && BindDefaults(vm);
    }

    private bool BindDefaults(Interpreter vm)
    {
        for (int i = 0; i < Parameters.Length && !vm.Failed; i++)
        {
            int slot = vm.Scope + 1 + Names.SlotOf(Parameters[i]);
            if (!vm.Cells[slot].IsMissing) continue;
            Value value = Defaults[i]?.Eval(vm) ?? Value.Undefined;
            if (!vm.Failed) vm.Cells[slot] = value;
        }

        return !vm.Failed;
    }

    private static bool TryKeyword(Interpreter vm, in Arguments given, int name, out Value value)
    {
        value = default;
        for (int i = 0; i < given.Keywords; i++)
        {
            if (!vm.Bytes(given.KeywordName(vm, i)).SequenceEqual(vm.Program.NameBytes(name))) continue;
            value = given.KeywordValue(vm, i);
            return true;
        }

        return false;
    }

    private Value OtherKeywords(Interpreter vm, in Arguments given)
    {
        var pairs = new ListBuilder(vm);
        for (int i = 0; i < given.Keywords; i++)
        {
            ReadOnlySpan<byte> name = vm.Bytes(given.KeywordName(vm, i));
            bool isOwn = CallerName >= 0 && name.SequenceEqual(vm.Program.NameBytes(CallerName));
            for (int p = given.Count; p < Parameters.Length; p++)
                isOwn |= name.SequenceEqual(vm.Program.NameBytes(Parameters[p]));
            if (isOwn) continue;
            pairs.Add(given.KeywordName(vm, i));
            pairs.Add(given.KeywordValue(vm, i));
        }

        return Dicts.FromPairs(vm, ref pairs);
    }

    private Value OtherPositional(Interpreter vm, in Arguments given)
    {
        var rest = new ListBuilder(vm);
        for (int i = Parameters.Length; i < given.Count; i++) rest.Add(given[vm, i]);
        return rest.ToValue(Kind.Tuple);
    }
}

internal sealed class MacroStatement(MacroNode macro) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        vm.Assign(macro.Name, new Value(Kind.Macro, vm.Scope, macro.Index));
        return Flow.Next;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements)
    {
        foreach (Expression? value in macro.Defaults)
        {
            if (value is not null) expressions(value);
        }

        Array.ForEach(macro.Body, statements);
    }
}

/// <summary><c>{% call f() %}…{% endcall %}</c>: calls f with the body as its <c>caller</c>.</summary>
internal sealed class CallBlockStatement(MacroNode body, CallExpression call) : Statement
{
    public override Flow Run(Interpreter vm)
    {
        Value result = call.Call(vm, new Value(Kind.Macro, vm.Scope, body.Index));
        if (vm.Failed) return Flow.Stop;
        Printing.Write(ref vm.Out, result);
        return vm.Failed ? Flow.Stop : Flow.Next;
    }

    public override void Children(Action<Expression> expressions, Action<Statement> statements)
    {
        expressions(call);
        Array.ForEach(body.Body, statements);
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>What is checked and found out about a program once it is parsed.</summary>
internal static class Analysis
{
    public static void Check(TemplateProgram program, ProgramBuilder names)
    {
        foreach (Statement statement in program.Body) CheckFilters(statement, false);
        foreach (MacroNode macro in program.Macros) FindImplicitParameters(macro, names);
        program.HandlesContentParts = new ContentPartsFinder(names).Find(program);
    }

    /// <summary>
    /// Unknown filters and tests are mistakes, except where Jinja leaves them to be found at run time: directly in the
    /// branches of an if, inline or not.
    /// </summary>
    private static void CheckFilters(Statement statement, bool soft)
    {
        bool below = statement is IfStatement;
        statement.Children(
            expression => CheckFilters(expression, statement is IfStatement || soft),
            inner => CheckFilters(inner, below));
    }

    private static void CheckFilters(Expression expression, bool soft)
    {
        if (!soft)
        {
            if (expression is FilterExpression { IsKnown: false } filter)
                throw new TemplateSyntaxException($"unknown filter '{filter.Name}'", 0);
            if (expression is TestExpression { IsKnown: false } test)
                throw new TemplateSyntaxException($"unknown test '{test.Name}'", 0);
        }

        expression.Children(child => CheckFilters(child, soft || expression is ConditionalExpression));
    }

    /// <summary>A macro takes a caller, other keywords or other positional arguments if its body names them.</summary>
    private static void FindImplicitParameters(MacroNode macro, ProgramBuilder names)
    {
        void Visit(Expression expression)
        {
            if (expression is NameExpression name && !macro.Parameters.Contains(name.Name))
            {
                switch (names.NameText(name.Name))
                {
                    case "caller": macro.CallerName = name.Name; break;
                    case "kwargs": macro.KwargsName = name.Name; break;
                    case "varargs": macro.VarargsName = name.Name; break;
                    default: return;
                }

                macro.Names.Add(name.Name);
            }

            expression.Children(Visit);
        }

        foreach (Statement statement in macro.Body) VisitExpressions(statement, Visit);
    }

    public static void VisitExpressions(Statement statement, Action<Expression> visit) =>
        statement.Children(visit, inner => VisitExpressions(inner, visit));

    public static void VisitStatements(Statement statement, Action<Statement> visit)
    {
        visit(statement);
        statement.Children(_ => { }, inner => VisitStatements(inner, visit));
    }
}

/// <summary>
/// Whether a template handles content that is a list of parts: one of its loops runs over <c>X.content</c>, where X is
/// the variable of a loop over the messages (or over what a set made from them), or over a variable named
/// <c>content</c>. Filters, tests and slices are looked through. This is vLLM's look at templates.
/// </summary>
internal sealed class ContentPartsFinder(ProgramBuilder names)
{
    public bool Find(TemplateProgram program)
    {
        var loops = new List<ForStatement>();
        var sets = new List<SetStatement>();
        foreach (Statement statement in program.Body)
        {
            Analysis.VisitStatements(statement, inner =>
            {
                if (inner is ForStatement loop) loops.Add(loop);
                if (inner is SetStatement set) sets.Add(set);
            });
        }

        HashSet<string> lists = MessageLists(sets);
        var messages = new HashSet<string>(StringComparer.Ordinal);
        foreach (ForStatement loop in loops)
        {
            if (NameOf(loop.Iterable) is { } list && lists.Contains(list) && loop.Target is NameExpression item)
                messages.Add(names.NameText(item.Name));
        }

        return loops.Exists(loop => RunsOverContent(loop.Iterable, messages));
    }

    private HashSet<string> MessageLists(List<SetStatement> sets)
    {
        var lists = new HashSet<string>(StringComparer.Ordinal) { "messages" };
        bool grew = true;
        while (grew)
        {
            grew = false;
            foreach (SetStatement set in sets)
            {
                if (set.Target is NameExpression target && NameOf(set.Value) is { } from && lists.Contains(from))
                    grew |= lists.Add(names.NameText(target.Name));
            }
        }

        return lists;
    }

    private bool RunsOverContent(Expression iterable, HashSet<string> messages)
    {
        Expression inner = LookThrough(iterable);
        if (inner is NameExpression name) return names.NameText(name.Name) == "content";
        (Expression? owner, string? key) = inner switch
        {
            AttributeExpression attribute => (attribute.Target, names.NameText(attribute.Name)),
            ItemExpression { Index: ConstantExpression { Value.IsStr: true } index } item =>
                (item.Target, names.LiteralText(index.Value)),
            _ => (null, null),
        };
        return key == "content" && owner is not null && NameOf(owner) is { } variable && messages.Contains(variable);
    }

    private string? NameOf(Expression expression) =>
        LookThrough(expression) is NameExpression name ? names.NameText(name.Name) : null;

    private static Expression LookThrough(Expression expression)
    {
        while (true)
        {
            switch (expression)
            {
                case FilterExpression { Target: { } target }: expression = target; break;
                case TestExpression test: expression = test.Target; break;
                case SliceExpression slice: expression = slice.Target; break;
                default: return expression;
            }
        }
    }
}

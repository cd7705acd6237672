namespace AiFabrik.Engine.Text.Templates;

/// <summary>What follows a value: attributes, subscripts, calls, filters and tests.</summary>
internal sealed partial class ExpressionParser
{
    private Expression Postfix(Expression value)
    {
        while (true)
        {
            switch (tokens.Current.Kind)
            {
                case TokenKind.Dot or TokenKind.LBracket: value = Bounded(Subscript(value)); break;
                case TokenKind.LParen: value = Bounded(Call(value)); break;
                default: return value;
            }
        }
    }

    private Expression FilterExpressions(Expression value)
    {
        while (true)
        {
            if (tokens.Current.Kind == TokenKind.Pipe) value = Filters(value, false);
            else if (tokens.Current.Is("is")) value = Test(value);
            else if (tokens.Current.Kind == TokenKind.LParen) value = Call(value);
            else return value;
            Bounded(value);
        }
    }

    /// <summary>A chain of filters; with <paramref name="inline"/> the first one has no bar before it.</summary>
    public Expression Filters(Expression value, bool inline)
    {
        while (inline || tokens.Current.Kind == TokenKind.Pipe)
        {
            if (!inline) tokens.Next();
            inline = false;
            string name = DottedName();
            ArgumentList arguments = tokens.Current.Kind == TokenKind.LParen ? Arguments() : ArgumentList.Empty;
            value = Bounded(Nested(new FilterExpression(value, name, Filtering.Find(name), arguments), value, arguments));
        }

        return value;
    }

    private static Expression Nested(Expression result, Expression target, ArgumentList arguments)
    {
        result.Nesting(target);
        arguments.Children(child => result.Nesting(child));
        return result;
    }

    private string DottedName()
    {
        string name = tokens.Expect(TokenKind.Name).Text;
        while (tokens.SkipIf(TokenKind.Dot)) name += "." + tokens.Expect(TokenKind.Name).Text;
        return name;
    }

    private Expression Test(Expression value)
    {
        tokens.Next();
        bool negated = tokens.SkipName("not");
        string name = DottedName();
        ArgumentList arguments = ArgumentList.Empty;
        Token token = tokens.Current;
        if (token.Kind == TokenKind.LParen)
        {
            arguments = Arguments();
        }
        else if (token.Kind is TokenKind.Name or TokenKind.String or TokenKind.Integer or TokenKind.Float
            or TokenKind.LBracket or TokenKind.LBrace && !token.Is("else") && !token.Is("or") && !token.Is("and"))
        {
            if (token.Is("is")) throw tokens.Error("tests cannot be chained");
            arguments = new ArgumentList { Positional = [Postfix(Primary(false))] };
        }

        Expression test = Nested(new TestExpression(value, name, Testing.Find(name), arguments), value, arguments);
        return negated ? new NotExpression(test).Nesting(test) : test;
    }

    private Expression Subscript(Expression value)
    {
        if (tokens.Next().Kind == TokenKind.Dot)
        {
            Token attribute = tokens.Next();
            if (attribute.Kind == TokenKind.Name)
            {
                return new AttributeExpression(value, program.Name(attribute.Text), Methods.Find(attribute.Text)).Nesting(value);
            }

            if (attribute.Kind != TokenKind.Integer) throw tokens.Error("a name or a number is expected after a dot");
            return new ItemExpression(value, Integer(attribute.Text)).Nesting(value);
        }

        var items = new List<Expression>();
        Expression? slice = null;
        while (tokens.Current.Kind != TokenKind.RBracket)
        {
            if (items.Count > 0) tokens.Expect(TokenKind.Comma);
            items.Add(Subscribed(value, out bool isSlice));
            if (isSlice) slice = items[^1];
        }

        tokens.Expect(TokenKind.RBracket);
        if (items.Count == 0) throw tokens.Error("a subscript is missing");
        if (items.Count == 1) return slice ?? new ItemExpression(value, items[0]).Nesting(value, items[0]);

        // No value takes several subscripts: the result is undefined, whatever they are.
        Expression tuple = new ListExpression([.. items], Kind.Tuple).Nesting([.. items]);
        return new ItemExpression(value, tuple).Nesting(value, tuple);
    }

    private Expression Subscribed(Expression target, out bool isSlice)
    {
        Expression? start = null;
        isSlice = true;
        if (tokens.Current.Kind != TokenKind.Colon)
        {
            start = Expression();
            if (tokens.Current.Kind != TokenKind.Colon)
            {
                isSlice = false;
                return start;
            }
        }

        tokens.Next();
        Expression? stop = Bound();
        Expression? step = tokens.SkipIf(TokenKind.Colon) ? Bound() : null;
        return new SliceExpression(target, start, stop, step).Nesting(target, start, stop, step);
    }

    private Expression? Bound() =>
        tokens.Current.Kind is TokenKind.Colon or TokenKind.RBracket or TokenKind.Comma ? null : Expression();

    private Expression Call(Expression target)
    {
        ArgumentList arguments = Arguments();
        return Nested(new CallExpression(target, arguments), target, arguments);
    }

    private ArgumentList Arguments()
    {
        tokens.Expect(TokenKind.LParen);
        var positional = new List<Expression>();
        var names = new List<int>();
        var values = new List<Expression>();
        Expression? star = null;
        Expression? starStar = null;
        bool wantsComma = false;
        while (tokens.Current.Kind != TokenKind.RParen)
        {
            if (wantsComma)
            {
                tokens.Expect(TokenKind.Comma);
                if (tokens.Current.Kind == TokenKind.RParen) break;
            }

            if (tokens.Current.Kind == TokenKind.Mul && star is null && starStar is null)
            {
                tokens.Next();
                star = Expression();
            }
            else if (tokens.Current.Kind == TokenKind.Pow && starStar is null)
            {
                tokens.Next();
                starStar = Expression();
            }
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Look.Kind == TokenKind.Assign && starStar is null)
            {
                names.Add(program.Name(tokens.Next().Text));
                tokens.Next();
                values.Add(Expression());
            }
            else if (star is null && starStar is null && names.Count == 0)
            {
                positional.Add(Expression());
            }
            else
            {
                throw tokens.Error("the arguments of a call are in no valid order");
            }

            wantsComma = true;
        }

        tokens.Expect(TokenKind.RParen);
        if (names.Distinct().Count() != names.Count) throw tokens.Error("an argument is given twice");
        return new ArgumentList
        {
            Positional = [.. positional],
            KeywordNames = [.. names],
            KeywordValues = [.. values],
            Star = star,
            StarStar = starStar,
        };
    }
}

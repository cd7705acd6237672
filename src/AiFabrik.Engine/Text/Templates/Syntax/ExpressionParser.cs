using System.Globalization;
using System.Numerics;
using System.Text;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Parses expressions with Jinja's precedences, which are not quite Python's.</summary>
internal sealed partial class ExpressionParser(TokenStream tokens, ProgramBuilder program)
{
    /// <summary>Levels of an expression.</summary>
    private const int ExpressionDepthMax = 200;

    /// <summary>Levels of the parser itself: two for each pair of parentheses.</summary>
    private const int ParserDepthMax = 2 * ExpressionDepthMax;

    private int _depth;

    public Expression Expression(bool withCondition = true)
    {
        if (++_depth > ParserDepthMax || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw tokens.Error("expressions are nested too deeply");
        Expression result = withCondition ? Condition() : Or();
        _depth--;
        return Bounded(result);
    }

    private Expression Bounded(Expression expression) => expression.Depth > ExpressionDepthMax
        ? throw tokens.Error("expressions are nested too deeply") : expression;

    /// <summary>One expression, or several with commas between them, which make a tuple.</summary>
    public Expression Tuple(bool withCondition, bool inParentheses, string? endName = null) =>
        TupleOf(() => Expression(withCondition), inParentheses, endName);

    private Expression TupleOf(Func<Expression> parse, bool inParentheses, string? endName)
    {
        var items = new List<Expression>();
        bool isTuple = false;
        while (true)
        {
            if (items.Count > 0) tokens.Expect(TokenKind.Comma);
            if (tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd or TokenKind.RParen
                || (endName is not null && tokens.Current.Is(endName)))
            {
                break;
            }

            items.Add(parse());
            if (tokens.Current.Kind != TokenKind.Comma) break;
            isTuple = true;
        }

        if (!isTuple)
        {
            if (items.Count > 0) return items[0];
            if (!inParentheses) throw tokens.Error("an expression is missing");
        }

        return new ListExpression([.. items], Kind.Tuple).Nesting([.. items]);
    }

    /// <summary>What a set, for or with assigns to.</summary>
    public Expression Target(bool withTuple, bool withNamespace, string? endName = null)
    {
        Expression target = withTuple
            ? TupleOf(() => Primary(withNamespace), false, endName)
            : Primary(withNamespace);
        return CanAssign(target) ? target : throw tokens.Error("this cannot be assigned to");
    }

    private static bool CanAssign(Expression target) => target switch
    {
        NameExpression or NamespaceTarget => true,
        ListExpression { Kind: Kind.Tuple } tuple => tuple.Items.All(CanAssign),
        _ => false,
    };

    private Expression Condition()
    {
        Expression value = Or();
        while (tokens.SkipName("if"))
        {
            Expression test = Or();
            Expression? otherwise = tokens.SkipName("else") ? Expression() : null;
            value = new ConditionalExpression(test, value, otherwise).Nesting(test, value, otherwise);
        }

        return value;
    }

    private Expression Or()
    {
        Expression left = And();
        while (tokens.SkipName("or"))
        {
            Expression right = And();
            left = Bounded(new LogicExpression(false, left, right).Nesting(left, right));
        }

        return left;
    }

    private Expression And()
    {
        Expression left = Not();
        while (tokens.SkipName("and"))
        {
            Expression right = Not();
            left = Bounded(new LogicExpression(true, left, right).Nesting(left, right));
        }

        return left;
    }

    private Expression Not()
    {
        if (!tokens.Current.Is("not")) return Compare();
        tokens.Next();
        if (++_depth > ParserDepthMax || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw tokens.Error("expressions are nested too deeply");
        Expression operand = Not();
        _depth--;
        return new NotExpression(operand).Nesting(operand);
    }

    private Expression Compare()
    {
        Expression first = Math1();
        var operations = new List<Comparison>();
        var operands = new List<Expression>();
        while (TryComparison() is { } operation)
        {
            operations.Add(operation);
            operands.Add(Math1());
        }

        return operations.Count == 0 ? first
            : new CompareExpression(first, [.. operations], [.. operands]).Nesting([first, .. operands]);
    }

    private Comparison? TryComparison()
    {
        Comparison? symbol = tokens.Current.Kind switch
        {
            TokenKind.Eq => Comparison.Eq,
            TokenKind.Ne => Comparison.Ne,
            TokenKind.Lt => Comparison.Lt,
            TokenKind.LtEq => Comparison.LtEq,
            TokenKind.Gt => Comparison.Gt,
            TokenKind.GtEq => Comparison.GtEq,
            _ => null,
        };
        if (symbol is not null)
        {
            tokens.Next();
            return symbol;
        }

        if (tokens.SkipName("in")) return Comparison.In;
        if (!tokens.Current.Is("not") || !tokens.Look.Is("in")) return null;
        tokens.Next();
        tokens.Next();
        return Comparison.NotIn;
    }

    private Expression Math1()
    {
        Expression left = Concat();
        while (tokens.Current.Kind is TokenKind.Add or TokenKind.Sub)
        {
            Operator operation = tokens.Next().Kind == TokenKind.Add ? Operator.Add : Operator.Sub;
            Expression right = Concat();
            left = Bounded(new BinaryExpression(operation, left, right).Nesting(left, right));
        }

        return left;
    }

    private Expression Concat()
    {
        Expression first = Math2();
        if (tokens.Current.Kind != TokenKind.Tilde) return first;
        var items = new List<Expression> { first };
        while (tokens.SkipIf(TokenKind.Tilde)) items.Add(Math2());
        return new ConcatExpression([.. items]).Nesting([.. items]);
    }

    private Expression Math2()
    {
        Expression left = Pow();
        while (tokens.Current.Kind is TokenKind.Mul or TokenKind.Div or TokenKind.FloorDiv or TokenKind.Mod)
        {
            Operator operation = tokens.Next().Kind switch
            {
                TokenKind.Mul => Operator.Mul,
                TokenKind.Div => Operator.Div,
                TokenKind.FloorDiv => Operator.FloorDiv,
                _ => Operator.Mod,
            };
            Expression right = Pow();
            left = Bounded(new BinaryExpression(operation, left, right).Nesting(left, right));
        }

        return left;
    }

    private Expression Pow()
    {
        Expression left = Unary(true);
        while (tokens.SkipIf(TokenKind.Pow))
        {
            Expression right = Unary(true);
            left = Bounded(new BinaryExpression(Operator.Pow, left, right).Nesting(left, right));
        }

        return left;
    }

    private Expression Unary(bool withFilters)
    {
        if (++_depth > ParserDepthMax || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw tokens.Error("expressions are nested too deeply");
        Expression result;
        if (tokens.Current.Kind is TokenKind.Sub or TokenKind.Add)
        {
            bool negative = tokens.Next().Kind == TokenKind.Sub;
            Expression operand = Unary(false);
            result = new SignExpression(negative, operand).Nesting(operand);
        }
        else
        {
            result = Primary(false);
        }

        result = Postfix(result);
        if (withFilters) result = FilterExpressions(result);
        _depth--;
        return Bounded(result);
    }

    private Expression Primary(bool withNamespace)
    {
        Token token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name: return Name(withNamespace);
            case TokenKind.String: return Text();
            case TokenKind.Integer: return Integer(tokens.Next().Text);
            case TokenKind.Float:
                return new ConstantExpression(Value.Float(double.Parse(tokens.Next().Text, CultureInfo.InvariantCulture)));
            case TokenKind.LParen:
                tokens.Next();
                Expression inner = Tuple(true, true);
                tokens.Expect(TokenKind.RParen);
                return inner;
            case TokenKind.LBracket: return List();
            case TokenKind.LBrace: return Dict();
            default: throw tokens.Unexpected();
        }
    }

    private Expression Name(bool withNamespace)
    {
        string name = tokens.Next().Text;
        switch (name)
        {
            case "true" or "True": return new ConstantExpression(Value.True);
            case "false" or "False": return new ConstantExpression(Value.False);
            case "none" or "None": return new ConstantExpression(Value.None);
        }

        if (!withNamespace || tokens.Current.Kind != TokenKind.Dot) return new NameExpression(program.Name(name));
        tokens.Next();
        return new NamespaceTarget(program.Name(name), program.Name(tokens.Expect(TokenKind.Name).Text));
    }

    private ConstantExpression Text()
    {
        string text = tokens.Next().Text;
        if (tokens.Current.Kind == TokenKind.String)
        {
            var joined = new StringBuilder(text);
            while (tokens.Current.Kind == TokenKind.String) joined.Append(tokens.Next().Text);
            text = joined.ToString();
        }

        return new ConstantExpression(program.Literal(text));
    }

    private ConstantExpression Integer(string text)
    {
        int radix = text.Length > 1 ? char.ToLowerInvariant(text[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 } : 10;
        BigInteger value = 0;
        foreach (char digit in radix == 10 ? text : text[2..])
        {
            value = (value * radix) + Convert.ToInt32(digit.ToString(), 16);
            if (value.GetBitLength() > TemplateLimits.IntegerBitsMax) throw tokens.Error("an integer is too large");
        }

        if (value <= long.MaxValue) return new ConstantExpression(Value.Int((long)value));
        Value digits = program.Literal(value.ToString(CultureInfo.InvariantCulture));
        return new ConstantExpression(new Value(Kind.BigInt, digits.Bits, digits.Length));
    }

    private Expression List()
    {
        tokens.Expect(TokenKind.LBracket);
        var items = new List<Expression>();
        while (tokens.Current.Kind != TokenKind.RBracket)
        {
            if (items.Count > 0) tokens.Expect(TokenKind.Comma);
            if (tokens.Current.Kind == TokenKind.RBracket) break;
            items.Add(Expression());
        }

        tokens.Expect(TokenKind.RBracket);
        return new ListExpression([.. items], Kind.List).Nesting([.. items]);
    }

    private Expression Dict()
    {
        tokens.Expect(TokenKind.LBrace);
        var keys = new List<Expression>();
        var values = new List<Expression>();
        while (tokens.Current.Kind != TokenKind.RBrace)
        {
            if (keys.Count > 0) tokens.Expect(TokenKind.Comma);
            if (tokens.Current.Kind == TokenKind.RBrace) break;
            keys.Add(Expression());
            tokens.Expect(TokenKind.Colon);
            values.Add(Expression());
        }

        tokens.Expect(TokenKind.RBrace);
        return new DictExpression([.. keys], [.. values]).Nesting([.. keys, .. values]);
    }
}

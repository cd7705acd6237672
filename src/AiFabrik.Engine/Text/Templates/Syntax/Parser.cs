namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// Parses a template's statements, as Jinja's parser does with the loop controls and the <c>generation</c> block of
/// chat templates. Expressions are <see cref="ExpressionParser"/>'s.
/// </summary>
internal sealed class Parser
{
    /// <summary>Levels of statements.</summary>
    private const int StatementDepthMax = 100;

    private readonly ProgramBuilder _program = new();
    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;
    private readonly Stack<ScopeNames> _scopes = new();
    private readonly HashSet<string> _blocks = new(StringComparer.Ordinal);
    private int _loopDepth;
    private int _depth;
    private int _macroCount;

    private Parser(string source)
    {
        _tokens = new TokenStream(Lexer.Tokenize(source));
        _expressions = new ExpressionParser(_tokens, _program);
    }

    public static TemplateProgram Parse(string source)
    {
        var parser = new Parser(source);
        ScopeNames root = parser._program.NewScope();
        parser._scopes.Push(root);
        Statement[] body = parser.Body([]);
        if (parser._tokens.Current.Kind != TokenKind.Eof) throw parser._tokens.Unexpected();
        TemplateProgram program = parser._program.Build(body, root);
        Analysis.Check(program, parser._program);
        return program;
    }

    private Statement[] Body(ReadOnlySpan<string> ends)
    {
        if (++_depth > StatementDepthMax) throw _tokens.Error("statements are nested too deeply");
        var body = new List<Statement>();
        while (_tokens.Current.Kind != TokenKind.Eof)
        {
            switch (_tokens.Current.Kind)
            {
                case TokenKind.Data:
                    body.Add(new DataStatement(_program.Literal(_tokens.Next().Text)));
                    break;
                case TokenKind.VariableBegin:
                    _tokens.Next();
                    body.Add(new OutputStatement(_expressions.Tuple(true, false)));
                    _tokens.Expect(TokenKind.VariableEnd);
                    break;
                case TokenKind.BlockBegin:
                    _tokens.Next();
                    if (IsOneOf(ends))
                    {
                        _depth--;
                        return [.. body];
                    }

                    body.Add(ParseStatement());
                    _tokens.Expect(TokenKind.BlockEnd);
                    break;
                default:
                    throw _tokens.Unexpected();
            }
        }

        if (ends.Length > 0) throw _tokens.Error($"the template ends where '{ends[^1]}' is expected");
        _depth--;
        return [.. body];
    }

    private bool IsOneOf(ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (_tokens.Current.Is(name)) return true;
        }

        return false;
    }

    /// <summary>The end of a tag (a colon may stand before it) and the body after it, up to one of the end names.</summary>
    private Statement[] BlockBody(params ReadOnlySpan<string> ends)
    {
        _tokens.SkipIf(TokenKind.Colon);
        _tokens.Expect(TokenKind.BlockEnd);
        return Body(ends);
    }

    /// <summary>A body in a scope of its own, with its end name.</summary>
    private Statement[] ScopedBody(ScopeNames names, string end)
    {
        _scopes.Push(names);
        Statement[] body = BlockBody(end);
        _tokens.Next();
        _scopes.Pop();
        return body;
    }

    private Statement ParseStatement()
    {
        Token token = _tokens.Next();
        if (token.Kind != TokenKind.Name) throw _tokens.Error("a tag begins with a name");
        switch (token.Text)
        {
            case "for": return For();
            case "if": return If();
            case "set": return Set();
            case "macro": return Macro();
            case "call": return CallBlock();
            case "with": return With();
            case "print": return new OutputStatement(_expressions.Tuple(true, false));
            case "filter": return FilterBlock();
            case "block": return Block();
            case "autoescape": return Autoescape();
            case "generation":
                ScopeNames names = _program.NewScope();
                return new ScopeStatement(names, ScopedBody(names, "endgeneration"));
            case "break" or "continue":
                if (_loopDepth == 0) throw _tokens.Error($"'{token.Text}' outside of a loop");
                return new LoopControlStatement(token.Text == "break" ? Flow.Break : Flow.Continue);
            case "include" or "import" or "from" or "extends":
                while (_tokens.Current.Kind is not (TokenKind.BlockEnd or TokenKind.Eof)) _tokens.Next();
                return new UnsupportedStatement();
            default: throw _tokens.Error($"unknown tag '{token.Text}'");
        }
    }

    private IfStatement If()
    {
        var tests = new List<Expression>();
        var bodies = new List<Statement[]>();
        Statement[]? otherwise = null;
        while (true)
        {
            tests.Add(_expressions.Tuple(false, false));
            bodies.Add(BlockBody("elif", "else", "endif"));
            Token token = _tokens.Next();
            if (token.Is("elif")) continue;
            if (token.Is("else"))
            {
                otherwise = BlockBody("endif");
                _tokens.Next();
            }

            return new IfStatement([.. tests], [.. bodies], otherwise);
        }
    }

    private ForStatement For()
    {
        ScopeNames names = _program.NewScope();
        ScopeNames elseNames = _program.NewScope();
        int loopName = _program.Name("loop");
        Expression target = _expressions.Target(true, false, "in");
        if (Targets(target).Contains(loopName)) throw _tokens.Error("'loop' cannot be a loop's target");
        _tokens.ExpectName("in");
        Expression iterable = _expressions.Tuple(false, false, "recursive");
        Expression? test = _tokens.SkipName("if") ? _expressions.Expression() : null;
        bool recursive = _tokens.SkipName("recursive");
        int index = _program.Loops.Count;
        _program.Loops.Add(null!);
        names.Add(loopName);
        foreach (int name in Targets(target)) names.Add(name);
        int macrosBefore = _macroCount;
        _scopes.Push(names);
        _loopDepth++;
        Statement[] body = BlockBody("endfor", "else");
        _loopDepth--;
        _scopes.Pop();
        Statement[]? otherwise = null;
        if (_tokens.Next().Is("else")) otherwise = ScopedBody(elseNames, "endfor");
        return _program.Loops[index] = new ForStatement
        {
            Index = index,
            Target = target,
            Iterable = iterable,
            Test = test,
            IsRecursive = recursive,
            Names = names,
            Body = body,
            ElseNames = elseNames,
            Else = otherwise,
            LoopName = loopName,
            BodyHasMacros = _macroCount != macrosBefore || recursive,
        };
    }

    /// <summary>The names that a target sets.</summary>
    private static IEnumerable<int> Targets(Expression target) => target switch
    {
        NameExpression name => [name.Name],
        ListExpression tuple => tuple.Items.SelectMany(Targets),
        _ => [],
    };

    private void Declare(Expression target)
    {
        foreach (int name in Targets(target))
        {
            if (_loopDepth > 0 && _program.NameText(name) == "loop") throw _tokens.Error("'loop' cannot be set in a loop");
            _scopes.Peek().Add(name);
        }
    }

    private Statement Set()
    {
        Expression target = _expressions.Target(true, true);
        Declare(target);
        if (_tokens.SkipIf(TokenKind.Assign)) return new SetStatement(target, _expressions.Tuple(true, false));
        Expression? filter = _tokens.Current.Kind == TokenKind.Pipe ? _expressions.Filters(new BlockTextExpression(), false) : null;
        ScopeNames names = _program.NewScope();
        return new SetBlockStatement(target, filter, names, ScopedBody(names, "endset"));
    }

    private MacroStatement Macro()
    {
        int name = _program.Name(_tokens.ExpectTargetName());
        _scopes.Peek().Add(name);
        return new MacroStatement(MacroBody(name, true, "endmacro"));
    }

    private MacroNode MacroBody(int name, bool hasSignature, string end, Action? afterSignature = null)
    {
        ScopeNames names = _program.NewScope();
        int index = _program.Macros.Count;
        _program.Macros.Add(null!);
        _macroCount++;
        var parameters = new List<int>();
        var defaults = new List<Expression?>();
        if (hasSignature) Signature(parameters, defaults);
        afterSignature?.Invoke();
        foreach (int parameter in parameters) names.Add(parameter);
        int loopDepth = _loopDepth;
        _loopDepth = 0;
        Statement[] body = ScopedBody(names, end);
        _loopDepth = loopDepth;
        return _program.Macros[index] = new MacroNode
        {
            Index = index,
            Name = name,
            Parameters = [.. parameters],
            Defaults = [.. defaults],
            Names = names,
            Body = body,
        };
    }

    private void Signature(List<int> parameters, List<Expression?> defaults)
    {
        _tokens.Expect(TokenKind.LParen);
        while (_tokens.Current.Kind != TokenKind.RParen)
        {
            if (parameters.Count > 0) _tokens.Expect(TokenKind.Comma);
            int name = _program.Name(_tokens.ExpectTargetName());
            if (parameters.Contains(name)) throw _tokens.Error("two parameters have the same name");
            parameters.Add(name);
            if (_tokens.SkipIf(TokenKind.Assign)) defaults.Add(_expressions.Expression());
            else if (defaults.Count > 0 && defaults[^1] is not null) throw _tokens.Error("a parameter without default follows one with a default");
            else defaults.Add(null);
        }

        _tokens.Expect(TokenKind.RParen);
    }

    private CallBlockStatement CallBlock()
    {
        CallExpression? call = null;
        bool hasSignature = _tokens.Current.Kind == TokenKind.LParen;
        MacroNode body = MacroBody(_program.Name("caller"), hasSignature, "endcall", () =>
        {
            call = _expressions.Expression() as CallExpression ?? throw _tokens.Error("'call' wants a call");
        });
        return new CallBlockStatement(body, call!);
    }

    private WithStatement With()
    {
        ScopeNames names = _program.NewScope();
        var targets = new List<Expression>();
        var values = new List<Expression>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (targets.Count > 0) _tokens.Expect(TokenKind.Comma);
            Expression target = _expressions.Target(true, false);
            foreach (int name in Targets(target)) names.Add(name);
            targets.Add(target);
            _tokens.Expect(TokenKind.Assign);
            values.Add(_expressions.Expression());
        }

        return new WithStatement([.. targets], [.. values], names, ScopedBody(names, "endwith"));
    }

    private FilterStatement FilterBlock()
    {
        Expression filter = _expressions.Filters(new BlockTextExpression(), true);
        ScopeNames names = _program.NewScope();
        return new FilterStatement(filter, names, ScopedBody(names, "endfilter"));
    }

    private BlockStatement Block()
    {
        string name = _tokens.Expect(TokenKind.Name).Text;
        if (!_blocks.Add(name)) throw _tokens.Error($"two blocks are named '{name}'");
        _tokens.SkipName("scoped");
        _tokens.SkipName("required");
        ScopeNames names = _program.NewScope();
        int loopDepth = _loopDepth;
        _loopDepth = 0;
        Statement[] body = ScopedBody(names, "endblock");
        _loopDepth = loopDepth;
        _tokens.SkipName(name);
        return new BlockStatement(names, body);
    }

    private AutoescapeStatement Autoescape()
    {
        Expression enabled = _expressions.Expression();
        ScopeNames names = _program.NewScope();
        return new AutoescapeStatement(enabled, names, ScopedBody(names, "endautoescape"));
    }
}

namespace AiFabrik.Ptx;

/// <summary>A function's body: scopes, declarations, labels and instructions, flattened to one list of statements.</summary>
internal sealed class BodyParser(TokenReader reader, VariableParser variables, FunctionSyntax function)
{
    /// <summary>How many registers one declaration may name; <c>%r&lt;n&gt;</c> costs nothing until they are used.</summary>
    public const int RegistersMax = 1 << 20;

    private Scope _scope = function.Body;

    public void Run()
    {
        while (true)
        {
            if (reader.AtEnd)
            {
                throw reader.Unexpected("'}'");
            }
            if (reader.TakeIf('{'))
            {
                _scope = new Scope(_scope);
            }
            else if (reader.TakeIf('}'))
            {
                if (_scope == function.Body)
                {
                    return;
                }
                _scope = _scope.Parent!;
            }
            else if (!reader.TakeIf(';'))
            {
                Item();
            }
        }
    }

    private void Item()
    {
        Token token = reader.Current;
        if (token.Kind == TokenKind.Word && reader.Next.Is(':'))
        {
            reader.Take();
            reader.Take();
            Label(token);
        }
        else if (token.Kind == TokenKind.Word && token.Text.StartsWith('.'))
        {
            Directive();
        }
        else
        {
            Instruction();
        }
    }

    private void Label(Token token)
    {
        if (reader.TakeIf(".branchtargets"))
        {
            var targets = new List<string>();
            do
            {
                targets.Add(reader.Word());
            }
            while (reader.TakeIf(','));
            reader.Expect(';');
            _scope.BranchTargets[token.Text] = targets;
        }
        else if (reader.TakeIf(".callprototype"))
        {
            List<Variable> returns = reader.Current.Is('(') ? variables.Parameters() : [];
            reader.Word();
            List<Variable> parameters = reader.Current.Is('(') ? variables.Parameters() : [];
            while (!reader.AtEnd && !reader.TakeIf(';'))
            {
                reader.Take();
            }
            _scope.Prototypes[token.Text] = new Prototype(returns, parameters);
        }
        else if (!_scope.Labels.TryAdd(token.Text, function.Statements.Count))
        {
            throw new PtxSyntaxException(token.Line, $"the label '{token.Text}' stands twice");
        }
    }

    private void Directive()
    {
        Token token = reader.Take();
        switch (token.Text)
        {
            case ".reg":
                Registers();
                break;
            case ".param" or ".local" or ".shared":
                Variables(token.Text, isExtern: false);
                break;
            // ILGPU declares its dynamic shared memory inside the function.
            case ".extern" or ".visible":
                string space = reader.Word();
                Variables(space, isExtern: token.Text == ".extern");
                break;
            case ".loc" or ".file":
                reader.SkipLine();
                break;
            case ".pragma":
                while (!reader.AtEnd && !reader.TakeIf(';'))
                {
                    reader.Take();
                }
                break;
            default:
                throw new PtxSyntaxException(token.Line, $"unknown directive '{token.Text}'");
        }
    }

    private void Variables(string space, bool isExtern)
    {
        Space where = space switch { ".param" => Space.Param, ".local" => Space.Local, _ => Space.Shared };
        foreach (Variable variable in variables.Declarations(where, isExtern))
        {
            _scope.Variables[variable.Name] = variable;
            function.Locals.Add(variable);
        }
        reader.Expect(';');
    }

    private void Registers()
    {
        PtxType type = PtxTypes.Parse(reader.Word().TrimStart('.'));
        if (type == PtxType.None)
        {
            throw reader.Unexpected("a register type");
        }
        do
        {
            string name = reader.Word();
            if (reader.TakeIf('<'))
            {
                long count = reader.Integer();
                reader.Expect('>');
                if (count is < 0 or > RegistersMax)
                {
                    throw reader.Unexpected("fewer registers");
                }
                _scope.Ranges[name] = new RegisterRange(type, (int)count);
            }
            else
            {
                _scope.Registers[name] = new RegisterDeclaration(type);
            }
        }
        while (reader.TakeIf(','));
        reader.Expect(';');
    }

    private void Instruction()
    {
        int line = reader.Current.Line;
        string? guard = null;
        bool guardNot = false;
        if (reader.TakeIf('@'))
        {
            guardNot = reader.TakeIf('!');
            guard = reader.Word();
        }
        var statement = new Statement { Opcode = reader.Word(), Scope = _scope, Line = line, Guard = guard, GuardNot = guardNot };
        function.Statements.Add(statement);
        if (reader.TakeIf(';'))
        {
            return;
        }
        do
        {
            statement.Operands.Add(Operand(0));
        }
        while (reader.TakeIf(','));
        if (!reader.Current.Is('}'))
        {
            reader.Expect(';');
        }
    }

    private Operand Operand(int depth)
    {
        Token token = reader.Current;
        if (depth > 4)
        {
            throw reader.Unexpected("a simpler operand");
        }
        if (token.Is('['))
        {
            return Address();
        }
        if (token.Is('{') || token.Is('('))
        {
            reader.Take();
            char close = token.Is('{') ? '}' : ')';
            var items = new List<Operand>();
            while (!reader.TakeIf(close))
            {
                items.Add(Operand(depth + 1));
                if (!reader.TakeIf(',') && !reader.Current.Is(close))
                {
                    throw reader.Unexpected($"'{close}'");
                }
            }
            return new Operand { Kind = close == '}' ? OperandKind.Vector : OperandKind.List, Items = items };
        }
        bool not = reader.TakeIf('!');
        bool negative = reader.TakeIf('-');
        if (reader.Current.Kind == TokenKind.Number || reader.Current.IsWord("WARP_SZ"))
        {
            return new Operand { Kind = OperandKind.Literal, Name = reader.Take().Text, Negative = negative };
        }
        string name = reader.Word();
        string? second = reader.TakeIf('|') ? reader.Word() : null;
        return new Operand { Kind = OperandKind.Name, Name = name, Not = not, Second = second, Offset = OptionalOffset() };
    }

    private Operand Address()
    {
        reader.Expect('[');
        string name = "";
        long offset = 0;
        if (reader.Current.Kind == TokenKind.Word)
        {
            name = reader.Word();
            offset = OptionalOffset();
        }
        else
        {
            offset = reader.Integer();
        }
        if (!reader.TakeIf(']'))
        {
            throw reader.Unexpected("']'");
        }
        return new Operand { Kind = OperandKind.Address, Name = name, Offset = offset };
    }

    private long OptionalOffset() => reader.Current.Is('+') || reader.Current.Is('-') ? reader.Integer() : 0;
}

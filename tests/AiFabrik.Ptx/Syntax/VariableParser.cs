namespace AiFabrik.Ptx;

/// <summary>Declarations of variables and parameters in every state space, with their initialisers.</summary>
internal sealed class VariableParser(TokenReader reader)
{
    /// <summary>The largest variable that is accepted, in bytes.</summary>
    public const long VariableBytesMax = 1L << 28;

    /// <summary>Everything behind the state space: alignment, type, then one or more names; without the closing semicolon.</summary>
    public List<Variable> Declarations(Space space, bool isExtern)
    {
        (PtxType type, int align, int vector) = TypeAndAlign();
        var result = new List<Variable>();
        do
        {
            result.Add(Declarator(space, type, align, vector, isExtern));
        }
        while (reader.TakeIf(','));
        return result;
    }

    /// <summary>Parameters in parentheses; <c>.reg</c> parameters keep the space Reg.</summary>
    public List<Variable> Parameters()
    {
        var result = new List<Variable>();
        reader.Expect('(');
        while (!reader.TakeIf(')'))
        {
            Space space = reader.Word() switch
            {
                ".param" => Space.Param,
                ".reg" => Space.Reg,
                _ => throw reader.Unexpected(".param or .reg"),
            };
            (PtxType type, int align, int vector) = TypeAndAlign();
            result.Add(Declarator(space, type, align, vector, false));
            if (!reader.TakeIf(',') && !reader.Current.Is(')'))
            {
                throw reader.Unexpected("')'");
            }
        }
        return result;
    }

    private (PtxType Type, int Align, int Vector) TypeAndAlign()
    {
        int align = 0;
        int vector = 1;
        PtxType type = PtxType.None;
        while (reader.Current.Kind == TokenKind.Word && reader.Current.Text.StartsWith('.'))
        {
            string word = reader.Word();
            switch (word)
            {
                case ".align":
                    align = (int)Math.Clamp(reader.Integer(), 1, 4096);
                    break;
                case ".v2" or ".v4":
                    vector = word[2] - '0';
                    break;
                // What a pointer parameter points to binds nothing here; managed memory is global memory.
                case ".ptr" or ".global" or ".shared" or ".local" or ".const" or ".managed":
                    break;
                case ".attribute":
                    SkipParentheses();
                    break;
                default:
                    type = PtxTypes.Parse(word[1..]);
                    if (type == PtxType.None)
                    {
                        throw new PtxSyntaxException(reader.Current.Line, $"unknown type '{word}'");
                    }
                    break;
            }
        }
        if (type == PtxType.None)
        {
            throw reader.Unexpected("a type");
        }
        return (type, Math.Max(align, type.Size() * vector), vector);
    }

    public void SkipParentheses()
    {
        reader.Expect('(');
        while (!reader.AtEnd && !reader.TakeIf(')'))
        {
            reader.Take();
        }
    }

    private Variable Declarator(Space space, PtxType type, int align, int vector, bool isExtern)
    {
        int line = reader.Current.Line;
        string name = reader.Word();
        long count = vector;
        bool open = false;
        while (reader.TakeIf('['))
        {
            if (reader.TakeIf(']'))
            {
                open = true;
                continue;
            }
            long n = reader.Integer();
            reader.Expect(']');
            if (n < 0 || n > VariableBytesMax || (n > 0 && count > VariableBytesMax / n))
            {
                throw new PtxSyntaxException(line, $"'{name}' is too large");
            }
            count *= n;
        }
        var variable = new Variable { Name = name, Space = space, Type = type, Line = line, Align = align };
        if (reader.TakeIf('='))
        {
            Initialiser(variable);
            count = open ? variable.Initial.Count : count;
            if (variable.Initial.Count > count)
            {
                throw new PtxSyntaxException(line, $"more initial values than elements of '{name}'");
            }
        }
        else if (open)
        {
            variable.IsDynamic = isExtern && space == Space.Shared;
            if (!variable.IsDynamic && space != Space.Param)
            {
                throw new PtxSyntaxException(line, $"'{name}' has no size");
            }
            count = 0;
        }
        variable.SizeBytes = count * type.Size();
        if (variable.SizeBytes > VariableBytesMax)
        {
            throw new PtxSyntaxException(line, $"'{name}' is too large");
        }
        return variable;
    }

    private void Initialiser(Variable variable)
    {
        // Nested braces only group the elements of rows; the order in memory is the order in the text.
        int depth = 0;
        do
        {
            if (reader.TakeIf('{'))
            {
                depth++;
            }
            else if (reader.TakeIf('}'))
            {
                depth--;
            }
            else if (!reader.TakeIf(','))
            {
                variable.Initial.Add(Element());
            }
        }
        while (depth > 0);
    }

    private InitialValue Element()
    {
        bool negative = reader.TakeIf('-');
        Token token = reader.Current;
        if (token.Kind == TokenKind.Number)
        {
            reader.Take();
            return new InitialValue(null, false, token.Text, negative, 0);
        }
        string word = reader.Word();
        // 0xFF(symbol) style byte extraction is not used by any compiler we load; generic(symbol) and plain symbols are.
        bool generic = word == "generic" && reader.TakeIf('(');
        string symbol = generic ? reader.Word() : word;
        long offset = 0;
        if (generic)
        {
            offset = OptionalOffset();
            reader.Expect(')');
        }
        return new InitialValue(symbol, generic, "", false, offset + OptionalOffset());
    }

    private long OptionalOffset() => reader.Current.Is('+') || reader.Current.Is('-') ? reader.Integer() : 0;
}

namespace AiFabrik.Ptx;

/// <summary>A cursor over tokens with the few steps that both parsers share.</summary>
internal sealed class TokenReader(List<Token> tokens)
{
    private int _at;

    public Token Current => tokens[_at];
    public Token Next => tokens[Math.Min(_at + 1, tokens.Count - 1)];
    public bool AtEnd => Current.Kind == TokenKind.End;

    public Token Take()
    {
        Token token = tokens[_at];
        if (token.Kind != TokenKind.End)
        {
            _at++;
        }
        return token;
    }

    public bool TakeIf(char symbol)
    {
        if (!Current.Is(symbol))
        {
            return false;
        }
        _at++;
        return true;
    }

    public bool TakeIf(string word)
    {
        if (!Current.IsWord(word))
        {
            return false;
        }
        _at++;
        return true;
    }

    public void Expect(char symbol)
    {
        if (!TakeIf(symbol))
        {
            throw Unexpected($"'{symbol}'");
        }
    }

    public string Word()
    {
        if (Current.Kind != TokenKind.Word)
        {
            throw Unexpected("a name");
        }
        return Take().Text;
    }

    /// <summary>An integer with an optional sign.</summary>
    public long Integer()
    {
        bool negative = TakeIf('-');
        if (!negative)
        {
            TakeIf('+');
            negative = TakeIf('-');
        }
        Token token = Current;
        if (token.Kind is not (TokenKind.Number or TokenKind.Word) || !Literals.TryInteger(token.Text, out ulong value))
        {
            throw Unexpected("an integer");
        }
        Take();
        return negative ? unchecked(-(long)value) : (long)value;
    }

    /// <summary>Skips a directive that ends with its line (.version, .loc, .file).</summary>
    public void SkipLine()
    {
        int line = Current.Line;
        while (!AtEnd && Current.Line == line)
        {
            _at++;
        }
    }

    public void SkipBraces()
    {
        int depth = 0;
        do
        {
            if (AtEnd)
            {
                throw Unexpected("'}'");
            }
            Token token = Take();
            depth += token.Is('{') ? 1 : token.Is('}') ? -1 : 0;
        }
        while (depth > 0);
    }

    public PtxSyntaxException Unexpected(string wanted) =>
        new(Current.Line, $"'{Current.Text}' where {wanted} was expected");
}

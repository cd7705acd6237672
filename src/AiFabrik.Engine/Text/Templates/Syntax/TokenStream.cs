namespace AiFabrik.Engine.Text.Templates;

/// <summary>The tokens of a template with a place among them.</summary>
internal sealed class TokenStream(List<Token> tokens)
{
    private int _at;

    public Token Current => tokens[_at];

    public Token Look => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Token Next()
    {
        Token token = tokens[_at];
        if (_at < tokens.Count - 1) _at++;
        return token;
    }

    public Token Expect(TokenKind kind) => Current.Kind == kind ? Next() : throw Error($"expected {Describe(kind)}, found {Describe(Current)}");

    public void ExpectName(string name)
    {
        if (!SkipName(name)) throw Error($"expected '{name}', found {Describe(Current)}");
    }

    /// <summary>A name that may be set.</summary>
    public string ExpectTargetName()
    {
        string name = Expect(TokenKind.Name).Text;
        return name is "true" or "false" or "none" or "True" or "False" or "None"
            ? throw Error($"'{name}' cannot be set") : name;
    }

    public bool SkipIf(TokenKind kind)
    {
        if (Current.Kind != kind) return false;
        Next();
        return true;
    }

    public bool SkipName(string name)
    {
        if (!Current.Is(name)) return false;
        Next();
        return true;
    }

    public TemplateSyntaxException Error(string message) => new(message, Current.Line);

    public TemplateSyntaxException Unexpected() => Error($"unexpected {Describe(Current)}");

    private static string Describe(Token token) => token.Kind switch
    {
        TokenKind.Name => $"'{token.Text}'",
        TokenKind.Eof => "the end of the template",
        _ => Describe(token.Kind),
    };

    private static string Describe(TokenKind kind) => kind switch
    {
        TokenKind.BlockEnd => "'%}'",
        TokenKind.VariableEnd => "'}}'",
        TokenKind.LParen => "'('",
        TokenKind.RParen => "')'",
        TokenKind.RBracket => "']'",
        TokenKind.RBrace => "'}'",
        TokenKind.Comma => "','",
        TokenKind.Colon => "':'",
        TokenKind.Assign => "'='",
        _ => $"a token of kind {kind}",
    };
}

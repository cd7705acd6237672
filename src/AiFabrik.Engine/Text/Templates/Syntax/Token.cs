namespace AiFabrik.Engine.Text.Templates;

internal enum TokenKind : byte
{
    Eof,
    Data,
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Integer,
    Float,
    Add,
    Sub,
    Div,
    FloorDiv,
    Mul,
    Mod,
    Pow,
    Tilde,
    LBracket,
    RBracket,
    LParen,
    RParen,
    LBrace,
    RBrace,
    Eq,
    Ne,
    Gt,
    GtEq,
    Lt,
    LtEq,
    Assign,
    Dot,
    Colon,
    Pipe,
    Comma,
    Semicolon,
}

/// <summary>A token of a template's source; <see cref="Text"/> is a name, a number, an unescaped string or data.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public bool Is(string name) => Kind == TokenKind.Name && Text == name;
}

/// <summary>A mistake in a template's source. It names only the template's own text, which is no content.</summary>
internal sealed class TemplateSyntaxException(string message, int line) : Exception($"line {line}: {message}");

namespace AiFabrik.Ptx;

internal enum TokenKind : byte { End, Word, Number, Text, Symbol }

internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public bool Is(char symbol) => Kind == TokenKind.Symbol && Text[0] == symbol;
    public bool IsWord(string word) => Kind == TokenKind.Word && Text == word;
}

/// <summary>Raised inside the parser and the compiler; <see cref="PtxModule.TryParse"/> turns it into a <see cref="PtxError"/>.</summary>
internal sealed class PtxSyntaxException(int line, string message) : Exception(message)
{
    public int Line { get; } = line;
}

/// <summary>
/// Splits PTX text into tokens. A word keeps its dots and double colons (<c>ld.global.v4.u32</c>, <c>shared::cta</c>,
/// <c>%tid.x</c>), because PTX gives them meaning only inside one word.
/// </summary>
internal sealed class Lexer(string text)
{
    private static readonly System.Buffers.SearchValues<char> s_decimal = System.Buffers.SearchValues.Create("0123456789.");
    private int _at;
    private int _line = 1;

    public List<Token> Run()
    {
        var tokens = new List<Token>(text.Length / 4 + 1);
        while (SkipBlank())
        {
            char c = text[_at];
            if (c == '"')
            {
                tokens.Add(Quoted());
            }
            else if (char.IsAsciiDigit(c))
            {
                tokens.Add(Number());
            }
            else if (IsWordStart(c))
            {
                tokens.Add(Word());
            }
            else
            {
                tokens.Add(new Token(TokenKind.Symbol, c.ToString(), _line));
                _at++;
            }
        }
        tokens.Add(new Token(TokenKind.End, "end of text", _line));
        return tokens;
    }

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c is '_' or '$' or '%' or '.';

    private bool SkipBlank()
    {
        while (_at < text.Length)
        {
            char c = text[_at];
            if (c == '\n')
            {
                _line++;
                _at++;
            }
            else if (char.IsWhiteSpace(c) || c == '\0')
            {
                _at++;
            }
            else if (c == '/' && _at + 1 < text.Length && text[_at + 1] == '/')
            {
                while (_at < text.Length && text[_at] != '\n')
                {
                    _at++;
                }
            }
            else if (c == '/' && _at + 1 < text.Length && text[_at + 1] == '*')
            {
                SkipBlockComment();
            }
            else
            {
                return true;
            }
        }
        return false;
    }

    private void SkipBlockComment()
    {
        int end = text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
        int stop = end < 0 ? text.Length : end + 2;
        _line += text.AsSpan(_at, stop - _at).Count('\n');
        _at = stop;
    }

    private Token Quoted()
    {
        int start = ++_at;
        while (_at < text.Length && text[_at] != '"' && text[_at] != '\n')
        {
            _at++;
        }
        var token = new Token(TokenKind.Text, text[start.._at], _line);
        if (_at < text.Length && text[_at] == '"')
        {
            _at++;
        }
        return token;
    }

    private Token Word()
    {
        int start = _at++;
        while (_at < text.Length)
        {
            char c = text[_at];
            bool doubleColon = c == ':' && _at + 1 < text.Length && text[_at + 1] == ':';
            if (doubleColon)
            {
                _at += 2;
            }
            else if (char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '.' or '%')
            {
                _at++;
            }
            else
            {
                break;
            }
        }
        return new Token(TokenKind.Word, text[start.._at], _line);
    }

    private Token Number()
    {
        int start = _at++;
        while (_at < text.Length)
        {
            char c = text[_at];
            bool exponentSign = c is '+' or '-' && text[_at - 1] is 'e' or 'E' && IsDecimalFloat(text.AsSpan(start, _at - 1 - start));
            if (!(char.IsAsciiLetterOrDigit(c) || c is '.' or '_') && !(c is '+' or '-' && exponentSign))
            {
                break;
            }
            _at++;
        }
        return new Token(TokenKind.Number, text[start.._at], _line);
    }

    /// <summary>Whether a sign may follow the letter e: <c>1.5e-3</c>, but not the hexadecimal <c>0f3E</c>.</summary>
    private static bool IsDecimalFloat(ReadOnlySpan<char> digits) => !digits.ContainsAnyExcept(s_decimal);
}

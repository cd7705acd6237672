namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// Splits a template's source into tokens, as Jinja does with <c>trim_blocks</c> and <c>lstrip_blocks</c> on and
/// <c>keep_trailing_newline</c> off.
/// </summary>
internal sealed class Lexer
{
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private readonly Stack<char> _braces = new();
    private int _at;
    private int _line = 1;
    private int _linesCountedTo;

    /// <summary>Whether what was last consumed ended a line: then blanks before the next block are its indent.</summary>
    private bool _lineStarting = true;

    private Lexer(string source) => _source = source;

    public static List<Token> Tokenize(string source)
    {
        string normalized = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (normalized.EndsWith('\n')) normalized = normalized[..^1];
        var lexer = new Lexer(normalized);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (_at < _source.Length)
        {
            int tag = FindTag(_at);
            if (tag < 0)
            {
                AddData(_source[_at..]);
                _at = _source.Length;
                break;
            }

            Tag(tag);
        }

        _tokens.Add(new Token(TokenKind.Eof, "", Line()));
    }

    private int FindTag(int from)
    {
        for (int i = from; i + 1 < _source.Length; i++)
        {
            if (_source[i] == '{' && (_source[i + 1] is '{' or '%' or '#')) return i;
        }

        return -1;
    }

    private void Tag(int tag)
    {
        char type = _source[tag + 1];
        int after = tag + 2;
        char sign = after < _source.Length && _source[after] is '-' or '+' ? _source[after] : '\0';
        if (sign != '\0') after++;
        bool isRaw = false;
        int rawBody = 0;
        if (type == '%') isRaw = TryRaw(after, out rawBody);
        AddData(StripBefore(_source[_at..tag], sign, type != '{'));
        if (isRaw)
        {
            _lineStarting = _source[rawBody - 1] == '\n';
            _at = rawBody;
            Raw();
        }
        else if (type == '#')
        {
            Comment(after);
        }
        else
        {
            _at = after;
            _lineStarting = false;
            _tokens.Add(new Token(type == '{' ? TokenKind.VariableBegin : TokenKind.BlockBegin, "", Line()));
            Inside(type == '{');
        }
    }

    /// <summary>What is left of the text before a tag: nothing of its blanks after a minus, no indent before a block.</summary>
    private string StripBefore(string text, char sign, bool isBlock)
    {
        if (sign == '-') return text[..TrimmedEnd(text)];
        if (sign == '+' || !isBlock) return text;
        int lineStart = text.LastIndexOf('\n') + 1;
        if (lineStart == 0 && !_lineStarting) return text;
        if (lineStart == text.Length) return text;
        for (int i = lineStart; i < text.Length; i++)
        {
            if (!UnicodeText.IsSpace(text[i])) return text;
        }

        return text[..lineStart];
    }

    private static int TrimmedEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && UnicodeText.IsSpace(text[end - 1])) end--;
        return end;
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && UnicodeText.IsSpace(_source[at])) at++;
        return at;
    }

    private bool At(int at, string text) => string.CompareOrdinal(_source, at, text, 0, text.Length) == 0;

    private bool TryRaw(int after, out int body)
    {
        body = 0;
        int at = SkipSpace(after);
        if (!At(at, "raw")) return false;
        at = SkipSpace(at + 3);
        if (At(at, "-%}")) body = SkipSpace(at + 3);
        else if (At(at, "%}")) body = at + 2;
        else return false;
        return true;
    }

    private void Raw()
    {
        for (int i = _at; i + 1 < _source.Length; i++)
        {
            if (_source[i] != '{' || _source[i + 1] != '%') continue;
            int after = i + 2;
            char sign = after < _source.Length && _source[after] is '-' or '+' ? _source[after] : '\0';
            if (sign != '\0') after++;
            int at = SkipSpace(after);
            if (!At(at, "endraw")) continue;
            at = SkipSpace(at + 6);
            if (!TryTagEnd(at, "%}", true, true, out int end)) continue;
            AddData(StripBefore(_source[_at..i], sign, true));
            FinishTag(end);
            return;
        }

        throw new TemplateSyntaxException("the end of a raw block is missing", Line());
    }

    private void Comment(int after)
    {
        for (int i = after; i < _source.Length; i++)
        {
            if (!TryTagEnd(i, "#}", true, true, out int end)) continue;
            FinishTag(end);
            return;
        }

        throw new TemplateSyntaxException("the end of a comment is missing", Line());
    }

    /// <summary>Matches <c>-%}</c> with the blanks after it, <c>+%}</c>, or <c>%}</c> with one newline after it.</summary>
    private bool TryTagEnd(int at, string close, bool plus, bool trimNewline, out int end)
    {
        end = 0;
        if (at >= _source.Length) return false;
        if (_source[at] == '-' && At(at + 1, close)) end = SkipSpace(at + 1 + close.Length);
        else if (plus && _source[at] == '+' && At(at + 1, close)) end = at + 1 + close.Length;
        else if (At(at, close))
        {
            end = at + close.Length;
            if (trimNewline && end < _source.Length && _source[end] == '\n') end++;
        }
        else
        {
            return false;
        }

        return true;
    }

    private void FinishTag(int end)
    {
        _at = end;
        _lineStarting = _source[end - 1] == '\n';
    }

    /// <summary>The line of the place where the lexer is.</summary>
    private int Line()
    {
        if (_at > _linesCountedTo)
        {
            _line += _source.AsSpan(_linesCountedTo, _at - _linesCountedTo).Count('\n');
            _linesCountedTo = _at;
        }

        return _line;
    }

    private void AddData(string text)
    {
        if (text.Length > 0) _tokens.Add(new Token(TokenKind.Data, text, Line()));
    }

    private void Inside(bool isVariable)
    {
        string close = isVariable ? "}}" : "%}";
        _braces.Clear();
        while (_at < _source.Length)
        {
            if (_braces.Count == 0 && TryTagEnd(_at, close, !isVariable, !isVariable, out int end))
            {
                _tokens.Add(new Token(isVariable ? TokenKind.VariableEnd : TokenKind.BlockEnd, "", Line()));
                FinishTag(end);
                return;
            }

            char c = _source[_at];
            if (UnicodeText.IsSpace(c))
            {
                _at++;
            }
            else if (c is '\'' or '"')
            {
                StringToken(c);
            }
            else if (char.IsAsciiDigit(c))
            {
                NumberToken();
            }
            else if (c == '_' || char.IsLetter(c) || char.IsSurrogate(c))
            {
                NameToken();
            }
            else
            {
                OperatorToken();
            }
        }

        // The parser meets the end of the source where it wants the end of the tag.
    }

    private void StringToken(char quote)
    {
        int i = _at + 1;
        while (i < _source.Length && _source[i] != quote) i += _source[i] == '\\' ? 2 : 1;
        if (i >= _source.Length) throw new TemplateSyntaxException("a string is not closed", Line());
        string text = StringEscapes.Unescape(_source.AsSpan(_at + 1, i - _at - 1), Line());
        _tokens.Add(new Token(TokenKind.String, text, Line()));
        _at = i + 1;
    }

    private void NameToken()
    {
        int start = _at;
        while (_at < _source.Length && (_source[_at] == '_' || char.IsLetterOrDigit(_source[_at])
            || char.IsSurrogate(_source[_at]) || IsMark(_source[_at])))
        {
            _at++;
        }

        _tokens.Add(new Token(TokenKind.Name, _source[start.._at], Line()));
    }

    private static bool IsMark(char c) => char.GetUnicodeCategory(c)
        is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;

    private void NumberToken()
    {
        bool afterDot = _at > 0 && _source[_at - 1] == '.';
        int end = afterDot ? 0 : FloatEnd(_at);
        var kind = TokenKind.Float;
        if (end == 0)
        {
            kind = TokenKind.Integer;
            end = IntegerEnd(_at);
        }

        _tokens.Add(new Token(kind, _source[_at..end].Replace("_", "", StringComparison.Ordinal), Line()));
        _at = end;
    }

    /// <summary>Digits with single underscores between them; returns where they end, or <paramref name="at"/>.</summary>
    private int Digits(int at, Func<char, bool> isDigit)
    {
        int end = at;
        while (end < _source.Length && isDigit(_source[end]))
        {
            end++;
            if (end + 1 < _source.Length && _source[end] == '_' && isDigit(_source[end + 1])) end++;
        }

        return end;
    }

    private int FloatEnd(int at)
    {
        int end = Digits(at, char.IsAsciiDigit);
        bool isFloat = false;
        if (end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
        {
            end = Digits(end + 1, char.IsAsciiDigit);
            isFloat = true;
        }

        if (end < _source.Length && _source[end] is 'e' or 'E')
        {
            int exponent = end + 1;
            if (exponent < _source.Length && _source[exponent] is '+' or '-') exponent++;
            int exponentEnd = Digits(exponent, char.IsAsciiDigit);
            if (exponentEnd > exponent) return exponentEnd;
        }

        return isFloat ? end : 0;
    }

    private int IntegerEnd(int at)
    {
        if (_source[at] == '0' && at + 1 < _source.Length)
        {
            Func<char, bool>? isDigit = char.ToLowerInvariant(_source[at + 1]) switch
            {
                'x' => char.IsAsciiHexDigit,
                'o' => c => c is >= '0' and <= '7',
                'b' => c => c is '0' or '1',
                _ => null,
            };
            if (isDigit is not null)
            {
                int start = at + 2 < _source.Length && _source[at + 2] == '_' ? at + 3 : at + 2;
                int end = Digits(start, isDigit);
                if (end > start) return end;
            }
        }

        // A number that begins with zero is nothing but zeros.
        return _source[at] == '0' ? Digits(at, c => c == '0') : Digits(at, char.IsAsciiDigit);
    }

    private void OperatorToken()
    {
        (TokenKind kind, int length) = Operator();
        char c = _source[_at];
        if (c is '(' or '[' or '{')
        {
            _braces.Push(c == '(' ? ')' : c == '[' ? ']' : '}');
        }
        else if (c is ')' or ']' or '}' && (_braces.Count == 0 || _braces.Pop() != c))
        {
            throw new TemplateSyntaxException($"unexpected '{c}'", Line());
        }

        _tokens.Add(new Token(kind, _source.Substring(_at, length), Line()));
        _at += length;
    }

    private (TokenKind Kind, int Length) Operator()
    {
        char next = _at + 1 < _source.Length ? _source[_at + 1] : '\0';
        return (_source[_at], next) switch
        {
            ('/', '/') => (TokenKind.FloorDiv, 2),
            ('*', '*') => (TokenKind.Pow, 2),
            ('=', '=') => (TokenKind.Eq, 2),
            ('!', '=') => (TokenKind.Ne, 2),
            ('>', '=') => (TokenKind.GtEq, 2),
            ('<', '=') => (TokenKind.LtEq, 2),
            ('+', _) => (TokenKind.Add, 1),
            ('-', _) => (TokenKind.Sub, 1),
            ('/', _) => (TokenKind.Div, 1),
            ('*', _) => (TokenKind.Mul, 1),
            ('%', _) => (TokenKind.Mod, 1),
            ('~', _) => (TokenKind.Tilde, 1),
            ('[', _) => (TokenKind.LBracket, 1),
            (']', _) => (TokenKind.RBracket, 1),
            ('(', _) => (TokenKind.LParen, 1),
            (')', _) => (TokenKind.RParen, 1),
            ('{', _) => (TokenKind.LBrace, 1),
            ('}', _) => (TokenKind.RBrace, 1),
            ('>', _) => (TokenKind.Gt, 1),
            ('<', _) => (TokenKind.Lt, 1),
            ('=', _) => (TokenKind.Assign, 1),
            ('.', _) => (TokenKind.Dot, 1),
            (':', _) => (TokenKind.Colon, 1),
            ('|', _) => (TokenKind.Pipe, 1),
            (',', _) => (TokenKind.Comma, 1),
            (';', _) => (TokenKind.Semicolon, 1),
            _ => throw new TemplateSyntaxException("an unexpected character", Line()),
        };
    }
}

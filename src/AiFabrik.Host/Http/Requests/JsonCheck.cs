namespace AiFabrik.Host.Http.Requests;

/// <summary>What is wrong with a JSON text.</summary>
internal enum JsonFault
{
    None,
    Malformed,
    Truncated,
    TooDeep,
    InvalidUtf8,
    LoneSurrogate,
    TrailingData,
    NotAnObject,
}

/// <summary>
/// Checks a JSON text (RFC 8259) completely before anything reads it, without an exception and without copying, so that
/// Utf8JsonReader, whose error messages quote the text, never sees one that it would refuse.
/// </summary>
internal ref struct JsonCheck(ReadOnlySpan<byte> json, int maxDepth)
{
    private readonly ReadOnlySpan<byte> _json = json;
    private readonly int _maxDepth = maxDepth;
    private int _at;
    private JsonFault _fault;

    /// <summary>Byte at which the fault was found.</summary>
    public readonly int Position => _at;

    /// <summary>Checks the whole text, which must be one object.</summary>
    public JsonFault Run()
    {
        SkipSpace();
        if (_at >= _json.Length) return JsonFault.Truncated;
        if (_json[_at] != (byte)'{') return JsonFault.NotAnObject;
        if (!Value(0)) return _fault;
        SkipSpace();
        return _at == _json.Length ? JsonFault.None : JsonFault.TrailingData;
    }

    private bool Fail(JsonFault fault)
    {
        _fault = fault;
        return false;
    }

    private bool FailHere() => Fail(_at >= _json.Length ? JsonFault.Truncated : JsonFault.Malformed);

    private void SkipSpace()
    {
        while (_at < _json.Length && _json[_at] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r') _at++;
    }

    private bool Take(byte c)
    {
        if (_at >= _json.Length || _json[_at] != c) return false;
        _at++;
        return true;
    }

    private bool Value(int depth)
    {
        if (_at >= _json.Length) return Fail(JsonFault.Truncated);
        return _json[_at] switch
        {
            (byte)'{' => Members(depth + 1, isObject: true),
            (byte)'[' => Members(depth + 1, isObject: false),
            (byte)'"' => String(),
            (byte)'t' => Literal("true"u8),
            (byte)'f' => Literal("false"u8),
            (byte)'n' => Literal("null"u8),
            _ => Number(),
        };
    }

    private bool Members(int depth, bool isObject)
    {
        if (depth > _maxDepth) return Fail(JsonFault.TooDeep);
        var close = isObject ? (byte)'}' : (byte)']';
        _at++;
        SkipSpace();
        if (Take(close)) return true;
        while (true)
        {
            if (isObject && !Name()) return false;
            SkipSpace();
            if (!Value(depth)) return false;
            SkipSpace();
            if (Take(close)) return true;
            if (!Take((byte)',')) return FailHere();
            SkipSpace();
        }
    }

    private bool Name()
    {
        if (_at >= _json.Length || _json[_at] != (byte)'"') return FailHere();
        if (!String()) return false;
        SkipSpace();
        return Take((byte)':') || FailHere();
    }

    private bool Literal(ReadOnlySpan<byte> word)
    {
        for (var i = 0; i < word.Length; i++, _at++)
            if (_at >= _json.Length || _json[_at] != word[i]) return FailHere();
        return true;
    }

    private bool Number()
    {
        Take((byte)'-');
        if (!Take((byte)'0') && !Digits()) return FailHere();
        if (Take((byte)'.') && !Digits()) return FailHere();
        if (_at < _json.Length && (_json[_at] | 0x20) == 'e')
        {
            _at++;
            if (!Take((byte)'+')) Take((byte)'-');
            if (!Digits()) return FailHere();
        }
        return true;
    }

    private bool Digits()
    {
        var start = _at;
        while (_at < _json.Length && _json[_at] is >= (byte)'0' and <= (byte)'9') _at++;
        return _at > start;
    }

    private bool String()
    {
        _at++;
        while (_at < _json.Length)
        {
            var c = _json[_at];
            if (c == '"') { _at++; return true; }
            if (c == '\\') { if (!Escape()) return false; }
            else if (c < 0x20) return Fail(JsonFault.Malformed);
            else if (c < 0x80) _at++;
            else if (!Multibyte()) return false;
        }
        return Fail(JsonFault.Truncated);
    }

    private bool Multibyte()
    {
        var status = System.Text.Rune.DecodeFromUtf8(_json[_at..], out _, out var length);
        if (status != System.Buffers.OperationStatus.Done) return Fail(JsonFault.InvalidUtf8);
        _at += length;
        return true;
    }

    private bool Escape()
    {
        _at++;
        if (_at >= _json.Length) return Fail(JsonFault.Truncated);
        switch (_json[_at])
        {
            case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                _at++;
                return true;
            case (byte)'u':
                _at++;
                if (!Hex(out var unit)) return false;
                if (unit is >= 0xDC00 and <= 0xDFFF) return Fail(JsonFault.LoneSurrogate);
                return unit is < 0xD800 or > 0xDFFF || LowSurrogate();
            default:
                return Fail(JsonFault.Malformed);
        }
    }

    private bool LowSurrogate()
    {
        if (!Take((byte)'\\') || !Take((byte)'u')) return Fail(JsonFault.LoneSurrogate);
        if (!Hex(out var unit)) return false;
        return unit is >= 0xDC00 and <= 0xDFFF || Fail(JsonFault.LoneSurrogate);
    }

    private bool Hex(out int value)
    {
        value = 0;
        for (var i = 0; i < 4; i++, _at++)
        {
            if (_at >= _json.Length) return Fail(JsonFault.Truncated);
            var c = _json[_at];
            int digit;
            if (c is >= (byte)'0' and <= (byte)'9') digit = c - '0';
            else if ((c | 0x20) is >= 'a' and <= 'f') digit = (c | 0x20) - 'a' + 10;
            else return Fail(JsonFault.Malformed);
            value = value << 4 | digit;
        }
        return true;
    }
}

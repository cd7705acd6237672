using System.Buffers.Text;
using System.Globalization;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// Reads JSON into values, as Python's <c>json.loads</c>: key order kept, of equal keys the last value at the first
/// one's place, integers exact at any size. Strings are unescaped straight into text memory, as text of the request.
/// It reports a mistake by returning false: nothing of the text gets into an exception.
/// </summary>
internal ref struct JsonReader
{
    /// <summary>Bytes that a string with escapes takes in advance at most.</summary>
    private const int ReserveBytesMax = 1 << 20;

    private readonly Interpreter _vm;
    private readonly ReadOnlySpan<byte> _json;
    private int _at;
    private bool _bad;

    private JsonReader(Interpreter vm, ReadOnlySpan<byte> json)
    {
        _vm = vm;
        _json = json;
    }

    /// <summary>False if it is no JSON (or not one value alone), or the rendering has failed.</summary>
    public static bool TryRead(Interpreter vm, ReadOnlySpan<byte> json, out Value value)
    {
        value = default;
        if (!Utf8.IsValid(json)) return false;
        var reader = new JsonReader(vm, json);
        Value read = reader.Read(0);
        reader.SkipSpace();
        if (reader._bad || vm.Failed || reader._at != json.Length) return false;
        value = read;
        return true;
    }

    private Value Bad()
    {
        _bad = true;
        return default;
    }

    private void SkipSpace()
    {
        while (_at < _json.Length && _json[_at] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r') _at++;
    }

    private bool Skip(byte b)
    {
        SkipSpace();
        if (_at >= _json.Length || _json[_at] != b) return false;
        _at++;
        return true;
    }

    private bool Word(ReadOnlySpan<byte> word)
    {
        if (!_json[_at..].StartsWith(word)) return false;
        _at += word.Length;
        return true;
    }

    private Value Read(int depth)
    {
        SkipSpace();
        if (_at >= _json.Length || !_vm.Step()) return Bad();
        if (depth > _vm.Limits.ValueDepthMax || !_vm.HasStack())
        {
            _vm.FailLimit(TemplateLimit.Depth);
            return Bad();
        }

        switch (_json[_at])
        {
            case (byte)'{': return Object(depth);
            case (byte)'[': return Array(depth);
            case (byte)'"': return Text();
            case (byte)'t': return Word("true"u8) ? Value.True.With(ValueFlags.Request) : Bad();
            case (byte)'f': return Word("false"u8) ? Value.False.With(ValueFlags.Request) : Bad();
            case (byte)'n': return Word("null"u8) ? Value.None.With(ValueFlags.Request) : Bad();
            default: return Number();
        }
    }

    private Value Object(int depth)
    {
        _at++;
        var pairs = new ListBuilder(_vm);
        pairs.Grow(1);
        if (!Skip((byte)'}'))
        {
            do
            {
                SkipSpace();
                if (_at >= _json.Length || _json[_at] != (byte)'"') return Bad();
                pairs.Add(Text());
                if (_bad || !Skip((byte)':')) return Bad();
                pairs.Add(Read(depth + 1));
                if (_bad || _vm.Failed) return Bad();
            }
            while (Skip((byte)','));
            if (!Skip((byte)'}')) return Bad();
        }

        return Dicts.FromPairs(_vm, ref pairs);
    }

    private Value Array(int depth)
    {
        _at++;
        var items = new ListBuilder(_vm);
        items.Grow(1);
        if (!Skip((byte)']'))
        {
            do
            {
                items.Add(Read(depth + 1));
                if (_bad || _vm.Failed) return Bad();
            }
            while (Skip((byte)','));
            if (!Skip((byte)']')) return Bad();
        }

        return items.ToValue();
    }

    private Value Number()
    {
        int start = _at;
        if (_json[_at] == (byte)'-') _at++;
        int digits = _at;
        while (_at < _json.Length && char.IsAsciiDigit((char)_json[_at])) _at++;
        if (_at == digits || (_json[digits] == (byte)'0' && _at - digits > 1)) return Bad();
        bool isFloat = false;
        if (_at + 1 < _json.Length && _json[_at] == (byte)'.' && char.IsAsciiDigit((char)_json[_at + 1]))
        {
            isFloat = true;
            _at++;
            while (_at < _json.Length && char.IsAsciiDigit((char)_json[_at])) _at++;
        }

        if (_at < _json.Length && _json[_at] is (byte)'e' or (byte)'E')
        {
            isFloat = true;
            _at++;
            if (_at < _json.Length && _json[_at] is (byte)'+' or (byte)'-') _at++;
            int exponent = _at;
            while (_at < _json.Length && char.IsAsciiDigit((char)_json[_at])) _at++;
            if (_at == exponent) return Bad();
        }

        ReadOnlySpan<byte> text = _json[start.._at];
        if (isFloat)
        {
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                ? Value.Float(value).With(ValueFlags.Request) : Bad();
        }

        if (Utf8Parser.TryParse(text, out long small, out int consumed) && consumed == text.Length)
            return Value.Int(small).With(ValueFlags.Request);
        Value large = _vm.NewText(text, false);
        return new Value(Kind.BigInt, large.Bits, large.Length, 0, ValueFlags.Request);
    }

    private Value Text()
    {
        int start = ++_at;
        int end = _json[start..].IndexOfAny((byte)'"', (byte)'\\');
        if (end < 0) return Bad();
        end += start;
        if (_json[end] == (byte)'"')
        {
            _at = end + 1;
            return HasControl(_json[start..end]) ? Bad() : _vm.NewText(_json[start..end], false);
        }

        // Room for the rest at once, given back where the string ends: it need not grow step by step.
        var text = new TextBuilder(_vm);
        text.Reserve(Math.Min(_json.Length - _at, ReserveBytesMax));
        while (true)
        {
            int special = _json[_at..].IndexOfAny((byte)'"', (byte)'\\');
            if (special < 0) return Bad();
            ReadOnlySpan<byte> plain = _json.Slice(_at, special);
            if (HasControl(plain)) return Bad();
            text.Append(plain, false);
            _at += special;
            if (_json[_at] == (byte)'"')
            {
                _at++;
                return text.ToValue();
            }

            if (_vm.Failed || !Escape(ref text)) return Bad();
        }
    }

    private static bool HasControl(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyInRange((byte)0, (byte)0x1F) >= 0;

    private bool Escape(ref TextBuilder text)
    {
        if (_at + 1 >= _json.Length) return false;
        byte letter = _json[_at + 1];
        _at += 2;
        byte plain = letter switch
        {
            (byte)'"' or (byte)'\\' or (byte)'/' => letter,
            (byte)'b' => 8,
            (byte)'f' => 12,
            (byte)'n' => 10,
            (byte)'r' => 13,
            (byte)'t' => 9,
            _ => 0,
        };
        if (plain != 0)
        {
            text.Append(plain, false);
            return true;
        }

        if (letter != (byte)'u' || !Hex(out int codePoint)) return false;
        if (codePoint is >= 0xD800 and <= 0xDBFF)
        {
            if (!_json[_at..].StartsWith("\\u"u8)) return false;
            _at += 2;
            if (!Hex(out int low) || low is < 0xDC00 or > 0xDFFF) return false;
            codePoint = 0x10000 + ((codePoint - 0xD800) << 10) + (low - 0xDC00);
        }
        else if (codePoint is >= 0xDC00 and <= 0xDFFF)
        {
            return false;
        }

        text.AppendCodePoint(codePoint, false);
        return true;
    }

    private bool Hex(out int value)
    {
        value = 0;
        if (_at + 4 > _json.Length) return false;
        for (int i = 0; i < 4; i++)
        {
            char digit = (char)_json[_at++];
            if (!char.IsAsciiHexDigit(digit)) return false;
            value = (value << 4) | (char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return true;
    }
}

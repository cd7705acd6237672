using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>
/// Walks through JSON (well-formed UTF-8) in one pass and by hand where there are lists of hundreds of thousands of short
/// strings; everything small is left to the library's reader.
/// </summary>
/// <exception cref="JsonException">From every method, where the text is not JSON.</exception>
internal ref struct JsonScanner(ReadOnlySpan<byte> json)
{
    private const byte Quote = (byte)'"', Escape = (byte)'\\';
    private const ulong Ones = 0x0101010101010101, Highs = 0x8080808080808080;
    private readonly ReadOnlySpan<byte> _json = json;
    private int _at;

    /// <summary>The first byte of what comes next, white space aside; 0 at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal byte Peek()
    {
        while (_at < _json.Length)
        {
            var b = _json[_at];
            if (b is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')) return b;
            _at++;
        }

        return 0;
    }

    /// <summary>Whether nothing but white space follows.</summary>
    internal bool IsAtEnd() => Peek() == 0 && _at == _json.Length;

    /// <summary>Takes a byte that has to come next.</summary>
    internal void Take(byte expected)
    {
        if (!TryTake(expected)) throw new JsonException();
    }

    internal bool TryTake(byte expected)
    {
        if (Peek() != expected) return false;
        _at++;
        return true;
    }

    /// <summary>After an element of a list or an object: true if another follows, false at its end.</summary>
    internal bool TakesAnother(byte end)
    {
        if (TryTake((byte)',')) return true;
        Take(end);
        return false;
    }

    /// <summary>Takes any value.</summary>
    internal JsonElement Element()
    {
        var reader = new Utf8JsonReader(_json[_at..]);
        var element = JsonElement.ParseValue(ref reader);
        _at += (int)reader.BytesConsumed;
        return element;
    }

    /// <summary>Takes any value without a look inside. Returns where it lies.</summary>
    internal Range Skip()
    {
        Peek();
        var reader = new Utf8JsonReader(_json[_at..]);
        reader.Read();
        reader.Skip();
        var start = _at;
        _at += (int)reader.BytesConsumed;
        return start.._at;
    }

    /// <summary>Takes the name of a member and its colon.</summary>
    internal string Name()
    {
        if (Peek() != Quote) throw new JsonException();
        var name = Element().GetString()!;
        Take((byte)':');
        return name;
    }

    /// <summary>Takes an integer of up to nine digits. False, and anything taken, if there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal bool TryTakeInt(out int value)
    {
        value = 0;
        Peek();
        var start = _at;
        while (_at < _json.Length && _at - start < 9)
        {
            var digit = _json[_at] - '0';
            if ((uint)digit > 9) break;
            value = (value * 10) + digit;
            _at++;
        }

        var isDelimited = _at == _json.Length || _json[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t' or (byte)',' or (byte)'}';
        return isDelimited && _at > start && (_json[start] != '0' || _at == start + 1);
    }

    /// <summary>Takes a string and appends what it stands for. Returns its length in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int String(ByteList to)
    {
        if (Peek() != Quote) throw new JsonException();
        var from = _at + 1;
        var before = to.Count;
        while (true)
        {
            var target = to.Reserve(sizeof(ulong));
            byte b;
            if (from + sizeof(ulong) <= _json.Length)
            {
                // Eight bytes at a time: most strings have fewer.
                var word = BinaryPrimitives.ReadUInt64LittleEndian(_json[from..]);
                BinaryPrimitives.WriteUInt64LittleEndian(target, word);
                var ends = NotPlain(word);
                var plain = ends == 0 ? sizeof(ulong) : BitOperations.TrailingZeroCount(ends) / 8;
                to.Count += plain;
                from += plain;
                if (ends == 0) continue;
                b = _json[from];
            }
            else
            {
                if (from >= _json.Length) throw new JsonException();
                b = _json[from];
                if (b >= ' ' && b is not (Quote or Escape))
                {
                    target[0] = b;
                    to.Count++;
                    from++;
                    continue;
                }
            }

            if (b == Quote) break;
            if (b != Escape) throw new JsonException();
            to.Count += Unescape(_json, ref from, to.Reserve(4));
        }

        _at = from + 1;
        return to.Count - before;
    }

    /// <summary>The lowest bit set is in the first byte that is a quote, a backslash or a control character, which is not allowed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong NotPlain(ulong word)
    {
        var (quote, escape) = (word ^ Ones * Quote, word ^ Ones * Escape);
        return ((quote - Ones & ~quote) | (escape - Ones & ~escape) | (word - Ones * ' ' & ~word)) & Highs;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Unescape(ReadOnlySpan<byte> json, ref int at, Span<byte> to)
    {
        if (at + 1 >= json.Length) throw new JsonException();
        var kind = json[at + 1];
        if (kind != 'u')
        {
            to[0] = kind switch
            {
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                Quote or Escape or (byte)'/' => kind,
                _ => throw new JsonException(),
            };
            at += 2;
            return 1;
        }

        var c = Unit(json, at);
        at += 6;
        if (char.IsSurrogate((char)c))
        {
            var low = json[at..].StartsWith("\\u"u8) ? (char)Unit(json, at) : '\0';
            if (!char.IsSurrogatePair((char)c, low)) throw new JsonException("half a surrogate pair");
            c = char.ConvertToUtf32((char)c, low);
            at += 6;
        }

        return new Rune(c).EncodeToUtf8(to);
    }

    /// <summary>The UTF-16 unit of an escape.</summary>
    private static int Unit(ReadOnlySpan<byte> json, int at)
    {
        if (at + 6 > json.Length) throw new JsonException();
        var unit = 0;
        foreach (var b in json.Slice(at + 2, 4))
        {
            if (!char.IsAsciiHexDigit((char)b)) throw new JsonException();
            unit = unit << 4 | ((b & 0xF) + (b > '9' ? 9 : 0));
        }

        return unit;
    }
}

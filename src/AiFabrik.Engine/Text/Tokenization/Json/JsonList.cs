using System.Runtime.CompilerServices;
using System.Text;

namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>
/// Reads the strings and numbers of a part of a file that is known to be well-formed JSON in well-formed UTF-8, faster than
/// a reader that checks everything again.
/// </summary>
internal ref struct JsonList(ReadOnlySpan<byte> json)
{
    private const byte Quote = (byte)'"', Escape = (byte)'\\';
    private readonly ReadOnlySpan<byte> _json = json;
    private int _at;

    /// <summary>The first byte of the next value, name or bracket, passing over white space, commas and colons; 0 at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal byte Peek()
    {
        while (_at < _json.Length && _json[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t' or (byte)',' or (byte)':') _at++;
        return _at < _json.Length ? _json[_at] : (byte)0;
    }

    /// <summary>Takes the byte that <see cref="Peek"/> has shown.</summary>
    internal void Take() => _at++;

    /// <summary>Whether a number follows that is an integer of up to nine digits; takes it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal bool TryTakeInt(out int value)
    {
        value = 0;
        var start = _at;
        while (_at < _json.Length && _json[_at] is >= (byte)'0' and <= (byte)'9' && _at - start < 9) value = (value * 10) + _json[_at++] - '0';
        return _at > start && (_at == _json.Length || _json[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t' or (byte)',' or (byte)'}');
    }

    /// <summary>Takes a string: what it stands for goes to <paramref name="to"/>. Returns its length, or -1 if there is no room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int TakeString(Span<byte> to)
    {
        var rest = _json[(_at + 1)..];
        var end = rest.IndexOfAny(Quote, Escape);
        if (rest[end] == Quote)
        {
            _at += end + 2;
            if (end > to.Length) return -1;
            rest[..end].CopyTo(to);
            return end;
        }

        return TakeEscaped(rest, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int TakeEscaped(ReadOnlySpan<byte> rest, Span<byte> to)
    {
        var (from, used) = (0, 0);
        while (rest[from] != Quote)
        {
            var plain = rest[from..].IndexOfAny(Quote, Escape);
            // Four bytes more than the plain ones: the longest that an escape stands for.
            if (plain + 4 > to.Length - used) return -1;
            rest.Slice(from, plain).CopyTo(to[used..]);
            (from, used) = (from + plain, used + plain);
            if (rest[from] == Escape) used += Unescape(rest, ref from, to[used..]);
        }

        _at += from + 2;
        return used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Unescape(ReadOnlySpan<byte> text, ref int at, Span<byte> to)
    {
        var kind = text[at + 1];
        if (kind != 'u')
        {
            to[0] = kind switch { (byte)'n' => (byte)'\n', (byte)'r' => (byte)'\r', (byte)'t' => (byte)'\t', (byte)'b' => (byte)'\b', (byte)'f' => (byte)'\f', _ => kind };
            at += 2;
            return 1;
        }

        var c = (int)Unit(text, at);
        at += 6;
        if (char.IsSurrogate((char)c))
        {
            var low = text[at..].StartsWith("\\u"u8) ? Unit(text, at) : '\0';
            if (!char.IsSurrogatePair((char)c, low)) throw new FormatException("half a surrogate pair");
            c = char.ConvertToUtf32((char)c, low);
            at += 6;
        }

        return new Rune(c).EncodeToUtf8(to);
    }

    private static char Unit(ReadOnlySpan<byte> text, int at) =>
        (char)(Convert.ToInt32(Encoding.ASCII.GetString(text.Slice(at + 2, 4)), 16));
}

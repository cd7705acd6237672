using System.Runtime.CompilerServices;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Regex;

/// <summary>A set of code points for matching UTF-8: a table for ASCII, pages of 256 bits for the rest.</summary>
internal sealed class CharClass
{
    private const int PageCodePoints = 256, PageWords = PageCodePoints / 64;
    private readonly bool[] _ascii = new bool[256];
    private readonly ushort[] _pages = new ushort[CodePointSet.Limit / PageCodePoints];
    private readonly ulong[] _bits;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal CharClass(CodePointSet set)
    {
        // Page 0 has no member.
        var pages = new List<ulong> { 0, 0, 0, 0 };
        var known = new Dictionary<(ulong, ulong, ulong, ulong), ushort> { [default] = 0 };
        var last = default((ulong, ulong, ulong, ulong));
        for (var p = 0; p * PageWords < set.Words; p++)
        {
            var at = p * PageWords;
            var key = (set.Word(at), set.Word(at + 1), set.Word(at + 2), set.Word(at + 3));
            // Most pages are as the one before: planes without a member, or with nothing else.
            if (p > 0 && key == last)
            {
                _pages[p] = _pages[p - 1];
                continue;
            }

            last = key;
            if (!known.TryGetValue(key, out var index))
            {
                index = (ushort)(pages.Count / PageWords);
                known.Add(key, index);
                pages.AddRange([key.Item1, key.Item2, key.Item3, key.Item4]);
            }

            _pages[p] = index;
        }

        _bits = [.. pages];
        for (var c = 0; c < 128; c++) _ascii[c] = set.Contains(c);
        // From 0x80 on, 64 code points share all but the last byte.
        for (var word = 0; word < set.Words; word++)
        {
            var c = word * 64;
            if (set.Word(word) == 0 || c is >= 0xD800 and < 0xE000) continue;
            if (c >= 0x80) FirstBytes[c < 0x800 ? 0xC0 | c >> 6 : c < 0x10000 ? 0xE0 | c >> 12 : 0xF0 | c >> 18] = true;
            else for (var i = c; i < c + 64; i++) FirstBytes[i] |= set.Contains(i);
        }
    }

    /// <summary>Bytes that a member's UTF-8 may start with.</summary>
    internal bool[] FirstBytes { get; } = new bool[256];

    internal bool Contains(int c) => (_bits[_pages[c >> 8] * PageWords + (c >> 6 & 3)] >> (c & 63) & 1) != 0;

    /// <summary>Length of the character at <paramref name="at"/> if it is a member, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Match(ReadOnlySpan<byte> text, int at)
    {
        if ((uint)at >= (uint)text.Length) return 0;
        var b = text[at];
        if (b < 0x80) return _ascii[b] ? 1 : 0;
        return Contains(Utf8Text.Decode(text, at, out var length)) ? length : 0;
    }

    /// <summary>Where the run of members from <paramref name="at"/> ends, at <paramref name="stop"/> at the latest.</summary>
    internal int Run(ReadOnlySpan<byte> text, int at, int stop)
    {
        var ascii = _ascii;
        while (at < stop)
        {
            var b = text[at];
            if (b < 0x80)
            {
                if (!ascii[b]) return at;
                at++;
            }
            else
            {
                if (!Contains(Utf8Text.Decode(text, at, out var length))) return at;
                at += length;
            }
        }

        return at;
    }
}

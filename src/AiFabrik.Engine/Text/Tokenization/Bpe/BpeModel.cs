using System.Runtime.CompilerServices;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>How pieces become symbols before they merge.</summary>
internal enum SymbolKind
{
    /// <summary>A symbol for each byte (after the ByteLevel step).</summary>
    Bytes,

    /// <summary>A symbol for each character; unknown ones are replaced before merging, as the library tokenizers does.</summary>
    Characters,

    /// <summary>A symbol for each character; unknown ones take part in merging and are replaced after it, as SentencePiece does.</summary>
    SentencePiece,
}

/// <summary>Byte-pair encoding: pieces of text in, ids out. Immutable after loading.</summary>
internal sealed class BpeModel
{
    private static readonly byte[] Space = [0xE2, 0x96, 0x81];

    private int[] _characters = [];

    internal required SymbolKind Kind { get; init; }
    internal required PieceTable Pieces { get; init; }
    internal MergeTable Merges { get; set; } = new(0);

    /// <summary>How each token is merged, where the merges are such that this is known.</summary>
    internal MergeTree? Tree { get; set; }

    /// <summary>Symbols from here on are characters that occur in pieces but are none themselves.</summary>
    internal required int TokenCount { get; init; }

    /// <summary>Symbols of single bytes, -1 where there is none.</summary>
    internal int[] ByteSymbols { get; init; } = [];
    internal bool IgnoreMerges { get; init; }
    internal int UnknownId { get; init; } = -1;
    internal bool FusesUnknown { get; init; }

    /// <summary>Tokens of bytes for unknown characters, -1 where there is none; empty without byte fallback.</summary>
    internal int[] FallbackIds { get; init; } = [];

    /// <summary>Whether merging a token's own text gives that token, so that a piece that equals it needs no merging.</summary>
    internal bool[] IsReachable { get; set; } = [];

    /// <summary>Whether an id stands for the same symbols wherever merging gives it.</summary>
    internal bool IdsTell { get; set; }

    /// <summary>Bytes after which a merge may reach over the start of a U+2581; null where pieces can't be cut there at all.</summary>
    internal bool[]? JoinsSpaceAfter { get; set; }

    /// <summary>Encodes one piece.</summary>
    internal void Encode(BpeScratch scratch, ref IdSink sink, byte[] buffer, int start, int length)
    {
        if (JoinsSpaceAfter is null)
        {
            EncodeWhole(scratch, ref sink, buffer, start, length);
            return;
        }

        var text = buffer.AsSpan(start, length);
        var from = 0;
        for (var at = Space.Length; at < length; at += Space.Length)
        {
            var next = text[at..].IndexOf(Space);
            if (next < 0) break;
            at += next;
            // Not within a run of spaces, and not where a merge could join both sides.
            if (!JoinsSpaceAfter[text[at - 1]] && !IsSpace(text, at - 3))
            {
                EncodeWhole(scratch, ref sink, buffer, start + from, at - from);
                from = at;
            }

            while (IsSpace(text, at + 3)) at += 3;
        }

        EncodeWhole(scratch, ref sink, buffer, start + from, length - from);
    }

    private static bool IsSpace(ReadOnlySpan<byte> text, int at) =>
        (uint)at < (uint)text.Length && text[at] == Space[0] && text[at..].StartsWith(Space);

    private void EncodeWhole(BpeScratch scratch, ref IdSink sink, byte[] buffer, int start, int length)
    {
        var whole = Pieces.Find(buffer, start, length);
        if (whole >= 0 && whole < TokenCount && (IgnoreMerges || IsReachable[whole]))
        {
            sink.Add(whole);
            return;
        }

        scratch.EnsureSymbols(length + 1);
        var n = Symbols(scratch, buffer, start, length);
        if (n <= Merger.ChunkSymbols)
        {
            var count = Merger.MergeSmall(Merges, scratch, scratch.Symbols.AsSpan(0, n));
            Emit(scratch, ref sink, buffer, n, scratch.Small.AsSpan(0, count), scratch.SmallFirst.AsSpan(0, count));
            return;
        }

        if (!Merger.TryMergeChunks(Merges, Tree, scratch, n, IdsTell, out var tokens)) tokens = Merger.MergeHeap(Merges, scratch, n);
        Emit(scratch, ref sink, buffer, n, scratch.Tokens.AsSpan(0, tokens), scratch.TokenFirst.AsSpan(0, tokens));
    }

    private void Emit(BpeScratch scratch, ref IdSink sink, byte[] buffer, int symbolCount, ReadOnlySpan<int> tokens, ReadOnlySpan<int> first)
    {
        if (Kind != SymbolKind.SentencePiece)
        {
            sink.Add(tokens);
            return;
        }

        for (var i = 0; i < tokens.Length; i++)
        {
            if ((uint)tokens[i] < (uint)TokenCount)
            {
                sink.Add(tokens[i]);
                continue;
            }

            var end = i + 1 < first.Length ? first[i + 1] : symbolCount;
            var text = buffer.AsSpan(scratch.Starts[first[i]]..scratch.Starts[end]);
            if (FallbackIds.Length == 0)
            {
                if (UnknownId >= 0) sink.AddUnknown(UnknownId);
                continue;
            }

            foreach (var b in text) sink.Add(FallbackIds[b] >= 0 ? FallbackIds[b] : Math.Max(UnknownId, 0));
        }
    }

    /// <summary>Fills scratch.Symbols (and Starts, for SentencePiece); returns how many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int Symbols(BpeScratch scratch, byte[] buffer, int start, int length) => Kind switch
    {
        SymbolKind.Bytes => BytesToSymbols(scratch.Symbols, buffer.AsSpan(start, length)),
        SymbolKind.SentencePiece => CharactersOnly(scratch, buffer, start, length),
        _ => CharactersToSymbols(scratch.Symbols, buffer, start, length),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int BytesToSymbols(int[] symbols, ReadOnlySpan<byte> text)
    {
        var n = 0;
        var unknown = 0;
        foreach (var b in text)
        {
            var symbol = ByteSymbols[b];
            if (symbol >= 0)
            {
                while (unknown > 0)
                {
                    symbols[n++] = UnknownId;
                    unknown--;
                }

                symbols[n++] = symbol;
            }
            else if (UnknownId >= 0)
            {
                unknown = FusesUnknown ? 1 : unknown + 1;
            }
        }

        for (; unknown > 0; unknown--) symbols[n++] = UnknownId;
        return n;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int CharactersToSymbols(int[] symbols, byte[] buffer, int start, int length)
    {
        var n = 0;
        // The reference puts an unknown character off until the next known one, past bytes that stand for others.
        var unknown = false;
        for (var at = start; at < start + length;)
        {
            var bytes = Utf8Text.Length(buffer[at]);
            var symbol = Character(buffer, at, bytes);
            if (symbol >= 0)
            {
                if (unknown) symbols[n++] = UnknownId;
                unknown = false;
                symbols[n++] = symbol;
            }
            else if (!TryFallback(symbols, ref n, buffer.AsSpan(at, bytes)) && UnknownId >= 0)
            {
                if (unknown && !FusesUnknown) symbols[n++] = UnknownId;
                unknown = true;
            }

            at += bytes;
        }

        if (unknown) symbols[n++] = UnknownId;
        return n;
    }

    /// <summary>The symbol of one character, or -1.</summary>
    private int Character(byte[] buffer, int at, int length) =>
        length < 4 && _characters.Length > 0 ? _characters[Utf8Text.Decode(buffer, at, out _)] : Pieces.Find(buffer, at, length);

    /// <summary>Writes down the symbols of all characters of up to three bytes.</summary>
    /// <param name="start">Where each piece lies in the table's text; length 0: no piece.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void IndexCharacters(int[] start, int[] length)
    {
        if (Kind == SymbolKind.Bytes) return;
        _characters = new int[0x10000];
        Array.Fill(_characters, -1);
        var text = Pieces.Text;
        // The first of equal pieces counts.
        for (var id = length.Length - 1; id >= 0; id--)
        {
            if (length[id] is > 0 and < 4 && Utf8Text.Length(text[start[id]]) == length[id]) _characters[Utf8Text.Decode(text, start[id], out _)] = id;
        }
    }

    /// <summary>Which tokens are symbols of the text itself.</summary>
    /// <inheritdoc cref="IndexCharacters"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal bool[] Atoms(int[] start, int[] length)
    {
        var atoms = new bool[TokenCount];
        foreach (var id in ByteSymbols)
        {
            if (id >= 0) atoms[id] = true;
        }

        if (Kind == SymbolKind.Bytes) return atoms;
        for (var id = 0; id < TokenCount; id++)
        {
            if (length[id] is > 0 and <= 4 && Utf8Text.Length(Pieces.Text[start[id]]) == length[id]) atoms[id] = Character(Pieces.Text, start[id], length[id]) == id;
        }

        return atoms;
    }

    private bool TryFallback(int[] symbols, ref int n, ReadOnlySpan<byte> character)
    {
        if (FallbackIds.Length == 0) return false;
        foreach (var b in character)
        {
            if (FallbackIds[b] < 0) return false;
        }

        foreach (var b in character) symbols[n++] = FallbackIds[b];
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int CharactersOnly(BpeScratch scratch, byte[] buffer, int start, int length)
    {
        var n = 0;
        for (var at = start; at < start + length;)
        {
            var bytes = Utf8Text.Length(buffer[at]);
            scratch.Starts[n] = at;
            scratch.Symbols[n++] = Character(buffer, at, bytes);
            at += bytes;
        }

        scratch.Starts[n] = start + length;
        return n;
    }
}

using System.Runtime.CompilerServices;
using AiFabrik.Engine.Text.Tokenization.Bpe;

namespace AiFabrik.Engine.Text;

/// <summary>
/// A growing, pinned buffer of text with some bytes to spare after it (so that pieces can be read a word at a time), and,
/// where a text is trusted in parts only, a byte beside each byte that says whether it is (1) or not (0).
/// </summary>
internal sealed class TextBuffer
{
    private byte[] _trust = [];

    internal byte[] Data { get; private set; } = GC.AllocateArray<byte>(256 + PieceTable.SlackBytes, pinned: true);
    internal int Length { get; private set; }

    /// <summary>Whether trust is kept byte by byte; else it is the same for all and kept elsewhere.</summary>
    internal bool TracksTrust { get; private set; }

    internal ReadOnlySpan<byte> Span => Data.AsSpan(0, Length);
    internal ReadOnlySpan<byte> Trust => TracksTrust ? _trust.AsSpan(0, Length) : default;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Reset(bool tracksTrust = false)
    {
        Length = 0;
        TracksTrust = tracksTrust;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Append(ReadOnlySpan<byte> text, byte trust = 0)
    {
        Reserve(text.Length);
        text.CopyTo(Data.AsSpan(Length));
        if (TracksTrust) _trust.AsSpan(Length, text.Length).Fill(trust);
        Length += text.Length;
    }

    /// <summary>Appends part of another buffer with its trust.</summary>
    internal void Append(TextBuffer from, int start, int length)
    {
        Reserve(length);
        from.Data.AsSpan(start, length).CopyTo(Data.AsSpan(Length));
        if (TracksTrust) from._trust.AsSpan(start, length).CopyTo(_trust.AsSpan(Length));
        Length += length;
    }

    /// <summary>Keeps the first bytes only.</summary>
    internal void Shorten(int length) => Length = length;

    internal byte TrustAt(int at) => TracksTrust ? _trust[at] : (byte)0;

    /// <summary>Appends the same text again and again, all of one trust.</summary>
    internal void AppendRepeated(ReadOnlySpan<byte> text, int count, byte trust)
    {
        var start = Length;
        Reserve(checked(text.Length * count));
        for (var to = Data.AsSpan(start); count > 0; count--)
        {
            text.CopyTo(to);
            to = to[text.Length..];
            Length += text.Length;
        }

        if (TracksTrust) _trust.AsSpan(start, Length - start).Fill(trust);
    }

    internal void SetTrust(int start, int length, byte trust) => _trust.AsSpan(start, length).Fill(trust);

    internal void Clear()
    {
        Array.Clear(Data);
        Array.Clear(_trust);
        Length = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Reserve(int more)
    {
        var need = checked(Length + more + PieceTable.SlackBytes);
        if (need > Data.Length)
        {
            var larger = GC.AllocateArray<byte>((int)Math.Min(Array.MaxLength, need + (long)need / 2), pinned: true);
            Data.AsSpan(0, Length).CopyTo(larger);
            Array.Clear(Data);
            Data = larger;
        }

        if (!TracksTrust || _trust.Length >= Data.Length) return;
        var trust = GC.AllocateArray<byte>(Data.Length, pinned: true);
        _trust.AsSpan(0, Math.Min(Length, _trust.Length)).CopyTo(trust);
        Array.Clear(_trust);
        _trust = trust;
    }
}

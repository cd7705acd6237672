using System.Text;
using AiFabrik.Engine.Scheduling;

namespace AiFabrik.Engine.Tests.Scheduling;

/// <summary>An artificial vocabulary whose tokens are letters, words, halves of characters and bytes that are no character at all.</summary>
internal static class FakeVocabulary
{
    public const int Size = 64;
    public const int Eos = 2;

    private static readonly byte[][] Pieces = Make();

    public static ReadOnlySpan<byte> Bytes(int token) => Pieces[token];

    /// <summary>All text of these tokens, as if the answer had ended (or, not ended, what is certain).</summary>
    public static byte[] Decode(ReadOnlySpan<int> tokens, bool isEnded)
    {
        var decoder = new FakeDecoder();
        var output = new byte[16 * (tokens.Length + 1)];
        var n = 0;
        foreach (var token in tokens)
        {
            decoder.TryAppend(token, output.AsSpan(n), out var w);
            n += w;
        }
        if (isEnded)
        {
            decoder.TryFlush(output.AsSpan(n), out var w);
            n += w;
        }
        return output[..n];
    }

    private static byte[][] Make()
    {
        var pieces = new byte[Size][];
        for (var i = 0; i < Size; i++) pieces[i] = [(byte)('a' + i % 3)];
        string[] words = ["ab", "ba", "abc", "bca", "aab", " ", "\n", "stop", "é", "日本", "🙂", "\uFFFD"];
        for (var i = 0; i < words.Length; i++) pieces[8 + i] = Encoding.UTF8.GetBytes(words[i]);
        byte[] halves = [0xC3, 0xA9, 0xE6, 0x97, 0xA5, 0xF0, 0x9F, 0x99, 0x82, 0xFF, 0xC0, 0x80];
        for (var i = 0; i < halves.Length; i++) pieces[24 + i] = [halves[i]];
        pieces[Eos] = Encoding.UTF8.GetBytes("<eos>");
        return pieces;
    }
}

/// <summary>UTF-8, whole characters only; ill-formed parts become U+FFFD.</summary>
internal sealed class FakeDecoder : ITokenDecoder
{
    private readonly byte[] _pending = new byte[16];
    private int _count;

    public int MaxBytes => 48;

    public void Reset()
    {
        Array.Clear(_pending);
        _count = 0;
    }

    public bool TryAppend(int id, Span<byte> output, out int written)
    {
        var piece = FakeVocabulary.Bytes(id);
        piece.CopyTo(_pending.AsSpan(_count));
        _count += piece.Length;
        return Take(output, isEnded: false, out written);
    }

    public bool TryFlush(Span<byte> output, out int written) => Take(output, isEnded: true, out written);

    private bool Take(Span<byte> output, bool isEnded, out int written)
    {
        written = 0;
        var at = 0;
        while (at < _count)
        {
            var status = Rune.DecodeFromUtf8(_pending.AsSpan(at, _count - at), out var rune, out var consumed);
            if (status == System.Buffers.OperationStatus.NeedMoreData && !isEnded) break;
            written += rune.EncodeToUtf8(output[written..]);
            at += consumed;
        }
        _pending.AsSpan(at, _count - at).CopyTo(_pending);
        _count -= at;
        _pending.AsSpan(_count).Clear();
        return true;
    }

    /// <summary>For models without a vocabulary of ours: no text at all.</summary>
    internal sealed class Silent : ITokenDecoder
    {
        public int MaxBytes => 1;

        public void Reset() { }

        public bool TryAppend(int id, Span<byte> output, out int written) => TryFlush(output, out written);

        public bool TryFlush(Span<byte> output, out int written)
        {
            written = 0;
            return true;
        }
    }
}

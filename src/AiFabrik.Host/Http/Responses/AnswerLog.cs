using System.Runtime.InteropServices;
using AiFabrik.Compute.Memory;
using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;

namespace AiFabrik.Host.Http.Responses;

/// <summary>
/// The tokens of an answer that is not streamed, of all choices in the order in which they came, in content memory.
/// A record is a <see cref="Header"/>, the top logprobs, the text.
/// </summary>
internal sealed class AnswerLog : IDisposable
{
    /// <summary>Memory that every request has: some ten thousand tokens without logprobs.</summary>
    public const int DefaultBytes = 1 << 20;

    /// <summary>An answer that would not fit into this has to be streamed.</summary>
    public const int BytesMax = 1 << 28;

    private readonly ContentArena _own = new(DefaultBytes);
    private ContentArena? _large;
    private int _end;

    private ContentArena Arena => _large ?? _own;

    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public int Choice;
        public int Token;
        public float Logprob;
        public int TopCount;
        public int TextLength;
        public FinishReason Finish;
    }

    /// <summary>Whether the longest answer is within <see cref="BytesMax"/>. Room is made as the answer grows: few reach their limit.</summary>
    public static bool Fits(long tokens, int topLogprobs, int tokenBytesMax) =>
        tokens * (Marshal.SizeOf<Header>() + topLogprobs * Marshal.SizeOf<TokenLogprob>() + tokenBytesMax + ContentArena.DefaultAlignment) <= BytesMax;

    public bool TryAppend(in GenerationEvent e)
    {
        var headerBytes = Marshal.SizeOf<Header>();
        var topBytes = e.TopLogprobs.Length * Marshal.SizeOf<TokenLogprob>();
        if (!TryAllocate(headerBytes + topBytes + e.Text.Length, out var at)) return false;
        Arena.Values<Header>(at, 1)[0] = new Header
        {
            Choice = e.Choice, Token = e.Token, Logprob = e.Logprob, TopCount = e.TopLogprobs.Length, TextLength = e.Text.Length, Finish = e.Finish,
        };
        e.TopLogprobs.CopyTo(Arena.Values<TokenLogprob>(at + headerBytes, e.TopLogprobs.Length));
        e.Text.CopyTo(Arena.Bytes(at + headerBytes + topBytes, e.Text.Length));
        _end = Arena.Used;
        return true;
    }

    /// <summary>Takes bytes of the arena, or of one four times its size that takes over what is there.</summary>
    private bool TryAllocate(int bytes, out int at)
    {
        if (Arena.TryAllocate(bytes, out at)) return true;
        if (Arena.CapacityBytes >= BytesMax) return false;
        var larger = new ContentArena((int)Math.Min(Math.Max(4L * Arena.CapacityBytes, Arena.Used + 2L * bytes), BytesMax));
        larger.TryAllocate(_end, out _);
        Arena.Bytes(0, _end).CopyTo(larger.Bytes(0, _end));
        _own.Reset();
        _large?.Dispose();
        _large = larger;
        return larger.TryAllocate(bytes, out at);
    }

    /// <summary>Steps to the next record of a choice. <paramref name="position"/> starts at 0.</summary>
    public bool TryNext(int choice, ref int position, out AnswerToken token, out FinishReason finish)
    {
        var headerBytes = Marshal.SizeOf<Header>();
        while (position + headerBytes <= _end)
        {
            var header = Arena.Values<Header>(position, 1)[0];
            var topBytes = header.TopCount * Marshal.SizeOf<TokenLogprob>();
            var at = position + headerBytes;
            position = (at + topBytes + header.TextLength + ContentArena.DefaultAlignment - 1) & ~(ContentArena.DefaultAlignment - 1);
            if (header.Choice != choice) continue;
            finish = header.Finish;
            token = new AnswerToken
            {
                Choice = choice,
                Token = header.Token,
                Logprob = header.Logprob,
                TopLogprobs = Arena.Values<TokenLogprob>(at, header.TopCount),
                Text = Arena.Bytes(at + topBytes, header.TextLength),
            };
            return true;
        }
        token = default;
        finish = FinishReason.None;
        return false;
    }

    /// <summary>Zeroes everything.</summary>
    public void Clear()
    {
        _own.Reset();
        _large?.Dispose();
        _large = null;
        _end = 0;
    }

    public void Dispose()
    {
        Clear();
        _own.Dispose();
    }
}

using System.Runtime.InteropServices;
using AiFabrik.Compute.Memory;
using AiFabrik.Engine.Sampling;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// The events of one choice on their way from the engine's thread to one reader: a bounded ring in content memory, without locks.
/// The engine writes, then publishes at the step's end; the reader frees an event by asking for the next.
/// </summary>
internal sealed class EventRing
{
    /// <summary>One event is kept free for the end of a sequence, which must never have to wait.</summary>
    private const int EntriesToEmit = 2;

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public int Token;
        public float Logprob;
        public int TextOffset;
        public int TextLength;
        public int TopCount;
        public FinishReason Finish;
    }

    private readonly ContentArena _arena;
    private readonly int _capacity, _maxTop, _textCapacity, _entries, _top, _text;
    private int _textHead;
    private uint _written;
    private volatile uint _published;
    private uint _next;
    private volatile uint _freed;

    /// <summary>Bytes that a ring takes of an arena.</summary>
    public static int Bytes(int capacity, int maxTop, int textCapacity) =>
        checked(capacity * (Marshal.SizeOf<Entry>() + maxTop * Marshal.SizeOf<TokenLogprob>()) + textCapacity + 3 * ContentArena.DefaultAlignment);

    public EventRing(ContentArena arena, int capacity, int maxTop, int textCapacity)
    {
        (_arena, _capacity, _maxTop, _textCapacity) = (arena, capacity, maxTop, textCapacity);
        if (!arena.TryAllocate(capacity * Marshal.SizeOf<Entry>(), out _entries) ||
            !arena.TryAllocate(capacity * maxTop * Marshal.SizeOf<TokenLogprob>(), out _top) ||
            !arena.TryAllocate(textCapacity, out _text))
            throw new InvalidOperationException("The arena is too small for the ring.");
    }

    /// <summary>Engine: one more event with up to <paramref name="textBytes"/> has room, and the end has too.</summary>
    public bool HasRoom(int textBytes) => _capacity - (int)(_written - _freed) >= EntriesToEmit && TextRoomAt(textBytes) >= 0;

    /// <summary>Engine: where the next event's best tokens are to be written, before <see cref="Write"/>.</summary>
    public Span<TokenLogprob> NextTop => _arena.Values<TokenLogprob>(_top, _capacity * _maxTop).Slice((int)(_written % (uint)_capacity) * _maxTop, _maxTop);

    /// <summary>Engine: adds an event, not yet visible. The caller has asked for room.</summary>
    public void Write(int token, float logprob, int topCount, ReadOnlySpan<byte> text, FinishReason finish)
    {
        var at = text.Length == 0 ? _textHead : TextRoomAt(text.Length);
        if (at < 0 || _written - _freed >= (uint)_capacity) throw new InvalidOperationException("An event was written without room.");
        text.CopyTo(_arena.Bytes(_text + at, text.Length));
        _textHead = at + text.Length;
        EntryAt(_written) = new Entry { Token = token, Logprob = logprob, TextOffset = at, TextLength = text.Length, TopCount = topCount, Finish = finish };
        _written++;
    }

    /// <summary>Engine: makes what was written visible.</summary>
    public void Publish() => _published = _written;

    public bool HasUnpublished => _published != _written;

    /// <summary>Reader: something is there beyond the event that was read last.</summary>
    public bool CanRead => _published != _next;

    /// <summary>Reader: frees the event that was read last. False if there was none.</summary>
    public bool Free()
    {
        if (_freed == _next) return false;
        _freed = _next;
        return true;
    }

    /// <summary>Reader: the next event; valid until <see cref="Free"/>.</summary>
    public GenerationEvent Read(int choice)
    {
        ref var entry = ref EntryAt(_next);
        var top = _arena.Values<TokenLogprob>(_top, _capacity * _maxTop).Slice((int)(_next % (uint)_capacity) * _maxTop, entry.TopCount);
        _next++;
        return new GenerationEvent
        {
            Choice = choice, Token = entry.Token, Logprob = entry.Logprob, TopLogprobs = top,
            Text = _arena.Bytes(_text + entry.TextOffset, entry.TextLength), Finish = entry.Finish,
        };
    }

    /// <summary>Starts over; the owner zeroes the arena.</summary>
    public void Reset()
    {
        _written = _published = _next = _freed = 0;
        _textHead = 0;
    }

    /// <summary>Where <paramref name="bytes"/> contiguous bytes are free; −1 for nowhere. The head never catches up with the tail from behind, so that equal means empty.</summary>
    private int TextRoomAt(int bytes)
    {
        var freed = _freed;
        if (freed == _written) return bytes <= _textCapacity ? 0 : -1;
        var tail = EntryAt(freed).TextOffset;
        if (_textHead < tail) return bytes < tail - _textHead ? _textHead : -1;
        if (bytes <= _textCapacity - _textHead) return _textHead;
        return bytes < tail ? 0 : -1;
    }

    private ref Entry EntryAt(uint number) => ref _arena.Values<Entry>(_entries, _capacity)[(int)(number % (uint)_capacity)];
}

namespace AiFabrik.Engine.Scheduling;

/// <summary>Sequences in the order of their arrival, in an array that was allocated at start.</summary>
internal sealed class SequenceList(int capacity)
{
    private readonly Sequence[] _items = new Sequence[capacity];

    public int Count { get; private set; }

    public ReadOnlySpan<Sequence> AsSpan() => new(_items, 0, Count);

    public Sequence this[int index] => _items[index];

    public void Clear()
    {
        Array.Clear(_items, 0, Count);
        Count = 0;
    }

    public void Insert(Sequence sequence)
    {
        var at = Count++;
        for (; at > 0 && _items[at - 1].Ticket > sequence.Ticket; at--) _items[at] = _items[at - 1];
        _items[at] = sequence;
    }

    public void Remove(Sequence sequence)
    {
        var at = Array.IndexOf(_items, sequence, 0, Count);
        if (at < 0) return;
        Array.Copy(_items, at + 1, _items, at, Count - at - 1);
        _items[--Count] = null!;
    }
}

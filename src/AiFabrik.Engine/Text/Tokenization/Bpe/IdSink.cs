namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>Where ids go; counts on when the caller's space is used up, so that the caller learns how much is needed.</summary>
internal ref struct IdSink(Span<int> ids)
{
    private readonly Span<int> _ids = ids;
    private bool _lastIsUnknown;

    /// <summary>Ids so far, also those that had no room.</summary>
    internal int Count { get; private set; }

    internal readonly bool Fits => Count <= _ids.Length;

    internal void Add(int id)
    {
        if ((uint)Count < (uint)_ids.Length) _ids[Count] = id;
        Count++;
        _lastIsUnknown = false;
    }

    internal void Add(ReadOnlySpan<int> ids)
    {
        if (Count <= _ids.Length - ids.Length) ids.CopyTo(_ids[Count..]);
        Count += ids.Length;
        _lastIsUnknown = false;
    }

    /// <summary>One id for all unknown characters in a row.</summary>
    internal void AddUnknown(int id)
    {
        if (_lastIsUnknown) return;
        Add(id);
        _lastIsUnknown = true;
    }
}

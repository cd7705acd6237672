namespace AiFabrik.Engine.Scheduling;

/// <summary>The content memory of all requests, allocated at start. What comes back is zeroed before anybody else can get it.</summary>
internal sealed class GenerationPool : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<Sequence> _sequences;
    private readonly Stack<RequestMemory> _memories;
    private readonly int _capacity;
    private bool _disposed;

    public GenerationPool(int capacity, Func<ITokenDecoder> createDecoder, Func<ITokenDecoder, Sequence> createSequence, EngineOptions options)
    {
        _capacity = capacity;
        _sequences = new Stack<Sequence>(capacity);
        _memories = new Stack<RequestMemory>(capacity);
        for (var i = 0; i < capacity; i++)
        {
            _sequences.Push(createSequence(createDecoder()));
            _memories.Push(new RequestMemory(options));
        }
    }

    /// <summary>Sequences that somebody has.</summary>
    public int InUse
    {
        get { lock (_gate) return _capacity - _sequences.Count; }
    }

    public bool TryTake(Span<Sequence> choices, out RequestMemory memory)
    {
        memory = null!;
        lock (_gate)
        {
            if (_disposed || _sequences.Count < choices.Length || _memories.Count == 0) return false;
            foreach (ref var choice in choices) choice = _sequences.Pop();
            memory = _memories.Pop();
            return true;
        }
    }

    public void Return(ReadOnlySpan<Sequence> choices, RequestMemory memory)
    {
        foreach (var choice in choices) choice.Reset();
        memory.Reset();
        lock (_gate)
        {
            if (_disposed)
            {
                foreach (var choice in choices) choice.Dispose();
                memory.Dispose();
                return;
            }
            foreach (var choice in choices) _sequences.Push(choice);
            _memories.Push(memory);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            while (_sequences.TryPop(out var sequence)) sequence.Dispose();
            while (_memories.TryPop(out var memory)) memory.Dispose();
        }
    }
}

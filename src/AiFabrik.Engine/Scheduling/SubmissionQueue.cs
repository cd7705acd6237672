namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// The door: counts unfinished sequences, refuses what is too much, and hands accepted generations to the engine's thread in order.
/// </summary>
internal sealed class SubmissionQueue(int maxUnfinished)
{
    private readonly Lock _gate = new();
    private readonly Generation[] _items = new Generation[maxUnfinished];
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count, _unfinished;
    private EngineState _state = EngineState.Running;

    public EngineState State
    {
        get { lock (_gate) return _state; }
    }

    /// <summary>Completes once nothing more is accepted and nothing is unfinished.</summary>
    public Task Empty => _empty.Task;

    /// <summary>Room for <paramref name="choices"/> sequences, which <see cref="Leave"/> gives back.</summary>
    public SubmitStatus TryEnter(int choices)
    {
        lock (_gate)
        {
            if (_state != EngineState.Running) return Refusal(_state);
            if (_unfinished + choices > maxUnfinished) return SubmitStatus.QueueFull;
            _unfinished += choices;
            return SubmitStatus.Ok;
        }
    }

    /// <summary>Hands over a generation that has entered. Anything but Ok: the engine stopped meanwhile, nobody will take it.</summary>
    public SubmitStatus Add(Generation generation)
    {
        lock (_gate)
        {
            if (_state is EngineState.Failed or EngineState.Disposed) return Refusal(_state);
            _items[_count++] = generation;
            return SubmitStatus.Ok;
        }
    }

    /// <summary>Engine: takes all that was handed over. Returns how many were copied.</summary>
    public int TakeAll(Span<Generation> taken)
    {
        lock (_gate)
        {
            var count = _count;
            _items.AsSpan(0, count).CopyTo(taken);
            _items.AsSpan(0, count).Clear();
            _count = 0;
            return count;
        }
    }

    public void Leave(int choices)
    {
        lock (_gate)
        {
            _unfinished -= choices;
            if (_unfinished == 0 && _state != EngineState.Running) _empty.TrySetResult();
        }
    }

    /// <summary>Goes to a later state, never back.</summary>
    public void Close(EngineState state)
    {
        lock (_gate)
        {
            if (state > _state) _state = state;
            if (_unfinished == 0) _empty.TrySetResult();
        }
    }

    private static SubmitStatus Refusal(EngineState state) => state == EngineState.Failed ? SubmitStatus.Failed : SubmitStatus.Draining;
}

using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// A request's answer as it comes: up to N choices. One reader at a time. The object is new for each request, so that one kept too long can
/// never show somebody else's answer; its memory is pooled and zeroed once the reader has disposed of it and the engine has left it, which is
/// within one step.
/// </summary>
public sealed class Generation : IValueTaskSource<bool>, IThreadPoolWorkItem, IDisposable
{
    private const int ReaderAndEngine = 2;

    private readonly GenerationPool _pool;
    private readonly Action _wakeEngine;
    private ManualResetValueTaskSourceCore<bool> _wait;
    private CancellationTokenRegistration _registration;
    private CancellationToken _token;
    private int _parties = ReaderAndEngine;
    private int _waiting;
    private int _endsRead;
    private int _lastRead = -1;
    private int _completionTokens;
    private volatile bool _cancelled;
    private bool _disposed;

    internal Generation(GenerationPool pool, Sequence[] choices, RequestMemory request, int promptTokens, Action wakeEngine)
    {
        (_pool, Choices, Request, PromptTokens, _wakeEngine) = (pool, choices, request, promptTokens, wakeEngine);
        Unfinished = choices.Length;
        QueuedTimestamp = Stopwatch.GetTimestamp();
        for (var i = 0; i < choices.Length; i++) (choices[i].Generation, choices[i].Choice) = (this, i);
    }

    internal Sequence[] Choices { get; }
    internal RequestMemory Request { get; }

    /// <summary>Engine: choices that have not ended.</summary>
    internal int Unfinished { get; set; }

    /// <summary>Engine: choices but the first have been queued, as there is a prompt in the cache to share.</summary>
    internal bool Forked { get; set; }

    public bool IsCancelled => _cancelled;
    public int PromptTokens { get; }

    /// <summary>Tokens drawn so far, all choices together, with those that ended a choice.</summary>
    public int CompletionTokens => Volatile.Read(ref _completionTokens);

    /// <summary><see cref="Stopwatch"/> timestamps; 0 as long as it has not happened.</summary>
    public long QueuedTimestamp { get; }
    public long FirstTokenTimestamp { get; private set; }
    public long EndTimestamp { get; private set; }

    /// <summary>
    /// Waits until there is something to read. False: everything has been read and every choice has ended, or <paramref name="cancellationToken"/> was
    /// cancelled, which cancels the generation. Await it before waiting again. Does not throw for a cancellation.
    /// </summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (cancellationToken != _token)
        {
            _registration.Unregister();
            _token = cancellationToken;
            _registration = cancellationToken.UnsafeRegister(static state => ((Generation)state!).OnTokenCancelled(), this);
        }
        if (IsReadyOrOver(out var result)) return ValueTask.FromResult(result);

        _wait.Reset();
        Interlocked.Exchange(ref _waiting, 1);
        if (IsReadyOrOver(out result) && Interlocked.CompareExchange(ref _waiting, 0, 1) == 1) return ValueTask.FromResult(result);
        return new ValueTask<bool>(this, _wait.Version);
    }

    /// <summary>The next event of any choice, if there is one. Invalidates the event before it.</summary>
    public bool TryRead(out GenerationEvent e)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        FreeLastRead();
        for (var i = 1; i <= Choices.Length; i++)
        {
            var choice = (_lastRead + i) % Choices.Length;
            if (!Choices[choice].Events.CanRead) continue;
            _lastRead = choice;
            e = Choices[choice].Events.Read(choice);
            if (e.Finish != FinishReason.None) _endsRead++;
            return true;
        }
        e = default;
        return false;
    }

    /// <summary>Ends all choices within one step. Idempotent; from any thread.</summary>
    public void Cancel()
    {
        if (_cancelled) return;
        _cancelled = true;
        _wakeEngine();
    }

    /// <summary>Cancels what still runs and gives the memory back to be zeroed. Idempotent.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _registration.Unregister();
        if (_endsRead < Choices.Length) Cancel();
        Release();
    }

    /// <summary>Engine: a token was drawn.</summary>
    internal void CountToken()
    {
        if (_completionTokens == 0) FirstTokenTimestamp = Stopwatch.GetTimestamp();
        Volatile.Write(ref _completionTokens, _completionTokens + 1);
    }

    /// <summary>Engine: a choice ended. True if it was the last.</summary>
    internal bool CountEnd()
    {
        if (--Unfinished > 0) return false;
        EndTimestamp = Stopwatch.GetTimestamp();
        return true;
    }

    /// <summary>Engine: events were published. Wakes a waiting reader on the thread pool, without allocating.</summary>
    internal void Signal()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _waiting) == 1 && Interlocked.CompareExchange(ref _waiting, 0, 1) == 1)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The reader, or the engine, has left; with the second the memory goes back, zeroed.</summary>
    internal void Release()
    {
        if (Interlocked.Decrement(ref _parties) == 0) _pool.Return(Choices, Request);
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (!IsReadyOrOver(out var result)) result = true;
        _wait.SetResult(result);
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);
    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);
    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private void OnTokenCancelled()
    {
        Cancel();
        Signal();
    }

    private bool IsReadyOrOver(out bool ready)
    {
        ready = false;
        if (_token.IsCancellationRequested) return true;
        foreach (var choice in Choices)
            if (choice.Events.CanRead) return ready = true;
        return _endsRead == Choices.Length;
    }

    private void FreeLastRead()
    {
        if (_lastRead < 0) return;
        var sequence = Choices[_lastRead];
        if (!sequence.Events.Free()) return;
        Interlocked.MemoryBarrier();
        if (sequence.IsPaused) _wakeEngine();
    }
}

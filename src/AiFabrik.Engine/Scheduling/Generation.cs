#pragma warning disable CA1822 // Skeleton: the members get their state with the implementation.
namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// A request's answer as it comes: up to N choices. Pooled by the engine; one reader at a time. Its memory is zeroed once the reader has
/// disposed of it and the engine has left it, which is within one step.
/// </summary>
public sealed class Generation : IDisposable
{
    internal Generation() { }

    /// <summary>
    /// Waits until there is something to read. False: everything has been read and every choice has ended, or <paramref name="cancellationToken"/> was
    /// cancelled, which cancels the generation. Await it once, before waiting again. Never throws for a cancellation.
    /// </summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken = default) => default;

    /// <summary>The next event of any choice, if there is one. Invalidates the event before it.</summary>
    public bool TryRead(out GenerationEvent e)
    {
        e = default;
        return false;
    }

    /// <summary>Ends all choices within one step. Idempotent; from any thread until disposed of.</summary>
    public void Cancel() { }

    public bool IsCancelled { get; }
    public int PromptTokens { get; }

    /// <summary>Tokens drawn so far, all choices together (including those that completed a stop and are not shown).</summary>
    public int CompletionTokens { get; }

    /// <summary><see cref="System.Diagnostics.Stopwatch"/> timestamps; 0 as long as it has not happened.</summary>
    public long QueuedTimestamp { get; }
    public long FirstTokenTimestamp { get; }
    public long EndTimestamp { get; }

    public void Dispose() { }
}

namespace AiFabrik.Compute.Native;

/// <summary>How the native executor is set up.</summary>
public sealed record NativeOptions
{
    /// <summary>
    /// Threads that compute, the caller's included; 0: <see cref="NativeDevice.DefaultThreads"/>. With <see cref="PinThreads"/> never more
    /// than there are processors: <see cref="NativeExecutor.Info"/> tells how many there are.
    /// </summary>
    public int Threads { get; init; }

    /// <summary>Each worker keeps to a core of its own, and the calling thread off theirs.</summary>
    public bool PinThreads { get; init; } = true;

    /// <summary>Bring the program into the form that the native executor runs best (<see cref="Programs.Fusion"/>).</summary>
    public bool Fuse { get; init; } = true;

    /// <summary>Receives the share of the weights that is packed, 0 to 1, some times a second, on a thread of the pool.</summary>
    public IProgress<double>? Progress { get; init; }
}

/// <summary>A program that the native executor refuses, with one sentence that says why. Never contains content.</summary>
public sealed class NativeModelException(string message) : Exception(message);

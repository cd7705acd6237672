namespace AiFabrik.Compute.Ilgpu;

/// <summary>How an <see cref="IlgpuExecutor"/> is made.</summary>
public sealed record IlgpuOptions
{
    /// <summary>Runs a few steps when it is made, so that every kernel is compiled before the first request.</summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>Told how far loading (first half) and warming up (second half) have come, 0 … 1.</summary>
    public IProgress<double>? Progress { get; init; }
}

namespace AiFabrik.Compute.Reference;

/// <summary>How the reference executor uses the machine.</summary>
public sealed record ReferenceOptions
{
    /// <summary>Default of <see cref="MaxDequantizedBytes"/>: a model of 500 million weights.</summary>
    public const long DefaultMaxDequantizedBytes = 2L << 30;

    /// <summary>Threads that compute; at least 1.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// Float32 copies of weights are kept up to this many bytes. Matrices beyond it are dequantised again, row by row, whenever
    /// they are used: slower, same results.
    /// </summary>
    public long MaxDequantizedBytes { get; init; } = DefaultMaxDequantizedBytes;
}

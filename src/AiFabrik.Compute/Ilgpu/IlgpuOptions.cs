namespace AiFabrik.Compute.Ilgpu;

/// <summary>How an <see cref="IlgpuExecutor"/> is made.</summary>
public sealed record IlgpuOptions
{
    /// <summary>Runs a few steps when it is made, so that every kernel is compiled before the first request.</summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>Told how far loading weights, loading tensor-core kernels (CUDA) and warming up have come together, 0 … 1.</summary>
    public IProgress<double>? Progress { get; init; }

    /// <summary>Where compiled CUDA kernels are kept between starts; null: nowhere. They hold no content. Must be the user's own: what lies there is run on the device.</summary>
    public string? KernelDirectory { get; init; }

    /// <summary>Captured decode steps kept at a time, one for each pair of batch and context bucket; 0: none are made. CUDA from sm_80 on only.</summary>
    public int GraphsMax { get; init; } = DefaultGraphsMax;

    /// <summary>For tests: decode steps are padded to their bucket even where there are no graphs.</summary>
    internal bool PadsDecode { get; init; }

    /// <summary>Told, in one sentence and once, why decode steps are launched kernel by kernel although graphs were wanted.</summary>
    public Action<string>? Notice { get; init; }

    /// <summary>Nine batch buckets at seven context lengths: up to 8,192 tokens without dropping any. A graph of a 32-layer model takes some 1 MB.</summary>
    public const int DefaultGraphsMax = 64;
}

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>
/// The captured graphs of a decode step, one for each bucket of batch sizes: the launches of a step are recorded once and then cost one call.
/// </summary>
/// <remarks>
/// <para>A graph replays the same addresses and shapes: everything that changes from step to step (ids, positions, block tables, lengths) must be read by the
/// kernels from device buffers that stay where they are, and their grids must be those of the bucket's largest batch.</para>
/// <para>Not for several threads: the engine's one thread owns it. The stream must be non-blocking; capture is relaxed (<see cref="CudaDriver.CaptureRelaxed"/>).</para>
/// </remarks>
internal sealed class CudaGraph : IDisposable
{
    /// <summary>Batch sizes up to 1, 2, 4, … this have a graph; larger ones are launched one by one.</summary>
    public const int BatchSizeMax = 256;

    private readonly CudaGraphHandle?[] _graphs = new CudaGraphHandle?[BucketOf(BatchSizeMax) + 1];

    /// <summary>The bucket of a batch size: sizes of a bucket are at most <see cref="BucketSize"/> and share a graph. −1 above <see cref="BatchSizeMax"/>.</summary>
    public static int BucketOf(int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        return batchSize > BatchSizeMax ? -1 : 32 - int.LeadingZeroCount(batchSize - 1);
    }

    /// <summary>The largest batch size of a bucket: what its grids must cover.</summary>
    public static int BucketSize(int bucket) => 1 << bucket;

    /// <summary>Whether a bucket has been captured.</summary>
    public bool Has(int bucket) => _graphs[bucket] is not null;

    /// <summary>Starts recording on a stream: launches that follow are not executed.</summary>
    public static CudaStatus BeginCapture(nint stream) => CudaDriver.StreamBeginCapture(stream, CudaDriver.CaptureRelaxed);

    /// <summary>
    /// Ends recording and makes the bucket's graph of it. Where the bucket has one already, it takes over the new parameters; where its shape differs,
    /// it is replaced. After an error the stream can be used again and the bucket has no graph.
    /// </summary>
    public CudaStatus EndCapture(nint stream, int bucket)
    {
        CudaStatus status = CudaDriver.StreamEndCapture(stream, out nint graph);
        if (status != CudaStatus.Success)
        {
            Drop(bucket);
            return status;
        }
        try
        {
            if (_graphs[bucket] is { } existing && CudaDriver.GraphExecUpdate(existing.Value, graph, out _) == CudaStatus.Success)
            {
                return CudaStatus.Success;
            }
            Drop(bucket);
            status = CudaDriver.GraphInstantiate(out nint executable, graph, 0);
            if (status == CudaStatus.Success)
            {
                _graphs[bucket] = new CudaGraphHandle(executable);
                // The first launch then finds everything on the device.
                status = CudaDriver.GraphUpload(executable, stream);
            }
            return status;
        }
        finally
        {
            // An executable graph does not need the graph it was made of; failing to free it leaks, which a step must not fail for.
            _ = CudaDriver.GraphDestroy(graph);
        }
    }

    /// <summary>Replays a bucket's graph on a stream; the bucket must have one.</summary>
    public CudaStatus Launch(int bucket, nint stream) =>
        _graphs[bucket] is { } graph ? CudaDriver.GraphLaunch(graph.Value, stream) : CudaStatus.InvalidValue;

    /// <summary>Frees a bucket's graph, for example when a buffer that it names has moved.</summary>
    public void Drop(int bucket)
    {
        _graphs[bucket]?.Dispose();
        _graphs[bucket] = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = 0; i < _graphs.Length; i++)
        {
            Drop(i);
        }
    }
}

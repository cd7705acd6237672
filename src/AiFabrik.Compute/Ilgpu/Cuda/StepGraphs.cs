using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>How the launches of a decode step are queued.</summary>
internal enum GraphUse
{
    /// <summary>One by one.</summary>
    None,

    /// <summary>One by one while the stream is captured; then the graph is launched.</summary>
    Capture,

    /// <summary>The graph is there already.</summary>
    Replay,
}

/// <summary>
/// The captured decode steps of an executor: one for each pair of batch and context bucket (<see cref="StepPlan"/>), a bounded number of them; the least
/// recently used makes room. A pair is launched plainly the first time, since the driver may load kernels then, and captured the second time.
/// After a failure no more are made, and the reason is told once.
/// </summary>
internal sealed class StepGraphs : IDisposable
{
    /// <summary>Contexts up to <c>StepPlan.ContextLenMin</c>·2^24 = 2^31 have a bucket: more than 32-bit positions reach.</summary>
    private const int ContextBuckets = 25;

    private readonly nint _stream;
    private readonly int _graphsMax;
    private readonly Action<string>? _notice;
    private readonly CudaGraph?[] _byContext = new CudaGraph?[ContextBuckets];
    private readonly long[,] _lastUse = new long[ContextBuckets, CudaGraph.BucketOf(CudaGraph.BatchSizeMax) + 1];
    private long _uses;
    private bool _failed;

    public StepGraphs(CudaStream stream, int graphsMax, Action<string>? notice) => (_stream, _graphsMax, _notice) = (stream.StreamPtr, graphsMax, notice);

    /// <summary>Graphs that there are.</summary>
    public int Count { get; private set; }

    /// <summary>Launches of graphs so far.</summary>
    public long Replays { get; private set; }

    /// <summary>How the next step of a plan is to be queued; with <see cref="GraphUse.Capture"/> capture has begun.</summary>
    public GraphUse Next(in StepPlan plan)
    {
        if (_failed || plan.BatchBucket < 0) return GraphUse.None;
        ref long last = ref _lastUse[plan.ContextBucket, plan.BatchBucket];
        bool isFirst = last == 0;
        last = ++_uses;
        if (Has(plan.ContextBucket, plan.BatchBucket)) return GraphUse.Replay;
        if (isFirst || !MakeRoom()) return GraphUse.None;
        return Succeeds(CudaGraph.BeginCapture(_stream)) ? GraphUse.Capture : GraphUse.None;
    }

    /// <summary>Ends capture and launches what was captured. False: nothing was launched, the step must be queued one by one.</summary>
    public bool EndAndLaunch(in StepPlan plan)
    {
        CudaGraph graphs = _byContext[plan.ContextBucket] ??= new CudaGraph();
        if (!Succeeds(graphs.EndCapture(_stream, plan.BatchBucket))) return false;
        Count++;
        return Launch(plan);
    }

    /// <summary>Ends a capture whose launches failed.</summary>
    public void Abandon(string reason)
    {
        if (CudaDriver.StreamEndCapture(_stream, out nint graph) == CudaStatus.Success && graph != 0) _ = CudaDriver.GraphDestroy(graph);
        Fail(reason);
    }

    /// <summary>Launches the plan's graph. False: it could not be, and the step must be queued one by one.</summary>
    public bool Launch(in StepPlan plan)
    {
        if (!Succeeds(_byContext[plan.ContextBucket]!.Launch(plan.BatchBucket, _stream))) return false;
        Replays++;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CudaGraph? graphs in _byContext) graphs?.Dispose();
        Count = 0;
    }

    private bool Has(int context, int batch) => _byContext[context] is { } graphs && graphs.Has(batch);

    /// <summary>Drops the least recently used graph if there are as many as there may be. False: there may be none.</summary>
    private bool MakeRoom()
    {
        if (_graphsMax <= 0) return false;
        if (Count < _graphsMax) return true;
        (int Context, int Batch) oldest = (-1, -1);
        for (int context = 0; context < ContextBuckets; context++)
        {
            for (int batch = 0; batch < _lastUse.GetLength(1); batch++)
            {
                if (Has(context, batch) && (oldest.Context < 0 || _lastUse[context, batch] < _lastUse[oldest.Context, oldest.Batch])) oldest = (context, batch);
            }
        }
        _byContext[oldest.Context]!.Drop(oldest.Batch);
        Count--;
        return true;
    }

    private bool Succeeds(CudaStatus status)
    {
        if (status != CudaStatus.Success) Fail(CudaDriver.Describe(status));
        return status == CudaStatus.Success;
    }

    private void Fail(string reason)
    {
        if (_failed) return;
        _failed = true;
        Dispose();
        _notice?.Invoke($"Decode steps are launched kernel by kernel, since they could not be captured: {reason}");
    }
}

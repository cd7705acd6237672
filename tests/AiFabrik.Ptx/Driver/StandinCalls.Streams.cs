using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AiFabrik.Ptx;

/// <summary>Streams, events, capture and graphs.</summary>
internal static unsafe partial class StandinCalls
{
    private const uint StreamNonBlocking = 1, EventDisableTiming = 2;
    private const int UpdateTopologyChanged = 2, UpdateNodeTypeChanged = 3;

    [UnmanagedCallersOnly(EntryPoint = "cuStreamCreate")]
    private static CuResult StreamCreate(nint* stream, uint flags) => Create(stream, flags);

    [UnmanagedCallersOnly(EntryPoint = "cuStreamCreateWithPriority")]
    private static CuResult StreamCreateWithPriority(nint* stream, uint flags, int priority) => Create(stream, flags);

    private static CuResult Create(nint* handle, uint flags) => WithContext(context =>
    {
        if (flags > StreamNonBlocking)
        {
            return CuResult.InvalidValue;
        }
        var stream = new StandinStream(isBlocking: flags == 0);
        context.Streams.Add(stream);
        *handle = Own(context, stream);
        return CuResult.Success;
    });

    /// <summary>What is queued is still done.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuStreamDestroy_v2")]
    private static CuResult StreamDestroy(nint handle) => WithContext(context =>
    {
        if (!Device.Handles.TryGet(handle, out StandinStream stream) || !context.Streams.Contains(stream))
        {
            return CuResult.InvalidHandle;
        }
        Device.Drain(stream);
        context.Streams.Remove(stream);
        return Disown(context, handle);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuStreamSynchronize")]
    private static CuResult StreamSynchronize(nint handle) => WithContext(context =>
    {
        if (!TryStream(context, handle, out StandinStream stream))
        {
            return CuResult.InvalidHandle;
        }
        if (stream.Capture is { } capture)
        {
            capture.IsInvalid = true;
            return CuResult.StreamCaptureUnsupported;
        }
        CuResult result = stream == context.Legacy ? Device.UseLegacy(context) : CuResult.Success;
        return result == CuResult.StreamCaptureImplicit ? result : Device.Drain(stream);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuStreamWaitEvent")]
    private static CuResult StreamWaitEvent(nint handle, nint eventHandle, uint flags) => WithContext(context =>
    {
        if (!TryStream(context, handle, out StandinStream stream) || !Device.Handles.TryGet(eventHandle, out StandinEvent item))
        {
            return CuResult.InvalidHandle;
        }
        // A captured stream may wait for its own events; forking a capture to other streams is not offered.
        if (stream.Capture is not null || item.IsCaptured)
        {
            return item.Recorded == stream ? CuResult.Success : CuResult.StreamCaptureUnsupported;
        }
        return Device.Enqueue(context, stream, new WaitWork(item));
    });

    [UnmanagedCallersOnly(EntryPoint = "cuEventCreate")]
    private static CuResult EventCreate(nint* handle, uint flags) => WithContext(context =>
    {
        *handle = Own(context, new StandinEvent((flags & EventDisableTiming) == 0));
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuEventDestroy_v2")]
    private static CuResult EventDestroy(nint handle) => WithContext(context => Device.Handles.TryGet(handle, out StandinEvent _) ? Disown(context, handle) : CuResult.InvalidHandle);

    [UnmanagedCallersOnly(EntryPoint = "cuEventRecord")]
    private static CuResult EventRecord(nint handle, nint streamHandle) => WithContext(context =>
    {
        if (!TryStream(context, streamHandle, out StandinStream stream) || !Device.Handles.TryGet(handle, out StandinEvent item))
        {
            return CuResult.InvalidHandle;
        }
        (item.Recorded, item.IsCaptured, item.IsReached) = (stream, stream.Capture is not null, false);
        return item.IsCaptured ? CuResult.Success : Device.Enqueue(context, stream, new EventWork(item));
    });

    [UnmanagedCallersOnly(EntryPoint = "cuEventQuery")]
    private static CuResult EventQuery(nint handle) => OfEvent(handle);

    [UnmanagedCallersOnly(EntryPoint = "cuEventSynchronize")]
    private static CuResult EventSynchronize(nint handle) => OfEvent(handle);

    private static CuResult OfEvent(nint handle) => WithContext(_ =>
    {
        if (!Device.Handles.TryGet(handle, out StandinEvent item))
        {
            return CuResult.InvalidHandle;
        }
        if (item.IsCaptured)
        {
            if (item.Recorded!.Capture is { } capture)
            {
                capture.IsInvalid = true;
            }
            return CuResult.CapturedEvent;
        }
        return Device.Reach(item);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuEventElapsedTime")]
    private static CuResult EventElapsedTime(float* milliseconds, nint start, nint end) => WithContext(_ =>
    {
        if (!Device.Handles.TryGet(start, out StandinEvent first) || !Device.Handles.TryGet(end, out StandinEvent last) || !first.HasTime || !last.HasTime || first.Recorded is null || last.Recorded is null)
        {
            return CuResult.InvalidHandle;
        }
        if (!first.IsReached || !last.IsReached)
        {
            return CuResult.NotReady;
        }
        *milliseconds = (float)Stopwatch.GetElapsedTime(first.Ticks, last.Ticks).TotalMilliseconds;
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuStreamBeginCapture_v2")]
    private static CuResult StreamBeginCapture(nint handle, int mode) => WithContext(context =>
    {
        if (!TryStream(context, handle, out StandinStream stream))
        {
            return CuResult.InvalidHandle;
        }
        if (mode is < 0 or > 2 || stream.Capture is not null)
        {
            return CuResult.InvalidValue;
        }
        if (stream == context.Legacy)
        {
            return CuResult.StreamCaptureUnsupported;
        }
        stream.Capture = new StandinCapture(mode, Environment.CurrentManagedThreadId);
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuStreamEndCapture")]
    private static CuResult StreamEndCapture(nint handle, nint* graph) => WithContext(context =>
    {
        *graph = 0;
        if (!TryStream(context, handle, out StandinStream stream))
        {
            return CuResult.InvalidHandle;
        }
        if (stream.Capture is not { } capture)
        {
            return CuResult.StreamCaptureUnmatched;
        }
        if (capture.Mode != 2 && capture.Thread != Environment.CurrentManagedThreadId)
        {
            return CuResult.StreamCaptureWrongThread;
        }
        stream.Capture = null;
        if (capture.IsInvalid)
        {
            return CuResult.StreamCaptureInvalidated;
        }
        *graph = Own(context, new StandinGraph([.. capture.Nodes]));
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuStreamIsCapturing")]
    private static CuResult StreamIsCapturing(nint handle, int* status) => WithContext(context =>
    {
        if (!TryStream(context, handle, out StandinStream stream))
        {
            return CuResult.InvalidHandle;
        }
        *status = stream.Capture is null ? 0 : stream.Capture.IsInvalid ? 2 : 1;
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuGraphInstantiateWithFlags")]
    private static CuResult GraphInstantiateWithFlags(nint* executable, nint handle, ulong flags) => WithContext(context =>
    {
        *executable = 0;
        if (!Device.Handles.TryGet(handle, out StandinGraph graph))
        {
            return CuResult.InvalidValue;
        }
        *executable = Own(context, new StandinExecutable([.. graph.Nodes]));
        return CuResult.Success;
    });

    /// <summary>Nodes may change their parameters, not their number or kind.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuGraphExecUpdate_v2")]
    private static CuResult GraphExecUpdate(nint handle, nint graphHandle, int* info) => WithContext(context =>
    {
        if (!Device.Handles.TryGet(handle, out StandinExecutable executable) || !Device.Handles.TryGet(graphHandle, out StandinGraph graph))
        {
            return CuResult.InvalidValue;
        }
        bool isSameShape = executable.Nodes.Length == graph.Nodes.Length;
        bool isSameKind = isSameShape && graph.Nodes.Zip(executable.Nodes).All(pair => pair.First.MayReplace(pair.Second));
        *info = isSameKind ? 0 : isSameShape ? UpdateNodeTypeChanged : UpdateTopologyChanged;
        if (isSameKind)
        {
            executable.Nodes = [.. graph.Nodes];
        }
        return isSameKind ? CuResult.Success : CuResult.GraphExecUpdateFailure;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuGraphUpload")]
    private static CuResult GraphUpload(nint handle, nint streamHandle) => WithContext(context =>
        Device.Handles.TryGet(handle, out StandinExecutable _) && TryStream(context, streamHandle, out StandinStream stream)
            ? stream.Capture is null ? CuResult.Success : CuResult.StreamCaptureUnsupported
            : CuResult.InvalidValue);

    [UnmanagedCallersOnly(EntryPoint = "cuGraphLaunch")]
    private static CuResult GraphLaunch(nint handle, nint streamHandle) => WithContext(context =>
    {
        if (!Device.Handles.TryGet(handle, out StandinExecutable executable) || !TryStream(context, streamHandle, out StandinStream stream))
        {
            return CuResult.InvalidValue;
        }
        if (stream.Capture is { } capture)
        {
            capture.IsInvalid = true;
            return CuResult.StreamCaptureUnsupported;
        }
        CuResult result = CuResult.Success;
        foreach (StandinWork node in executable.Nodes)
        {
            result = result == CuResult.Success ? Device.Enqueue(context, stream, node) : result;
        }
        return result;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuGraphExecDestroy")]
    private static CuResult GraphExecDestroy(nint handle) => WithContext(context => Device.Handles.TryGet(handle, out StandinExecutable _) ? Disown(context, handle) : CuResult.InvalidValue);

    [UnmanagedCallersOnly(EntryPoint = "cuGraphDestroy")]
    private static CuResult GraphDestroy(nint handle) => WithContext(context => Device.Handles.TryGet(handle, out StandinGraph _) ? Disown(context, handle) : CuResult.InvalidValue);
}

using System.Reflection;
using System.Runtime.InteropServices;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Tests.Ilgpu.Cuda;
using AiFabrik.Ptx;
using ILGPU;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace AiFabrik.Cuda.Tests;

/// <summary>What the stand-in promises beyond computing: the driver's rules for streams, capture and graphs, each with the driver's own number.</summary>
public sealed class StandinTests
{
    private const int CaptureGlobal = 0;
    private const CudaStatus Unsupported = (CudaStatus)900, Implicit = (CudaStatus)906, CapturedEvent = (CudaStatus)907;

    private static GpuKernelDevice Open()
    {
        Standin.Require();
        var device = GpuKernelDevice.TryOpen(out var reason);
        Assert.True(device is not null, reason);
        return device;
    }

    [Fact]
    public void Every_call_that_ILGPU_and_the_product_import_is_there()
    {
        Standin.Require();
        var imported = new[] { typeof(Context).Assembly, typeof(CudaDriver).Assembly }.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method => method.GetCustomAttribute<DllImportAttribute>()).Where(import => import is { Value: "cuda" or "nvcuda" or "cuda-driver" }).Select(import => import!.EntryPoint!)
            .Distinct().ToList();
        Assert.True(imported.Count > 60, $"{imported.Count}");
        Assert.DoesNotContain(imported, name => !CudaStandin.Has(name));
    }

    [Fact]
    public void Waiting_for_a_captured_stream_is_an_error_and_ends_the_capture()
    {
        using var device = Open();
        Assert.Equal(CudaStatus.Success, CudaGraph.BeginCapture(device.Stream));
        Assert.Equal(Unsupported, CudaDriver.StreamSynchronize(device.Stream));
        Assert.Equal(CudaStatus.StreamCaptureInvalidated, CudaDriver.StreamEndCapture(device.Stream, out var graph));
        Assert.Equal(0, graph);
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamSynchronize(device.Stream));
    }

    [Fact]
    public void Allocating_is_for_relaxed_captures_only()
    {
        using var device = Open();
        Assert.Equal(CudaStatus.Success, CudaGraph.BeginCapture(device.Stream));
        Assert.Equal(CudaError.CUDA_SUCCESS, CudaAPI.CurrentAPI.AllocateMemory(out var memory, 64));
        Assert.Equal(CudaError.CUDA_SUCCESS, CudaAPI.CurrentAPI.FreeMemory(memory));
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamEndCapture(device.Stream, out var graph));
        Assert.Equal(CudaStatus.Success, CudaDriver.GraphDestroy(graph));

        Assert.Equal(CudaStatus.Success, CudaDriver.StreamBeginCapture(device.Stream, CaptureGlobal));
        Assert.Equal((int)Unsupported, (int)CudaAPI.CurrentAPI.AllocateMemory(out _, 64));
        Assert.Equal(CudaStatus.StreamCaptureInvalidated, CudaDriver.StreamEndCapture(device.Stream, out _));
    }

    [Fact]
    public void The_legacy_stream_may_not_be_used_while_a_blocking_stream_is_captured()
    {
        using var device = Open();
        var address = device.Upload<int>("values", [1]);
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamCreate(out var blocking, 0));
        Assert.Equal(CudaStatus.Success, CudaGraph.BeginCapture(blocking));
        Assert.Equal(Implicit, CudaDriver.MemorySet(address, 0, 4, 0));
        Assert.Equal(CudaStatus.StreamCaptureInvalidated, CudaDriver.StreamEndCapture(blocking, out _));
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamDestroy(blocking));
    }

    [Fact]
    public void An_event_of_a_capture_cannot_be_waited_for()
    {
        using var device = Open();
        Assert.Equal(CudaStatus.Success, CudaDriver.EventCreate(out var item, CudaDriver.EventDefault));
        Assert.Equal(CudaStatus.Success, CudaGraph.BeginCapture(device.Stream));
        Assert.Equal(CudaStatus.Success, CudaDriver.EventRecord(item, device.Stream));
        Assert.Equal(CapturedEvent, CudaDriver.EventSynchronize(item));
        Assert.Equal(CudaStatus.StreamCaptureInvalidated, CudaDriver.StreamEndCapture(device.Stream, out _));
        Assert.Equal(CudaStatus.Success, CudaDriver.EventDestroy(item));
    }

    [Fact]
    public void A_graph_of_another_shape_does_not_replace_one()
    {
        using var device = Open();
        var address = device.Upload<int>("values", [1, 2, 3, 4]);
        nint Capture(int fills)
        {
            Assert.Equal(CudaStatus.Success, CudaGraph.BeginCapture(device.Stream));
            for (var i = 0; i < fills; i++) Assert.Equal(CudaStatus.Success, CudaDriver.MemorySet(address + (ulong)(4 * i), 0xFF, 4, device.Stream));
            Assert.Equal(CudaStatus.Success, CudaDriver.StreamEndCapture(device.Stream, out var graph));
            return graph;
        }
        Assert.Equal(CudaStatus.Success, CudaDriver.GraphInstantiate(out var executable, Capture(2), 0));
        Assert.Equal([1, 2, 3, 4], device.Download<int>(address, 4));
        Assert.Equal(CudaStatus.GraphExecUpdateFailure, CudaDriver.GraphExecUpdate(executable, Capture(3), out var info));
        Assert.Equal(2, info.Result);
        Assert.Equal(CudaStatus.Success, CudaDriver.GraphLaunch(executable, device.Stream));
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamSynchronize(device.Stream));
        Assert.Equal([-1, -1, 3, 4], device.Download<int>(address, 4));
    }

    [Fact]
    public void One_stream_waits_for_another_only_where_an_event_says_so()
    {
        using var device = Open();
        ulong from = device.Upload<int>("from", [1]), to = device.Upload<int>("to", [0]);
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamCreate(out var other, CudaDriver.StreamNonBlocking));
        Assert.Equal(CudaStatus.Success, CudaDriver.EventCreate(out var item, CudaDriver.EventDisableTiming));
        Assert.Equal(CudaStatus.Success, CudaDriver.MemorySet(from, 0xFF, 4, device.Stream));
        // Nothing orders the two: the other stream is the faster one here.
        Assert.Equal(CudaStatus.Success, CudaDriver.MemoryCopy(to, from, 4, other));
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamSynchronize(other));
        Assert.Equal([1], device.Download<int>(to, 1));
        Assert.Equal(CudaStatus.Success, CudaDriver.EventRecord(item, device.Stream));
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamWaitEvent(other, item, 0));
        Assert.Equal(CudaStatus.Success, CudaDriver.MemoryCopy(to, from, 4, other));
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamSynchronize(other));
        Assert.Equal([-1], device.Download<int>(to, 1));
        Assert.Equal(CudaStatus.Success, CudaDriver.EventDestroy(item));
        Assert.Equal(CudaStatus.Success, CudaDriver.StreamDestroy(other));
    }

    [Fact]
    public void Copies_and_fills_stay_within_an_allocation()
    {
        using var device = Open();
        var address = device.Upload<int>("values", [1, 2, 3, 4]);
        Assert.Equal(CudaStatus.InvalidValue, CudaDriver.MemorySet(address + 8, 0, 12, device.Stream));
        Assert.Equal(CudaStatus.InvalidValue, CudaDriver.MemoryCopy(address, address + 12, 8, device.Stream));
        Assert.Equal([1, 2, 3, 4], device.Download<int>(address, 4));
    }
}

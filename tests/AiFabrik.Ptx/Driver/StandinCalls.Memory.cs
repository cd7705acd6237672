using System.Runtime.InteropServices;

namespace AiFabrik.Ptx;

/// <summary>Device memory, page-locked host memory, copies and fills.</summary>
internal static unsafe partial class StandinCalls
{
    private const int PointerMemoryType = 2, MemoryTypeHost = 1, MemoryTypeDevice = 2;

    [UnmanagedCallersOnly(EntryPoint = "cuPointerGetAttribute")]
    private static CuResult PointerGetAttribute(int* value, int attribute, ulong address) => WithContext(_ =>
    {
        if (attribute != PointerMemoryType)
        {
            return CuResult.NotSupported;
        }
        bool isDevice = Device.IsDevice(address);
        if (!isDevice && !Device.Host.IsLocked(address, 1))
        {
            return CuResult.InvalidValue;
        }
        *value = isDevice ? MemoryTypeDevice : MemoryTypeHost;
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemGetInfo_v2")]
    private static CuResult MemGetInfo(nuint* free, nuint* total) => WithContext(_ =>
    {
        (*free, *total) = ((nuint)(Device.Options.MemoryBytes - Device.UsedBytes), (nuint)Device.Options.MemoryBytes);
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemAlloc_v2")]
    private static CuResult MemAlloc(ulong* address, nuint bytes) => WithContext(context => IsUnsafeCallForbidden(context) ? CuResult.StreamCaptureUnsupported : Device.Allocate(context, (long)bytes, out *address));

    /// <summary>Waits for the device; capture in the relaxed mode lets it through.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuMemFree_v2")]
    private static CuResult MemFree(ulong address) => WithContext(context =>
    {
        if (IsUnsafeCallForbidden(context))
        {
            return CuResult.StreamCaptureUnsupported;
        }
        CuResult result = Device.DrainAll(context);
        return result != CuResult.Success ? result : address == 0 ? CuResult.Success : Device.Free(address);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemAllocHost_v2")]
    private static CuResult MemAllocHost(nint* memory, nuint bytes) => WithContext(context =>
    {
        if (IsUnsafeCallForbidden(context))
        {
            return CuResult.StreamCaptureUnsupported;
        }
        *memory = Device.Host.Allocate(bytes);
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemFreeHost")]
    private static CuResult MemFreeHost(nint memory) => WithContext(context =>
    {
        CuResult result = Device.DrainAll(context);
        return result != CuResult.Success ? result : Device.Host.Free(memory) ? CuResult.Success : CuResult.InvalidValue;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemHostRegister_v2")]
    private static CuResult MemHostRegister(nint memory, nuint bytes, uint flags) => WithContext(_ =>
        memory == 0 || bytes == 0 ? CuResult.InvalidValue : Device.Host.Register(memory, bytes) ? CuResult.Success : CuResult.HostMemoryAlreadyRegistered);

    /// <summary>Done even after a failure, which it then reports.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuMemHostUnregister")]
    private static CuResult MemHostUnregister(nint memory) => WithDriver(() =>
    {
        if (!Device.Handles.TryGet(s_current, out StandinContext context))
        {
            return CuResult.InvalidContext;
        }
        CuResult result = Device.DrainAll(context);
        return !Device.Host.Unregister(memory) ? CuResult.HostMemoryNotRegistered : result;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemHostGetDevicePointer_v2")]
    private static CuResult MemHostGetDevicePointer(ulong* address, nint memory, uint flags) => WithContext(_ =>
    {
        *address = (ulong)memory;
        return Device.Host.IsLocked((ulong)memory, 1) ? CuResult.Success : CuResult.InvalidValue;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemcpyAsync")]
    private static CuResult MemcpyAsync(ulong target, ulong source, nuint bytes, nint stream) => Copy(target, source, bytes, stream);

    [UnmanagedCallersOnly(EntryPoint = "cuMemcpyDtoDAsync_v2")]
    private static CuResult MemcpyDtoDAsync(ulong target, ulong source, nuint bytes, nint stream) => WithContext(_ =>
        bytes == 0 || (Device.IsDevice(target) && Device.IsDevice(source)) ? CuResult.Success : CuResult.InvalidValue) is var result and not CuResult.Success
            ? result : Copy(target, source, bytes, stream);

    /// <summary>
    /// Page-locked memory is read and written when the stream comes to it. Pageable memory is read at once, and when it is written the call has
    /// waited for the stream (CUDA Driver API, "API synchronization behavior").
    /// </summary>
    private static CuResult Copy(ulong target, ulong source, nuint bytes, nint handle) => WithContext(context =>
    {
        if (!TryStream(context, handle, out StandinStream stream))
        {
            return CuResult.InvalidHandle;
        }
        if (bytes == 0)
        {
            return CuResult.Success;
        }
        if (!Device.IsValid(target, bytes) || !Device.IsValid(source, bytes))
        {
            return CuResult.InvalidValue;
        }
        bool isCaptured = stream.Capture is not null;
        bool isSourcePageable = !Device.IsDevice(source) && !Device.Host.IsLocked(source, bytes), isTargetPageable = !Device.IsDevice(target) && !Device.Host.IsLocked(target, bytes);
        StandinWork work = isSourcePageable && !isCaptured && !isTargetPageable
            ? new StagedCopyWork(target, Device.Bytes(source, (int)bytes).ToArray())
            : new CopyWork(target, source, (int)bytes);
        CuResult result = Device.Enqueue(context, stream, work);
        return result != CuResult.Success || isCaptured || !isTargetPageable ? result : Device.Drain(stream);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemsetD8Async")]
    private static CuResult MemsetD8Async(ulong address, byte value, nuint bytes, nint handle) => WithContext(context =>
    {
        if (!TryStream(context, handle, out StandinStream stream))
        {
            return CuResult.InvalidHandle;
        }
        if (bytes == 0)
        {
            return CuResult.Success;
        }
        return Device.IsDevice(address) && Device.IsValid(address, bytes) ? Device.Enqueue(context, stream, new FillWork(address, value, (int)bytes)) : CuResult.InvalidValue;
    });
}

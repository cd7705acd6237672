using System.Runtime.InteropServices;
using System.Text;

namespace AiFabrik.Ptx;

/// <summary>Initialisation, errors, devices and contexts.</summary>
internal static unsafe partial class StandinCalls
{
    private static readonly Dictionary<int, nint> s_names = [];

    [UnmanagedCallersOnly(EntryPoint = "cuInit")]
    private static CuResult Init(uint flags)
    {
        lock (Device.Gate)
        {
            Device.IsInitialized = true;
            return flags != 0 ? CuResult.InvalidValue : Device.Options.Devices == 0 ? CuResult.NoDevice : CuResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDriverGetVersion")]
    private static CuResult DriverGetVersion(int* version)
    {
        *version = Device.Options.DriverVersion;
        return CuResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuGetErrorName")]
    private static CuResult GetErrorName(int error, byte** name) => NameOf(error, name);

    [UnmanagedCallersOnly(EntryPoint = "cuGetErrorString")]
    private static CuResult GetErrorString(int error, byte** text) => NameOf(error, text);

    private static CuResult NameOf(int error, byte** name)
    {
        lock (Device.Gate)
        {
            *name = null;
            if (!Enum.IsDefined((CuResult)error))
            {
                return CuResult.InvalidValue;
            }
            if (!s_names.TryGetValue(error, out nint text))
            {
                // IllegalAddress becomes CUDA_ERROR_ILLEGAL_ADDRESS; it must live for ever.
                var snake = new StringBuilder(error == 0 ? "CUDA" : "CUDA_ERROR");
                foreach (char letter in ((CuResult)error).ToString())
                {
                    snake.Append(char.IsUpper(letter) ? "_" : "").Append(char.ToUpperInvariant(letter));
                }
                s_names[error] = text = Marshal.StringToCoTaskMemUTF8(snake.ToString());
            }
            *name = (byte*)text;
            return CuResult.Success;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetCount")]
    private static CuResult DeviceGetCount(int* count) => WithDriver(() =>
    {
        *count = Device.Options.Devices;
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGet")]
    private static CuResult DeviceGet(int* device, int ordinal) => OfDevice(ordinal, () => *device = ordinal);

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetName")]
    private static CuResult DeviceGetName(byte* name, int length, int device) => OfDevice(device, () =>
    {
        var target = new Span<byte>(name, length);
        target.Clear();
        "PTX machine"u8[..Math.Min(length - 1, 11)].CopyTo(target);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceTotalMem_v2")]
    private static CuResult DeviceTotalMem(nuint* bytes, int device) => OfDevice(device, () => *bytes = (nuint)Device.Options.MemoryBytes);

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetAttribute")]
    private static CuResult DeviceGetAttribute(int* value, int attribute, int device)
    {
        CuResult result = CuResult.Success;
        CuResult known = OfDevice(device, () => result = StandinAttributes.TryGet(Device.Options, attribute, out *value) ? CuResult.Success : CuResult.InvalidValue);
        return known != CuResult.Success ? known : result;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceCanAccessPeer")]
    private static CuResult DeviceCanAccessPeer(int* can, int device, int peer) => OfDevice(device, () => *can = 0);

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetP2PAttribute")]
    private static CuResult DeviceGetP2PAttribute(int* value, int attribute, int source, int target) => WithDriver(() => CuResult.InvalidDevice);

    [UnmanagedCallersOnly(EntryPoint = "cuCtxEnablePeerAccess")]
    private static CuResult CtxEnablePeerAccess(nint peer, uint flags) => WithContext(_ => CuResult.PeerAccessUnsupported);

    [UnmanagedCallersOnly(EntryPoint = "cuCtxDisablePeerAccess")]
    private static CuResult CtxDisablePeerAccess(nint peer) => WithContext(_ => CuResult.PeerAccessUnsupported);

    private static CuResult OfDevice(int device, Action body) => WithDriver(() =>
    {
        if (device < 0 || device >= Device.Options.Devices)
        {
            return CuResult.InvalidDevice;
        }
        body();
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuCtxCreate_v2")]
    private static CuResult CtxCreate(nint* context, uint flags, int device) => OfDevice(device, () =>
    {
        var made = new StandinContext();
        Device.Contexts.Add(made);
        *context = s_current = Device.Handles.Add(made);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuCtxDestroy_v2")]
    private static CuResult CtxDestroy(nint handle) => WithDriver(() =>
    {
        if (!Device.Handles.TryGet(handle, out StandinContext context))
        {
            return CuResult.InvalidContext;
        }
        Device.DrainAll(context);
        foreach (PtxBuffer buffer in context.Buffers.ToArray())
        {
            Device.Free(buffer.Address);
        }
        foreach (nint owned in context.Handles)
        {
            if (Device.Handles.TryGet(owned, out StandinModule module))
            {
                Device.Unload(module);
            }
            Device.Handles.Remove(owned);
        }
        Device.Contexts.Remove(context);
        Device.Handles.Remove(handle);
        s_current = s_current == handle ? 0 : s_current;
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuCtxSetCurrent")]
    private static CuResult CtxSetCurrent(nint context) => WithDriver(() =>
    {
        if (context != 0 && !Device.Handles.TryGet(context, out StandinContext _))
        {
            return CuResult.InvalidContext;
        }
        s_current = context;
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuCtxSynchronize")]
    private static CuResult CtxSynchronize() => WithContext(context => IsAnyCaptured(context) ? CuResult.StreamCaptureUnsupported : Device.DrainAll(context));

    [UnmanagedCallersOnly(EntryPoint = "cuCtxGetCacheConfig")]
    private static CuResult CtxGetCacheConfig(int* config) => Preference(config);

    [UnmanagedCallersOnly(EntryPoint = "cuCtxSetCacheConfig")]
    private static CuResult CtxSetCacheConfig(int config) => WithContext(_ => CuResult.Success);

    [UnmanagedCallersOnly(EntryPoint = "cuCtxGetSharedMemConfig")]
    private static CuResult CtxGetSharedMemConfig(int* config) => Preference(config);

    [UnmanagedCallersOnly(EntryPoint = "cuCtxSetSharedMemConfig")]
    private static CuResult CtxSetSharedMemConfig(int config) => WithContext(_ => CuResult.Success);

    /// <summary>Devices like this one know no preference of caches or banks.</summary>
    private static CuResult Preference(int* config) => WithContext(_ =>
    {
        *config = 0;
        return CuResult.Success;
    });
}

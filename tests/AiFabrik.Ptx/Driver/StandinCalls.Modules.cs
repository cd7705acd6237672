using System.Runtime.InteropServices;
using System.Text;

namespace AiFabrik.Ptx;

/// <summary>Modules, functions, launches and occupancy.</summary>
internal static unsafe partial class StandinCalls
{
    private const int OptionErrorLog = 5, OptionErrorLogBytes = 6;
    private const nint ExtraEnd = 0, ExtraBuffer = 1, ExtraBufferBytes = 2;

    [UnmanagedCallersOnly(EntryPoint = "cuModuleLoadData")]
    private static CuResult ModuleLoadData(nint* module, byte* image) => WithContext(context => Load(context, module, image, out _));

    [UnmanagedCallersOnly(EntryPoint = "cuModuleLoadDataEx")]
    private static CuResult ModuleLoadDataEx(nint* module, byte* image, uint count, int* options, void** values) => WithContext(context =>
    {
        CuResult result = Load(context, module, image, out string error);
        byte* log = null;
        nint bytes = 0;
        for (int i = 0; i < count; i++)
        {
            log = options[i] == OptionErrorLog ? (byte*)values[i] : log;
            bytes = options[i] == OptionErrorLogBytes ? (nint)values[i] : bytes;
        }
        if (log is not null && bytes > 0)
        {
            var target = new Span<byte>(log, (int)bytes);
            target.Clear();
            byte[] text = Encoding.ASCII.GetBytes(error);
            text.AsSpan(0, Math.Min(text.Length, (int)bytes - 1)).CopyTo(target);
        }
        return result;
    });

    private static CuResult Load(StandinContext context, nint* handle, byte* image, out string error)
    {
        string text = Marshal.PtrToStringUTF8((nint)image)!;
        *handle = 0;
        error = "";
        int version = StandinHeader.Version(text), target = StandinHeader.Target(text);
        // CUDA 12.4 reads PTX 8.4, and so on.
        int newest = (Device.Options.DriverVersion / 1000 - 4) * 10 + Device.Options.DriverVersion % 1000 / 10;
        if (version < 0 || target < 0)
        {
            return CuResult.InvalidPtx;
        }
        if (version > newest)
        {
            return CuResult.UnsupportedPtxVersion;
        }
        if (target > Device.Options.Capability)
        {
            return CuResult.NoBinaryForGpu;
        }
        if (!PtxModule.TryParse(text, out PtxModule? module, out PtxError? reason))
        {
            error = reason!.ToString();
            Device.Faults.Add(error);
            return CuResult.InvalidPtx;
        }
        *handle = Own(context, new StandinModule(module!, text));
        return CuResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuModuleUnload")]
    private static CuResult ModuleUnload(nint handle) => WithContext(context =>
    {
        if (!Device.Handles.TryGet(handle, out StandinModule module))
        {
            return CuResult.InvalidHandle;
        }
        CuResult result = Device.DrainAll(context);
        Device.Unload(module);
        foreach (nint function in module.Functions.Values)
        {
            Disown(context, function);
        }
        Disown(context, handle);
        return result;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuModuleGetFunction")]
    private static CuResult ModuleGetFunction(nint* function, nint handle, byte* text) => WithContext(context =>
    {
        *function = 0;
        if (!Device.Handles.TryGet(handle, out StandinModule module))
        {
            return CuResult.InvalidHandle;
        }
        string name = Marshal.PtrToStringUTF8((nint)text)!;
        if (!module.Ptx.Entries.Contains(name))
        {
            return CuResult.NotFound;
        }
        if (!module.Functions.TryGetValue(name, out nint known))
        {
            module.Functions[name] = known = Own(context, new StandinFunction(module, name, StandinHeader.ThreadsMax(module.Text, name)));
        }
        *function = known;
        return CuResult.Success;
    });

    /// <summary>Attributes by number: threads, static shared memory, constants, local memory, registers, version of PTX and binary, dynamic shared memory.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuFuncGetAttribute")]
    private static CuResult FuncGetAttribute(int* value, int attribute, nint handle) => WithContext(_ =>
    {
        if (!Device.Handles.TryGet(handle, out StandinFunction function))
        {
            return CuResult.InvalidHandle;
        }
        int? found = attribute switch
        {
            0 => function.ThreadsMax,
            1 => function.SharedBytes,
            2 or 3 => 0,
            4 => 32,
            5 or 6 => Device.Options.Capability,
            8 => function.DynamicSharedBytesMax,
            9 => -1,
            _ => null,
        };
        *value = found ?? 0;
        return found is null ? CuResult.InvalidValue : CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuFuncSetAttribute")]
    private static CuResult FuncSetAttribute(nint handle, int attribute, int value) => WithContext(_ =>
    {
        if (!Device.Handles.TryGet(handle, out StandinFunction function))
        {
            return CuResult.InvalidHandle;
        }
        switch (attribute)
        {
            case 8 when value >= 0 && value + function.SharedBytes <= StandinAttributes.SharedPerBlock:
                function.DynamicSharedBytesMax = value;
                return CuResult.Success;
            case 9 when value is >= -1 and <= 100:
                return CuResult.Success;
            default:
                return CuResult.InvalidValue;
        }
    });

    [UnmanagedCallersOnly(EntryPoint = "cuLaunchKernel")]
    private static CuResult LaunchKernel(nint handle, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes, nint streamHandle, void** parameters, void** extra) => WithContext(context =>
    {
        if (!Device.Handles.TryGet(handle, out StandinFunction function) || !context.Handles.Contains(handle) || !TryStream(context, streamHandle, out StandinStream stream))
        {
            return CuResult.InvalidHandle;
        }
        bool isShape = gridX is > 0 and <= int.MaxValue && gridY is > 0 and <= 65_535 && gridZ is > 0 and <= 65_535 && blockX is > 0 and <= 1024 && blockY is > 0 and <= 1024 && blockZ is > 0 and <= 64;
        if (!isShape || (long)blockX * blockY * blockZ > function.ThreadsMax || sharedBytes > Math.Max(function.DynamicSharedBytesMax - (function.DynamicSharedBytesMax > StandinFunction.SharedBytesDefault ? 0 : function.SharedBytes), 0))
        {
            return CuResult.InvalidValue;
        }
        byte[] packed = new byte[function.Code.ParameterBytes];
        if (!TryPack(function, parameters, extra, packed))
        {
            return CuResult.InvalidValue;
        }
        var work = new KernelWork(function, new Dim3((int)gridX, (int)gridY, (int)gridZ), new Dim3((int)blockX, (int)blockY, (int)blockZ), (int)sharedBytes, packed);
        return Device.Enqueue(context, stream, work);
    });

    /// <summary>Copies the parameters, given as an array of addresses or as one buffer with the layout that the kernel declares.</summary>
    private static bool TryPack(StandinFunction function, void** parameters, void** extra, byte[] packed)
    {
        List<Variable> declared = function.Code.Syntax.Parameters;
        if (parameters is not null)
        {
            for (int i = 0; i < declared.Count; i++)
            {
                new Span<byte>(parameters[i], (int)declared[i].SizeBytes).CopyTo(packed.AsSpan(declared[i].Offset));
            }
            return extra is null;
        }
        byte* buffer = null;
        nuint bytes = 0;
        for (; extra is not null && (nint)extra[0] != ExtraEnd; extra += 2)
        {
            switch ((nint)extra[0])
            {
                case ExtraBuffer:
                    buffer = (byte*)extra[1];
                    break;
                case ExtraBufferBytes:
                    bytes = *(nuint*)extra[1];
                    break;
                default:
                    return false;
            }
        }
        int needed = declared.Count == 0 ? 0 : declared.Max(p => p.Offset + (int)p.SizeBytes);
        if (buffer is null ? needed > 0 : bytes < (nuint)needed)
        {
            return false;
        }
        new Span<byte>(buffer, needed).CopyTo(packed);
        return true;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuOccupancyMaxActiveBlocksPerMultiprocessor")]
    private static CuResult OccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, nint handle, int threads, nuint sharedBytes) => WithContext(_ =>
    {
        if (!Device.Handles.TryGet(handle, out StandinFunction function))
        {
            return CuResult.InvalidHandle;
        }
        if (threads is < 1 or > StandinAttributes.ThreadsPerBlock)
        {
            return CuResult.InvalidValue;
        }
        // A block's shared memory takes a kilobyte more than it asks for (CUDA Programming Guide, compute capability 8.0).
        long shared = function.SharedBytes + (long)sharedBytes + 1024;
        int whole = (threads + StandinAttributes.WarpSize - 1) / StandinAttributes.WarpSize * StandinAttributes.WarpSize;
        *blocks = (int)Math.Min(Math.Min(StandinAttributes.BlocksPerMultiprocessor, StandinAttributes.ThreadsPerMultiprocessor / whole), StandinAttributes.SharedPerMultiprocessor / shared);
        return CuResult.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuOccupancyMaxPotentialBlockSize")]
    private static CuResult OccupancyMaxPotentialBlockSize(int* blocks, int* threads, nint handle, nint sharedBytesOf, nuint sharedBytes, int threadsMax) => WithContext(_ =>
    {
        if (!Device.Handles.TryGet(handle, out StandinFunction function))
        {
            return CuResult.InvalidHandle;
        }
        *threads = threadsMax > 0 ? Math.Min(threadsMax, function.ThreadsMax) : function.ThreadsMax;
        *blocks = Device.Options.Multiprocessors * (StandinAttributes.ThreadsPerMultiprocessor / *threads);
        return CuResult.Success;
    });
}

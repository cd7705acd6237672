using System.Runtime.InteropServices;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Ptx;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>A kernel's arguments as bytes, in order.</summary>
internal sealed class KernelArguments
{
    private readonly List<byte[]> _values = [];

    public IReadOnlyList<byte[]> Values => _values;

    public KernelArguments Add<T>(T value) where T : unmanaged
    {
        AddBytes(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
        return this;
    }

    public void AddBytes(ReadOnlySpan<byte> value) => _values.Add(value.ToArray());
}

/// <summary>Where the parity cases run: the PTX machine everywhere, and a GPU where there is one.</summary>
internal abstract class KernelDevice : IDisposable
{
    public abstract ulong Upload<T>(string name, ReadOnlySpan<T> values) where T : unmanaged;

    public abstract T[] Download<T>(ulong address, int count) where T : unmanaged;

    public abstract void Run(CudaKernelId kernel, LaunchShape shape, KernelArguments arguments);

    public abstract void Dispose();
}

/// <summary>Runs exactly the PTX that would be loaded; any fault fails the test.</summary>
internal sealed unsafe class PtxKernelDevice : KernelDevice
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<CudaKernelId, PtxModule> s_modules = [];
    private static PtxCompiler? s_compiler;

    private readonly PtxMachine _machine = new();
    private readonly Dictionary<ulong, PtxBuffer> _buffers = [];

    /// <summary>The patched text of a kernel.</summary>
    public static string Text(CudaKernelId kernel)
    {
        lock (s_lock)
        {
            return (s_compiler ??= new PtxCompiler()).Compile(CudaKernelTable.All[(int)kernel]);
        }
    }

    private static PtxModule Module(CudaKernelId kernel)
    {
        lock (s_lock)
        {
            if (!s_modules.TryGetValue(kernel, out PtxModule? module))
            {
                Assert.True(PtxModule.TryParse(Text(kernel), out module, out PtxError? error), error?.ToString());
                s_modules.Add(kernel, module!);
            }
            return module!;
        }
    }

    public override ulong Upload<T>(string name, ReadOnlySpan<T> values)
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        PtxBuffer buffer = _machine.Allocate(name, bytes.Length);
        bytes.CopyTo(buffer.Bytes);
        _buffers.Add(buffer.Address, buffer);
        return buffer.Address;
    }

    public override T[] Download<T>(ulong address, int count) => MemoryMarshal.Cast<byte, T>(_buffers[address].Bytes)[..count].ToArray();

    public override void Run(CudaKernelId kernel, LaunchShape shape, KernelArguments arguments)
    {
        var packed = new PtxArguments();
        foreach (byte[] value in arguments.Values)
        {
            packed.AddBytes(value);
        }
        PtxResult result = _machine.Launch(Module(kernel), PtxPatch.EntryName, new Dim3(shape.GridX, shape.GridY, shape.GridZ), new Dim3(shape.Threads), 0, packed);
        Assert.True(result.Fault is null, $"{kernel}: {result.Fault}");
    }

    /// <summary>The kernels as the product launches them, with the machine in the driver's place. Notes the kernels in the order of their launches.</summary>
    public CudaKernels Kernels(List<CudaKernelId> launched) => new((kernel, shape, stream, parameters) =>
    {
        launched.Add(kernel);
        var arguments = new KernelArguments();
        int index = 0;
        foreach (System.Reflection.ParameterInfo parameter in CudaKernelTable.All[(int)kernel].Method.GetParameters())
        {
            // A view is an address and a length.
            Type type = parameter.ParameterType;
            int bytes = type.IsConstructedGenericType ? sizeof(DeviceInts) : Marshal.SizeOf(type);
            arguments.AddBytes(new ReadOnlySpan<byte>(parameters[index++], bytes));
        }
        Run(kernel, shape, arguments);
        return CudaStatus.Success;
    });

    public override void Dispose()
    {
    }
}

/// <summary>A CUDA device through ILGPU's context and memory and our own loading and launching.</summary>
internal sealed unsafe class GpuKernelDevice : KernelDevice
{
    private readonly Context _context;
    private readonly CudaAccelerator _accelerator;
    private readonly CudaKernels _kernels;
    private readonly CudaStreamHandle _stream;
    private readonly List<MemoryBuffer1D<byte, Stride1D.Dense>> _buffers = [];

    private GpuKernelDevice(Context context, CudaAccelerator accelerator, CudaKernels kernels, CudaStreamHandle stream) =>
        (_context, _accelerator, _kernels, _stream) = (context, accelerator, kernels, stream);

    /// <summary>Opens the first device; null, with the reason, where there is none.</summary>
    public static GpuKernelDevice? TryOpen(out string reason)
    {
        if (!CudaDriver.TryOpen(out CudaStatus status))
        {
            reason = CudaDriver.Describe(status);
            return null;
        }
        Context context = Context.Create(b => b.Cuda().Optimize(PtxCompiler.Level));
        CudaAccelerator accelerator = context.CreateCudaAccelerator(0);
        accelerator.Bind();
        CudaKernels? kernels;
        using (var compiler = new PtxCompiler())
        {
            status = CudaKernels.TryLoad(compiler, null, out kernels);
            Assert.True(status == CudaStatus.Success, CudaDriver.Describe(status));
        }
        accelerator.Bind();
        status = CudaStreamHandle.TryCreate(out CudaStreamHandle? stream);
        Assert.True(status == CudaStatus.Success, CudaDriver.Describe(status));
        reason = accelerator.Name;
        return new GpuKernelDevice(context, accelerator, kernels!, stream!);
    }

    public CudaKernels Kernels => _kernels;

    public nint Stream => _stream.Value;

    public int Multiprocessors => _accelerator.NumMultiprocessors;

    public string Name => _accelerator.Name;

    /// <summary>Device memory full of small, harmless numbers: 0x3C3C is 0.01 as bf16 and 1.06 as fp16.</summary>
    public ulong Allocate(long bytes)
    {
        MemoryBuffer1D<byte, Stride1D.Dense> buffer = _accelerator.Allocate1D<byte>(bytes);
        _buffers.Add(buffer);
        Expect(CudaDriver.MemorySet((ulong)buffer.NativePtr, 0x3C, (nuint)bytes, Stream));
        Expect(CudaDriver.StreamSynchronize(Stream));
        return (ulong)buffer.NativePtr;
    }

    /// <summary>Seconds of one launch: the median of several runs of a few launches each, after one run to warm up.</summary>
    public double Time(Func<int, CudaStatus> launch)
    {
        const int Runs = 7, Launches = 10;
        double[] seconds = new double[Runs];
        Expect(CudaDriver.EventCreate(out nint start, CudaDriver.EventDefault));
        Expect(CudaDriver.EventCreate(out nint end, CudaDriver.EventDefault));
        for (int run = -1; run < Runs; run++)
        {
            Expect(CudaDriver.EventRecord(start, Stream));
            for (int i = 0; i < Launches; i++)
            {
                Expect(launch((run + 1) * Launches + i));
            }
            Expect(CudaDriver.EventRecord(end, Stream));
            Expect(CudaDriver.EventSynchronize(end));
            Expect(CudaDriver.EventElapsed(out float milliseconds, start, end));
            seconds[Math.Max(run, 0)] = milliseconds / 1000 / Launches;
        }
        Expect(CudaDriver.EventDestroy(start));
        Expect(CudaDriver.EventDestroy(end));
        Array.Sort(seconds);
        return seconds[Runs / 2];
    }

    private static void Expect(CudaStatus status) => Assert.True(status == CudaStatus.Success, CudaDriver.Describe(status));

    public override ulong Upload<T>(string name, ReadOnlySpan<T> values)
    {
        MemoryBuffer1D<byte, Stride1D.Dense> buffer = _accelerator.Allocate1D(MemoryMarshal.AsBytes(values).ToArray());
        _accelerator.Synchronize();
        _buffers.Add(buffer);
        return (ulong)buffer.NativePtr;
    }

    public override T[] Download<T>(ulong address, int count)
    {
        byte[] bytes = _buffers.First(b => (ulong)b.NativePtr == address).GetAsArray1D();
        return MemoryMarshal.Cast<byte, T>(bytes)[..count].ToArray();
    }

    public override void Run(CudaKernelId kernel, LaunchShape shape, KernelArguments arguments)
    {
        const int BytesMax = 64;
        byte* storage = stackalloc byte[arguments.Values.Count * BytesMax];
        void** pointers = stackalloc void*[arguments.Values.Count];
        for (int i = 0; i < arguments.Values.Count; i++)
        {
            arguments.Values[i].CopyTo(new Span<byte>(storage + i * BytesMax, BytesMax));
            pointers[i] = storage + i * BytesMax;
        }
        CudaStatus status = CudaDriver.LaunchKernel(_kernels.Function(kernel), (uint)shape.GridX, (uint)shape.GridY, (uint)shape.GridZ, (uint)shape.Threads, 1, 1, 0, _stream.Value, pointers, null);
        Assert.True(status == CudaStatus.Success, $"{kernel}: {CudaDriver.Describe(status)}");
        status = CudaDriver.StreamSynchronize(_stream.Value);
        Assert.True(status == CudaStatus.Success, $"{kernel}: {CudaDriver.Describe(status)}");
    }

    public override void Dispose()
    {
        _stream.Dispose();
        _kernels.Dispose();
        foreach (MemoryBuffer1D<byte, Stride1D.Dense> buffer in _buffers)
        {
            buffer.Dispose();
        }
        _accelerator.Dispose();
        _context.Dispose();
    }
}

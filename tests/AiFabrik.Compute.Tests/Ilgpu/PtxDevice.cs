using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.InteropServices;
using AiFabrik.Compute.Ilgpu;
using AiFabrik.Ptx;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>
/// A device whose memory is the host's and whose kernels are the PTX that a CUDA device would load, run by the PTX machine, which
/// reports out-of-bounds and misaligned accesses, races and reads of unwritten shared memory. For tiny shapes.
/// </summary>
internal sealed class PtxDevice : IKernelLoader, IDisposable
{
    private static readonly Lazy<PtxDevice> Instance = new(() => new PtxDevice());
    private static readonly MethodInfo LaunchMethod = typeof(PtxDevice).GetMethod(nameof(Launch), BindingFlags.NonPublic | BindingFlags.Instance)!;

    private readonly Lock _gate = new();
    private readonly Dictionary<MethodInfo, PtxModule> _modules = [];
    private readonly Context _context = Context.Create(builder => builder.Optimize(OptimizationLevel.O1).EnableAlgorithms().CPU(CPUDeviceKind.Nvidia));
    private readonly PTXBackend _backend;

    private PtxDevice()
    {
        _backend = new PTXBackend(_context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);
        Device = new IlgpuDevice("ptx:0", _context.CreateCPUAccelerator(0), this);
    }

    public void Dispose()
    {
        _backend.Dispose();
        _context.Dispose();
    }

    public static IlgpuDevice Shared => Instance.Value.Device;

    private IlgpuDevice Device { get; }

    /// <summary>The PTX of a kernel as a CUDA device would get it.</summary>
    public static string Assembly(MethodInfo kernel)
    {
        var self = Instance.Value;
        lock (self._gate) return ((PTXCompiledKernel)self._backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default)).PTXAssembly;
    }

    /// <summary>A delegate of the launcher's type that hands its arguments to <see cref="Launch"/>.</summary>
    public TLauncher Load<TLauncher>(MethodInfo kernel) where TLauncher : Delegate
    {
        var parameters = typeof(TLauncher).GetMethod("Invoke")!.GetParameters().Select(p => Expression.Parameter(p.ParameterType)).ToArray();
        var arguments = Expression.NewArrayInit(typeof(object), parameters.Skip(2).Select(p => Expression.Convert(p, typeof(object))));
        var call = Expression.Call(Expression.Constant(this), LaunchMethod, Expression.Constant(kernel), parameters[1], arguments);
        return Expression.Lambda<TLauncher>(call, parameters).Compile();
    }

    private void Launch(MethodInfo kernel, KernelConfig config, object[] arguments)
    {
        var module = Module(kernel);
        var machine = new PtxMachine();
        var packed = new PtxArguments();
        // Views of the same memory under several types share a buffer.
        var buffers = new Dictionary<nint, (PtxBuffer Buffer, int Bytes)>();
        foreach (var argument in arguments)
        {
            if (argument is not IArrayView) { packed.AddBytes(Bytes(argument)); continue; }
            var (address, length, bytes) = Describe(argument);
            if (!buffers.TryGetValue(address, out var known) || known.Bytes < bytes)
            {
                Assert.False(known.Bytes > 0, "Views of different lengths begin at the same place.");
                buffers[address] = known = (machine.Allocate(kernel.GetParameters()[buffers.Count].Name!, bytes), bytes);
                Memory(address, bytes).CopyTo(known.Buffer.Bytes);
            }
            packed.Add(new View(known.Buffer.Address, length));
        }
        Index3D grid = config.GridDim, group = config.GroupDim;
        var result = machine.Launch(module, module.Entries[0], new Dim3(grid.X, grid.Y, grid.Z), new Dim3(group.X, group.Y, group.Z), 0, packed);
        Assert.True(result.Fault is null, $"{kernel.DeclaringType!.Name}: {result.Fault}");
        foreach (var (address, (buffer, bytes)) in buffers) buffer.Bytes.CopyTo(Memory(address, bytes));
    }

    /// <summary>An <c>ArrayView</c> as the PTX backend passes it: address and length.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct View(ulong Address, long Length);

    private static (nint Address, long Length, int Bytes) Describe(object view)
    {
        var element = view.GetType().GenericTypeArguments[0];
        return ((nint, long, int))typeof(PtxDevice).GetMethod(nameof(DescribeView), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(element).Invoke(null, [view])!;
    }

    private static (nint, long, int) DescribeView<T>(ArrayView<T> view) where T : unmanaged => (view.LoadEffectiveAddressAsPtr(), view.Length, checked((int)view.LengthInBytes));

    private static byte[] Bytes(object value)
    {
        var bytes = new byte[Marshal.SizeOf(value)];
        var handle = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        Marshal.StructureToPtr(value, handle.AddrOfPinnedObject(), false);
        handle.Free();
        return bytes;
    }

    private static unsafe Span<byte> Memory(nint address, int bytes) => new((void*)address, bytes);

    private PtxModule Module(MethodInfo kernel)
    {
        lock (_gate)
        {
            if (_modules.TryGetValue(kernel, out var module)) return module;
            var text = ((PTXCompiledKernel)_backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default)).PTXAssembly;
            Assert.True(PtxModule.TryParse(text, out module, out var error), $"{kernel.DeclaringType!.Name}: {error}");
            return _modules[kernel] = module!;
        }
    }
}

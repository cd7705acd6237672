using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>
/// Loads the portable kernels as the text that the audit has seen: compiled and patched by <see cref="PtxCompiler"/>, or read from its cache, so that a
/// start does not wait for ILGPU. Loaded modules live as long as the process.
/// </summary>
/// <param name="compiler">Asked when the first kernel is loaded.</param>
internal sealed class PtxKernelLoader(Func<PtxCompiler> compiler) : IKernelLoader
{
    private readonly List<CudaModuleHandle> _modules = [];

    /// <inheritdoc/>
    public TLauncher Load<TLauncher>(MethodInfo kernel) where TLauncher : Delegate
    {
        CudaStatus status = CudaKernels.Load(compiler().Compile(kernel), out CudaModuleHandle module, out nint function);
        if (status != CudaStatus.Success) throw new IlgpuException(CudaDriver.Describe(status));
        _modules.Add(module);
        return LaunchArguments.Launcher<TLauncher>(function);
    }
}

/// <summary>
/// A kernel's parameters side by side, as ILGPU's PTX takes them: a view is its address and length, everything else its bytes. On the stack of the
/// delegate that <see cref="Launcher"/> makes, so that a launch allocates nothing.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LaunchArguments
{
    /// <summary>Parameters of a kernel at most, and their bytes, each rounded up to 8.</summary>
    private const int CountMax = 16, BytesMax = 512;

    private fixed long _bytes[BytesMax / sizeof(long)];
    private fixed int _offsets[CountMax];
    private int _count, _used;

    /// <summary>A delegate that launches a function.</summary>
    /// <typeparam name="TLauncher">An Action of stream, KernelConfig and the kernel's parameters.</typeparam>
    public static TLauncher Launcher<TLauncher>(nint function) where TLauncher : Delegate
    {
        ParameterExpression[] parameters = [.. typeof(TLauncher).GetMethod("Invoke")!.GetParameters().Select(p => Expression.Parameter(p.ParameterType))];
        ParameterExpression arguments = Expression.Variable(typeof(LaunchArguments));
        IEnumerable<Expression> adds = parameters.Skip(2).Select(p => Expression.Call(Adder(p.Type), arguments, p));
        Expression launch = Expression.Call(Method(nameof(Launch)), Expression.Constant(function), parameters[0], parameters[1], arguments);
        return Expression.Lambda<TLauncher>(Expression.Block([arguments], [Expression.Assign(arguments, Expression.Default(typeof(LaunchArguments))), .. adds, launch]), parameters).Compile();
    }

    private static MethodInfo Adder(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ArrayView<>)
        ? Method(nameof(AddView)).MakeGenericMethod(type.GenericTypeArguments)
        : Method(nameof(AddValue)).MakeGenericMethod(type);

    private static MethodInfo Method(string name) => typeof(LaunchArguments).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;

    private static void AddView<T>(ref LaunchArguments arguments, ArrayView<T> view) where T : unmanaged => AddValue(ref arguments, new View(view.LoadEffectiveAddressAsPtr(), view.Length));

    private static void AddValue<T>(ref LaunchArguments arguments, T value) where T : unmanaged
    {
        if (arguments._count == CountMax || arguments._used + sizeof(T) > BytesMax) throw new IlgpuException("A kernel has more parameters than a launch takes.");
        fixed (long* bytes = arguments._bytes)
        {
            *(T*)((byte*)bytes + arguments._used) = value;
        }
        arguments._offsets[arguments._count++] = arguments._used;
        arguments._used += (sizeof(T) + sizeof(long) - 1) / sizeof(long) * sizeof(long);
    }

    private static void Launch(nint function, AcceleratorStream stream, KernelConfig config, ref LaunchArguments arguments)
    {
        void** pointers = stackalloc void*[CountMax];
        Index3D grid = config.GridDim, group = config.GroupDim;
        fixed (long* bytes = arguments._bytes)
        {
            for (int i = 0; i < arguments._count; i++)
            {
                pointers[i] = (byte*)bytes + arguments._offsets[i];
            }
            CudaStatus status = CudaDriver.LaunchKernel(
                function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)group.X, (uint)group.Y, (uint)group.Z, 0, ((CudaStream)stream).StreamPtr, pointers, null);
            if (status != CudaStatus.Success) throw new IlgpuException(CudaDriver.Describe(status));
        }
    }

    /// <summary>An <c>ArrayView</c> as ILGPU's PTX takes it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct View(nint Address, long Length);
}

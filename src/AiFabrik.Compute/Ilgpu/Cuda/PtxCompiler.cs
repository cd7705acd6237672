using System.Globalization;
using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>
/// Compiles explicitly grouped ILGPU kernels to PTX without a device, patches them (<see cref="PtxPatch"/>) and keeps them in a <see cref="PtxCache"/>.
/// </summary>
/// <remarks>
/// <para>Optimisation is O1: O2 miscompiles a plain switch (ILGPU #846). Loops and registers are the driver's to optimise.</para>
/// <para>Once it has compiled anything, disposing it leaves no accelerator bound to the thread: its ILGPU context binds and unbinds its own. Bind again.</para>
/// </remarks>
internal sealed class PtxCompiler : IDisposable
{
    /// <summary>The level that everything for CUDA is compiled at.</summary>
    public const OptimizationLevel Level = OptimizationLevel.O1;

    private readonly PtxCache? _cache;
    private Context? _context;
    private PTXBackend? _backend;

    /// <param name="target">What the PTX is for, such as <c>sm_80</c>: it also runs on everything newer.</param>
    /// <param name="cache">Where compiled kernels are kept, or null.</param>
    public PtxCompiler(string target = "sm_80", PtxCache? cache = null)
    {
        Target = target;
        _cache = cache;
    }

    /// <summary>The target of the emitted PTX.</summary>
    public string Target { get; }

    /// <summary>A kernel's patched PTX; its entry is <see cref="PtxPatch.EntryName"/>. ILGPU starts only for what the cache does not have.</summary>
    /// <param name="kernel">A static method that ILGPU accepts as an explicitly grouped kernel.</param>
    /// <param name="threads">Threads of its groups, so that ptxas knows how many registers it may use; 0 where they vary.</param>
    /// <param name="groups">Groups that shall be resident on a multiprocessor.</param>
    public string Compile(MethodInfo kernel, int threads = 0, int groups = 1)
    {
        string key = PtxCache.Key(kernel, string.Create(CultureInfo.InvariantCulture, $"{Target}|{threads}|{groups}"), Level);
        if (_cache is not null && _cache.TryRead(key, out string cached))
        {
            return cached;
        }
        if (_backend is null)
        {
            _context = Context.Create(b => b.Optimize(Level).EnableAlgorithms());
            // The architecture that ILGPU is told only clamps what it may use; it emits sm_80 for all that are newer.
            _backend = new PTXBackend(_context, CudaArchitecture.SM_90, CudaInstructionSet.ISA_80, null!);
        }
        var compiled = (PTXCompiledKernel)_backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), default);
        string ptx = PtxPatch.Apply(compiled.PTXAssembly, Target, threads, groups);
        _cache?.TryWrite(key, ptx);
        return ptx;
    }

    /// <summary>A kernel of <see cref="CudaKernelTable"/>.</summary>
    public string Compile(CudaKernelSource kernel) => Compile(kernel.Method, kernel.Threads, kernel.GroupsPlanned);

    /// <inheritdoc/>
    public void Dispose()
    {
        _backend?.Dispose();
        _context?.Dispose();
    }
}

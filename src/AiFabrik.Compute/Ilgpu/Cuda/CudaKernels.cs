using System.Runtime.InteropServices;
using System.Text;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Ilgpu.Kernels;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>Enqueues one kernel; parameters point at the values, in the kernel's order.</summary>
internal unsafe delegate CudaStatus CudaLauncher(CudaKernelId kernel, LaunchShape shape, nint stream, void** parameters);

/// <summary>Integers on the device, as a kernel takes an <c>ArrayView</c> of them.</summary>
/// <param name="Address">A device address.</param>
/// <param name="Count">How many.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct DeviceInts(ulong Address, long Count);

/// <summary>
/// The kernels of this folder, loaded in one context, with a typed launch for each. Addresses are device addresses (ILGPU's
/// <c>MemoryBuffer.NativePtr</c>, plus an offset in bytes); 0 for a bias that is not there. Shapes and alignments stand at each kernel.
/// </summary>
/// <remarks>Load and launch with the accelerator bound to the thread. A launch only enqueues, may be captured, and allocates nothing.</remarks>
internal sealed unsafe class CudaKernels : IDisposable
{
    private readonly CudaModuleHandle[] _modules;
    private readonly nint[] _functions;

    private readonly CudaLauncher _launch;

    private CudaKernels(CudaModuleHandle[] modules, nint[] functions) => (_modules, _functions, _launch) = (modules, functions, LaunchByDriver);

    /// <summary>Kernels that something else than the driver executes: the PTX machine in tests.</summary>
    public CudaKernels(CudaLauncher launch) => (_modules, _functions, _launch) = ([], [], launch);

    /// <summary>Compiles (or reads from the cache) and loads all kernels: the driver's own compilation happens here, before readiness.</summary>
    /// <param name="compiler">Where the PTX comes from.</param>
    /// <param name="progress">Called with the number of kernels loaded and of all.</param>
    /// <param name="kernels">The loaded kernels, or null.</param>
    public static CudaStatus TryLoad(PtxCompiler compiler, Action<int, int>? progress, out CudaKernels? kernels)
    {
        kernels = null;
        if (!CudaDriver.TryOpen(out CudaStatus status))
        {
            return status;
        }
        IReadOnlyList<CudaKernelSource> sources = CudaKernelTable.All;
        var modules = new CudaModuleHandle[sources.Count];
        nint[] functions = new nint[sources.Count];
        for (int i = 0; i < modules.Length; i++)
        {
            status = Load(compiler.Compile(sources[i]), out modules[i], out functions[i]);
            if (status != CudaStatus.Success)
            {
                foreach (CudaModuleHandle? module in modules)
                {
                    module?.Dispose();
                }
                return status;
            }
            progress?.Invoke(i + 1, modules.Length);
        }
        kernels = new CudaKernels(modules, functions);
        return CudaStatus.Success;
    }

    /// <summary>Loads the only kernel of a patched text.</summary>
    internal static CudaStatus Load(string ptx, out CudaModuleHandle module, out nint function)
    {
        byte[] text = new byte[ptx.Length + 1];
        Encoding.ASCII.GetBytes(ptx, text);
        function = 0;
        fixed (byte* image = text)
        {
            CudaStatus status = CudaDriver.ModuleLoadData(out nint handle, image, 0, null, null);
            module = new CudaModuleHandle(handle);
            return status != CudaStatus.Success ? status : CudaDriver.ModuleGetFunction(out function, handle, PtxPatch.EntryName);
        }
    }

    /// <summary>The driver's handle of a kernel's function.</summary>
    public nint Function(CudaKernelId id) => _functions[(int)id];

    /// <summary><see cref="GemmBf16Kernel"/>: any number of tokens; meant for more than 64.</summary>
    public CudaStatus GemmBf16(nint stream, ulong output, ulong activations, ulong weights, ulong bias, int tokens, int rows, int cols, int outputStride, int activationStride, int weightStride, bool accumulate)
    {
        int add = accumulate ? 1 : 0;
        void** p = stackalloc void*[11] { &output, &activations, &weights, &bias, &tokens, &rows, &cols, &outputStride, &activationStride, &weightStride, &add };
        return Launch(CudaKernelId.GemmBf16, GemmBf16Kernel.Launch(tokens, rows), stream, p);
    }

    /// <summary><see cref="GemmQ8Kernel"/>: any number of tokens; meant for more than 64.</summary>
    public CudaStatus GemmQ8(nint stream, ulong output, ulong activations, ulong quants, ulong scales, ulong bias, int tokens, int rows, int cols, int outputStride, int activationStride, bool accumulate)
    {
        int add = accumulate ? 1 : 0;
        void** p = stackalloc void*[11] { &output, &activations, &quants, &scales, &bias, &tokens, &rows, &cols, &outputStride, &activationStride, &add };
        return Launch(CudaKernelId.GemmQ8, GemmQ8Kernel.Launch(tokens, rows), stream, p);
    }

    /// <summary><see cref="GemmQ4Kernel"/>: q4_0, or q4_1 with <paramref name="hasMinimum"/>.</summary>
    public CudaStatus GemmQ4(nint stream, ulong output, ulong activations, ulong quants, ulong scales, ulong bias, int tokens, int rows, int cols, int outputStride, int activationStride, bool accumulate, bool hasMinimum)
    {
        int add = accumulate ? 1 : 0, minimum = hasMinimum ? 1 : 0;
        void** p = stackalloc void*[12] { &output, &activations, &quants, &scales, &bias, &tokens, &rows, &cols, &outputStride, &activationStride, &add, &minimum };
        return Launch(CudaKernelId.GemmQ4, GemmQ4Kernel.Launch(tokens, rows), stream, p);
    }

    /// <summary><see cref="GemmNarrowBf16Kernel"/>: few tokens, or few tiles with splits over K (<see cref="SplitPlan"/>).</summary>
    public CudaStatus GemmNarrowBf16(nint stream, ulong output, ulong activations, ulong weights, ulong bias, int tokens, int rows, int cols, int outputStride, int activationStride, int weightStride, SplitPlan split, long partStride, bool accumulate)
    {
        int add = accumulate ? 1 : 0, splitCols = split.Cols;
        void** p = stackalloc void*[13] { &output, &activations, &weights, &bias, &tokens, &rows, &cols, &outputStride, &activationStride, &weightStride, &splitCols, &partStride, &add };
        return Launch(CudaKernelId.GemmNarrowBf16, GemmNarrowBf16Kernel.Launch(tokens, rows, split.Count), stream, p);
    }

    /// <summary><see cref="GemmNarrowQ8Kernel"/>.</summary>
    public CudaStatus GemmNarrowQ8(nint stream, ulong output, ulong activations, ulong quants, ulong scales, ulong bias, int tokens, int rows, int cols, int outputStride, int activationStride, SplitPlan split, long partStride, bool accumulate)
    {
        int add = accumulate ? 1 : 0, splitCols = split.Cols;
        void** p = stackalloc void*[13] { &output, &activations, &quants, &scales, &bias, &tokens, &rows, &cols, &outputStride, &activationStride, &splitCols, &partStride, &add };
        return Launch(CudaKernelId.GemmNarrowQ8, GemmNarrowQ8Kernel.Launch(tokens, rows, split.Count), stream, p);
    }

    /// <summary><see cref="GemmNarrowQ4Kernel"/>: q4_0, or q4_1 with <paramref name="hasMinimum"/>.</summary>
    public CudaStatus GemmNarrowQ4(nint stream, ulong output, ulong activations, ulong quants, ulong scales, ulong bias, int tokens, int rows, int cols, int outputStride, int activationStride, SplitPlan split, long partStride, bool accumulate, bool hasMinimum)
    {
        int add = accumulate ? 1 : 0, minimum = hasMinimum ? 1 : 0, splitCols = split.Cols;
        void** p = stackalloc void*[14] { &output, &activations, &quants, &scales, &bias, &tokens, &rows, &cols, &outputStride, &activationStride, &splitCols, &partStride, &add, &minimum };
        return Launch(CudaKernelId.GemmNarrowQ4, GemmNarrowQ4Kernel.Launch(tokens, rows, split.Count), stream, p);
    }

    /// <summary><see cref="GemvBf16Kernel"/>: one token, x in fp32.</summary>
    public CudaStatus GemvBf16(nint stream, ulong output, ulong x, ulong weights, ulong bias, int rows, int cols, int weightStride, SplitPlan split, long partStride, bool accumulate)
    {
        int add = accumulate ? 1 : 0, splitCols = split.Cols;
        void** p = stackalloc void*[10] { &output, &x, &weights, &bias, &rows, &cols, &weightStride, &splitCols, &partStride, &add };
        return Launch(CudaKernelId.GemvBf16, GemvBf16Kernel.Launch(rows, split.Count), stream, p);
    }

    /// <summary><see cref="GemvQ8Kernel"/>: one token, x in fp32.</summary>
    public CudaStatus GemvQ8(nint stream, ulong output, ulong x, ulong quants, ulong scales, ulong bias, int rows, int cols, SplitPlan split, long partStride, bool accumulate)
    {
        int add = accumulate ? 1 : 0, splitCols = split.Cols;
        void** p = stackalloc void*[10] { &output, &x, &quants, &scales, &bias, &rows, &cols, &splitCols, &partStride, &add };
        return Launch(CudaKernelId.GemvQ8, GemvQ8Kernel.Launch(rows, split.Count), stream, p);
    }

    /// <summary><see cref="GemvQ4Kernel"/>: one token, x in fp32; q4_0, or q4_1 with <paramref name="hasMinimum"/>.</summary>
    public CudaStatus GemvQ4(nint stream, ulong output, ulong x, ulong quants, ulong scales, ulong bias, int rows, int cols, SplitPlan split, long partStride, bool accumulate, bool hasMinimum)
    {
        int add = accumulate ? 1 : 0, minimum = hasMinimum ? 1 : 0, splitCols = split.Cols;
        void** p = stackalloc void*[11] { &output, &x, &quants, &scales, &bias, &rows, &cols, &splitCols, &partStride, &add, &minimum };
        return Launch(CudaKernelId.GemvQ4, GemvQ4Kernel.Launch(rows, split.Count), stream, p);
    }

    /// <summary><see cref="SplitSumKernel"/>: after any product with more than one split.</summary>
    public CudaStatus SplitSum(nint stream, ulong output, ulong parts, ulong bias, int splits, int tokens, int rows, int outputStride, long partStride, bool accumulate)
    {
        int add = accumulate ? 1 : 0;
        void** p = stackalloc void*[8] { &output, &parts, &bias, &splits, &rows, &outputStride, &partStride, &add };
        return Launch(CudaKernelId.SplitSum, SplitSumKernel.Launch(tokens, rows), stream, p);
    }

    /// <summary><see cref="ToBf16Kernel"/>: activations for the tensor-core products.</summary>
    public CudaStatus ToBf16(nint stream, ulong output, ulong x, int tokens, int cols, int outputStride, int inputStride)
    {
        void** p = stackalloc void*[5] { &output, &x, &cols, &outputStride, &inputStride };
        return Launch(CudaKernelId.ToBf16, ToBf16Kernel.Launch(tokens, cols), stream, p);
    }

    /// <summary><see cref="MatrixRateKernel"/>: only to be timed.</summary>
    public CudaStatus MatrixRate(nint stream, ulong output, int groups, int rounds)
    {
        void** p = stackalloc void*[2] { &output, &rounds };
        return Launch(CudaKernelId.MatrixRate, MatrixRateKernel.Launch(groups), stream, p);
    }

    /// <summary><see cref="AttentionTensor"/>: <paramref name="tileCount"/> tiles of <see cref="AttentionTensor.TileTokens"/> for the shape's heads; sinks 0 for none.</summary>
    public CudaStatus AttentionTensor(nint stream, ulong output, ulong qkv, ulong cache, DeviceInts tiles, DeviceInts positions, DeviceInts sequences, DeviceInts tables, ulong sinks, AttentionShape shape, int tileCount)
    {
        int shift = Kernels.AttentionTensor.HeadsShift(shape.NHeads, shape.NKvHeads);
        (float scale, float cap) = Kernels.AttentionTensor.Scales(shape.Scale, shape.Softcap);
        void** p = stackalloc void*[12] { &output, &qkv, &cache, &tiles, &positions, &sequences, &tables, &sinks, &shape, &shift, &scale, &cap };
        return Launch(Kernels.AttentionTensor.KernelFor(shape.HeadDim, shape.BlockSize), Kernels.AttentionTensor.Launch(shape, tileCount), stream, p);
    }

    /// <summary>
    /// <see cref="AttentionDecode"/>: the rows of a list, split as the shape says; with more than one split <see cref="AttentionCombineKernel"/> comes after it. Sinks 0 for none.
    /// </summary>
    public CudaStatus AttentionDecode(nint stream, ulong output, ulong partials, ulong qkv, ulong cache, DeviceInts list, DeviceInts positions, DeviceInts sequences, DeviceInts tables, ulong sinks, AttentionShape shape)
    {
        int ratio = shape.NHeads / shape.NKvHeads, shift = Kernels.AttentionDecode.BlocksShift(shape.NHeads, shape.NKvHeads);
        (float scale, float cap) = Kernels.AttentionTensor.Scales(shape.Scale, shape.Softcap);
        void** p = stackalloc void*[14] { &output, &partials, &qkv, &cache, &list, &positions, &sequences, &tables, &sinks, &shape, &ratio, &shift, &scale, &cap };
        return Launch(Kernels.AttentionDecode.KernelFor(shape.HeadDim, shape.BlockSize), Kernels.AttentionDecode.Launch(shape), stream, p);
    }

    private CudaStatus Launch(CudaKernelId id, LaunchShape shape, nint stream, void** parameters) => _launch(id, shape, stream, parameters);

    private CudaStatus LaunchByDriver(CudaKernelId id, LaunchShape shape, nint stream, void** parameters) =>
        CudaDriver.LaunchKernel(_functions[(int)id], (uint)shape.GridX, (uint)shape.GridY, (uint)shape.GridZ, (uint)shape.Threads, 1, 1, 0, stream, parameters, null);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CudaModuleHandle module in _modules)
        {
            module.Dispose();
        }
    }
}

using AiFabrik.Compute.Ilgpu.Weights;
using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>
/// The executor's products on the tensor cores: its matrices and buffers as addresses for <see cref="CudaMatMul"/>. Quants and scales lie as
/// <see cref="PackedLayout"/> packs them, which is what the kernels read: rows padded with zeros to whole units, planes aligned to 256 bytes.
/// </summary>
internal sealed class TensorProducts
{
    private readonly CudaMatMul _products;
    private readonly CudaStream _stream;
    private readonly Dictionary<MatMulPart, CudaMatrix> _matrices = [];

    /// <param name="scratch"><see cref="ScratchBytes"/> of the activations.</param>
    public TensorProducts(CudaKernels kernels, CudaStream stream, int multiprocessors, TransformerProgram program, StepLimits limits, DeviceWeights weights, ArrayView<byte> scratch)
    {
        var (rows, cols) = Largest(program, limits);
        _stream = stream;
        _products = new CudaMatMul(kernels, multiprocessors, Address(scratch), rows, cols);
        for (var i = 0; i < program.Ops.Count; i++)
        {
            if (program.Ops[i].Kind != OpKind.MatMul) continue;
            foreach (var part in weights.PartsOf(i)) if (Serves(part)) _matrices[part] = Matrix(part);
        }
    }

    /// <summary>Whether a product of the program can be served.</summary>
    public static bool Serves(TransformerProgram program)
    {
        foreach (var op in program.Ops)
        {
            if (op.Kind != OpKind.MatMul) continue;
            foreach (var weight in (ReadOnlySpan<int>)[op.W0, op.W1, op.W2]) if (weight >= 0 && CudaMatMul.Supports(program.Weights[weight].Type)) return true;
        }
        return false;
    }

    /// <summary>Whether the part's weights have kernels here.</summary>
    public static bool Serves(MatMulPart part) => CudaMatMul.Supports(part.Matrix.Type);

    /// <summary>Bytes of scratch that the program needs.</summary>
    public static long ScratchBytes(TransformerProgram program, StepLimits limits, int multiprocessors)
    {
        var (rows, cols) = Largest(program, limits);
        return CudaMatMul.ScratchBytes(multiprocessors, rows, cols);
    }

    /// <summary>Names the input of the parts that follow: float32 [rows, cols], <paramref name="stride"/> floats from row to row.</summary>
    public void Begin(ArrayView<float> x, int stride, int rows, int cols) => Check(_products.Begin(_stream.StreamPtr, Address(x), stride, rows, cols));

    /// <summary>Queues a part's product; y float32, <paramref name="yStride"/> floats from row to row.</summary>
    public void Multiply(MatMulPart part, ArrayView<float> y, int yStride, bool accumulate) =>
        Check(_products.Run(_stream.StreamPtr, _matrices[part], Address(y) + (ulong)part.YOffset * sizeof(float), yStride, accumulate));

    private static CudaMatrix Matrix(MatMulPart part)
    {
        var matrix = part.Matrix;
        return new CudaMatrix(matrix.Type, Address(matrix.Quants), Address(matrix.Scales), part.Bias is { } bias ? Address(bias.View) : 0, matrix.Rows, matrix.Cols);
    }

    private static ulong Address<T>(ArrayView<T> view) where T : unmanaged => (ulong)view.LoadEffectiveAddressAsPtr();

    private static (int Rows, int Cols) Largest(TransformerProgram program, StepLimits limits)
    {
        var (rows, cols) = (1, 1);
        foreach (var op in program.Ops)
        {
            if (op.Kind != OpKind.MatMul) continue;
            rows = Math.Max(rows, DeviceActivations.MaxRows(program.Buffers[op.Input].Rows, program, limits));
            cols = Math.Max(cols, program.Buffers[op.Input].Cols);
        }
        return (rows, cols);
    }

    private static void Check(CudaStatus status)
    {
        if (status != CudaStatus.Success) throw new IlgpuException(CudaDriver.Describe(status));
    }
}

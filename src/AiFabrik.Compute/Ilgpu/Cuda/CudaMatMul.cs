using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>A matrix on the device, as the executor packs it.</summary>
/// <param name="Type">BF16, Q8_0, Q4_0 or Q4_1.</param>
/// <param name="Quants">
/// Address of the quants, rows after one another, each padded to whole units of 32: bf16 values; signed bytes; nibbles, the first value in the lowest bits.
/// </param>
/// <param name="Scales">Address of the scales of each unit, as stored: fp16 d, for Q4_1 d and m; 0 for BF16.</param>
/// <param name="Bias">Address of fp32 [Rows], or 0.</param>
internal readonly record struct CudaMatrix(WeightType Type, ulong Quants, ulong Scales, ulong Bias, int Rows, int Cols);

/// <summary>
/// y[t, r] (+)= Σ_k W[r, k]·x[t, k] + bias[r] on a CUDA device: which kernel, how many splits, and the scratch between them.
/// </summary>
/// <remarks>
/// One token: a matrix-vector kernel on fp32 activations. More: activations are rounded to bf16 once (<see cref="Begin"/>) for all products of one input, and
/// the tensor cores multiply. Nothing is allocated after construction; all launches can be captured. Not for several threads.
/// </remarks>
internal sealed class CudaMatMul
{
    /// <summary>Tokens from which the wide tile is used, if there are enough of its tiles.</summary>
    public const int WideTokensMin = 65;

    /// <summary>Groups for each multiprocessor that splits over K aim at.</summary>
    public const int GroupsWanted = 4;

    private const int Alignment = 256;

    private readonly CudaKernels _kernels;
    private readonly int _multiprocessors;
    private readonly ulong _activations, _parts;
    private ulong _x;
    private int _xStride, _tokens, _tokensPlanned, _bf16Stride;

    /// <param name="kernels">Loaded in the context that addresses belong to.</param>
    /// <param name="multiprocessors">Of the device.</param>
    /// <param name="scratch">
    /// <see cref="ScratchBytes"/> of device memory, aligned to 256. It holds activations: its owner clears it with the rest.
    /// </param>
    /// <param name="maxTokens">Tokens of a step at most.</param>
    /// <param name="maxCols">Columns of any matrix at most.</param>
    public CudaMatMul(CudaKernels kernels, int multiprocessors, ulong scratch, int maxTokens, int maxCols)
    {
        (_kernels, _multiprocessors, _activations) = (kernels, multiprocessors, scratch);
        _parts = scratch + (ulong)ActivationBytes(maxTokens, maxCols);
    }

    /// <summary>Whether products with this type have kernels here; the portable ones serve the others.</summary>
    public static bool Supports(WeightType type) => type is WeightType.BF16 or WeightType.Q8_0 or WeightType.Q4_0 or WeightType.Q4_1;

    /// <summary>Bytes of scratch: activations in bf16, and the parts of split products, of which there are never more than groups wanted.</summary>
    public static long ScratchBytes(int multiprocessors, int maxTokens, int maxCols) =>
        ActivationBytes(maxTokens, maxCols) + (long)multiprocessors * GroupsWanted * GemmNarrowBf16Kernel.TileTokens * GemmNarrowBf16Kernel.TileRows * sizeof(float);

    private static long ActivationBytes(int maxTokens, int maxCols) => ((long)maxTokens * Padded(maxCols) * 2 + Alignment - 1) / Alignment * Alignment;

    private static int Padded(int cols) => (cols + 31) / 32 * 32;

    /// <summary>Names the input of the products that follow, fp32 [tokens, cols] with a row stride in floats that is a multiple of 4.</summary>
    public CudaStatus Begin(nint stream, ulong x, int xStride, int tokens, int cols)
    {
        (_x, _xStride, _tokens, _bf16Stride) = (x, xStride, tokens, Padded(cols));
        // Kernels and splits follow the bucket of batch sizes, so that rows come out the same whether a step is padded to its bucket or not.
        int bucket = CudaGraph.BucketOf(tokens);
        _tokensPlanned = bucket < 0 ? tokens : CudaGraph.BucketSize(bucket);
        return tokens == 1 ? CudaStatus.Success : _kernels.ToBf16(stream, _activations, x, tokens, cols, _bf16Stride, xStride);
    }

    /// <summary>Multiplies the input that <see cref="Begin"/> named; y fp32 with a row stride in floats.</summary>
    public CudaStatus Run(nint stream, in CudaMatrix w, ulong y, int yStride, bool accumulate)
    {
        if (_tokens == 1)
        {
            return Vector(stream, w, y, accumulate);
        }
        int wideTiles = LaunchShape.Tiles(_tokensPlanned, GemmBf16Kernel.TileTokens) * LaunchShape.Tiles(w.Rows, GemmBf16Kernel.TileRows);
        return _tokens >= WideTokensMin && wideTiles >= _multiprocessors ? Wide(stream, w, y, yStride, accumulate) : Narrow(stream, w, y, yStride, accumulate);
    }

    /// <summary>The splits of a matrix-vector product on a device.</summary>
    public static SplitPlan PlanVector(WeightType type, int rows, int cols, int multiprocessors)
    {
        (int perWarp, int unit) = type switch
        {
            WeightType.BF16 => (GemvBf16Kernel.RowsPerWarp, GemvBf16Kernel.SplitUnit),
            WeightType.Q8_0 => (GemvQ8Kernel.RowsPerWarp, GemvQ8Kernel.SplitUnit),
            _ => (GemvQ4Kernel.RowsPerWarp, GemvQ4Kernel.SplitUnit),
        };
        return SplitPlan.For(cols, unit, LaunchShape.Tiles(rows, perWarp * GemvRows.Warps), multiprocessors, GroupsWanted);
    }

    /// <summary>The splits of a product of few tokens on a device.</summary>
    public static SplitPlan PlanNarrow(int tokens, int rows, int cols, int multiprocessors) =>
        SplitPlan.For(cols, TensorTile.StageCols, LaunchShape.Tiles(tokens, GemmNarrowBf16Kernel.TileTokens) * LaunchShape.Tiles(rows, GemmNarrowBf16Kernel.TileRows), multiprocessors, GroupsWanted);

    private CudaStatus Vector(nint stream, in CudaMatrix w, ulong y, bool accumulate)
    {
        SplitPlan split = PlanVector(w.Type, w.Rows, w.Cols, _multiprocessors);
        bool whole = split.Count == 1;
        (ulong target, ulong bias, bool add) = whole ? (y, w.Bias, accumulate) : (_parts, 0, false);
        CudaStatus status = w.Type switch
        {
            WeightType.BF16 => _kernels.GemvBf16(stream, target, _x, w.Quants, bias, w.Rows, w.Cols, Padded(w.Cols), split, w.Rows, add),
            WeightType.Q8_0 => _kernels.GemvQ8(stream, target, _x, w.Quants, w.Scales, bias, w.Rows, w.Cols, split, w.Rows, add),
            _ => _kernels.GemvQ4(stream, target, _x, w.Quants, w.Scales, bias, w.Rows, w.Cols, split, w.Rows, add, w.Type == WeightType.Q4_1),
        };
        return whole || status != CudaStatus.Success ? status : _kernels.SplitSum(stream, y, _parts, w.Bias, split.Count, 1, w.Rows, w.Rows, w.Rows, accumulate);
    }

    private CudaStatus Narrow(nint stream, in CudaMatrix w, ulong y, int yStride, bool accumulate)
    {
        SplitPlan split = PlanNarrow(_tokensPlanned, w.Rows, w.Cols, _multiprocessors);
        bool whole = split.Count == 1;
        long part = (long)_tokens * w.Rows;
        (ulong target, int stride, ulong bias, bool add) = whole ? (y, yStride, w.Bias, accumulate) : (_parts, w.Rows, 0, false);
        CudaStatus status = w.Type switch
        {
            WeightType.BF16 => _kernels.GemmNarrowBf16(stream, target, _activations, w.Quants, bias, _tokens, w.Rows, w.Cols, stride, _bf16Stride, Padded(w.Cols), split, part, add),
            WeightType.Q8_0 => _kernels.GemmNarrowQ8(stream, target, _activations, w.Quants, w.Scales, bias, _tokens, w.Rows, w.Cols, stride, _bf16Stride, split, part, add),
            _ => _kernels.GemmNarrowQ4(stream, target, _activations, w.Quants, w.Scales, bias, _tokens, w.Rows, w.Cols, stride, _bf16Stride, split, part, add, w.Type == WeightType.Q4_1),
        };
        return whole || status != CudaStatus.Success ? status : _kernels.SplitSum(stream, y, _parts, w.Bias, split.Count, _tokens, w.Rows, yStride, part, accumulate);
    }

    private CudaStatus Wide(nint stream, in CudaMatrix w, ulong y, int yStride, bool accumulate) => w.Type switch
    {
        WeightType.BF16 => _kernels.GemmBf16(stream, y, _activations, w.Quants, w.Bias, _tokens, w.Rows, w.Cols, yStride, _bf16Stride, Padded(w.Cols), accumulate),
        WeightType.Q8_0 => _kernels.GemmQ8(stream, y, _activations, w.Quants, w.Scales, w.Bias, _tokens, w.Rows, w.Cols, yStride, _bf16Stride, accumulate),
        _ => _kernels.GemmQ4(stream, y, _activations, w.Quants, w.Scales, w.Bias, _tokens, w.Rows, w.Cols, yStride, _bf16Stride, accumulate, w.Type == WeightType.Q4_1),
    };
}

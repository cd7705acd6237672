using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference.Dequantization;

namespace AiFabrik.Compute.Reference;

/// <summary>
/// The program's weights as float32 rows: F32 matrices where they lie, others as copies made at creation as long as the limit
/// allows, the rest dequantised when asked for.
/// </summary>
internal sealed unsafe class ReferenceWeights : IDisposable
{
    private readonly IReadOnlyList<WeightTensor> _tensors;
    private readonly float*[] _copies;

    public ReferenceWeights(IReadOnlyList<WeightTensor> tensors, Workers workers, long maxDequantizedBytes)
    {
        _tensors = tensors;
        _copies = new float*[tensors.Count];
        for (var i = 0; i < tensors.Count; i++)
        {
            var tensor = tensors[i];
            MaxCols = Math.Max(MaxCols, tensor.Cols);
            if (IsDirect(tensor)) continue;
            var bytes = (long)tensor.Experts * tensor.Rows * tensor.Cols * sizeof(float);
            if (bytes > maxDequantizedBytes) { NeedsScratch = true; continue; }
            maxDequantizedBytes -= bytes;
            _copies[i] = Copy(tensor, workers, bytes);
        }
    }

    ~ReferenceWeights() => Dispose();

    public int MaxCols { get; }

    /// <summary>Some matrix is dequantised at use, so <see cref="Rows"/> needs scratch.</summary>
    public bool NeedsScratch { get; }

    public WeightTensor this[int index] => _tensors[index];

    /// <summary>Rows [first, first + count) of an expert's matrix as float32, each <paramref name="stride"/> floats after the one before.</summary>
    /// <param name="scratch">[count, Cols], overwritten where there is no copy.</param>
    public float* Rows(int index, int expert, int first, int count, float* scratch, out nint stride)
    {
        var tensor = _tensors[index];
        stride = tensor.Cols;
        if (_copies[index] != null) return _copies[index] + ((nint)expert * tensor.Rows + first) * stride;
        if (IsDirect(tensor))
        {
            stride = (nint)(tensor.RowStrideBytes / sizeof(float));
            return (float*)((byte*)tensor.Data + expert * tensor.ExpertStrideBytes + first * tensor.RowStrideBytes);
        }
        for (var r = 0; r < count; r++) Dequantizer.Row(tensor, expert, first + r, new Span<float>(scratch + r * stride, tensor.Cols));
        return scratch;
    }

    /// <summary>A row of a bias, norm or sink tensor, or null for index −1. Such tensors are F32.</summary>
    public float* Vector(int index, int expert = 0)
    {
        if (index < 0) return null;
        var tensor = _tensors[index];
        if (!IsDirect(tensor)) throw new ArgumentException($"Tensor '{tensor.Name}' is of type {tensor.Type}, but biases, norms and sinks must be F32.");
        return (float*)((byte*)tensor.Data + expert * (tensor.Experts > 1 ? tensor.ExpertStrideBytes : tensor.RowStrideBytes));
    }

    public void Dispose()
    {
        for (var i = 0; i < _copies.Length; i++)
        {
            NativeMemory.Free(_copies[i]);
            _copies[i] = null;
        }
        GC.SuppressFinalize(this);
    }

    private static bool IsDirect(WeightTensor tensor) =>
        tensor.Type == WeightType.F32 && tensor.RowStrideBytes % sizeof(float) == 0 && tensor.ExpertStrideBytes % sizeof(float) == 0;

    private static float* Copy(WeightTensor tensor, Workers workers, long bytes)
    {
        var copy = (float*)NativeMemory.Alloc((nuint)bytes);
        for (var expert = 0; expert < tensor.Experts; expert++)
        {
            var e = expert;
            var to = copy + (nint)e * tensor.Rows * tensor.Cols;
            const int rowsPerPiece = 64;
            workers.For((tensor.Rows + rowsPerPiece - 1) / rowsPerPiece, (_, piece) =>
            {
                for (var r = piece * rowsPerPiece; r < Math.Min(tensor.Rows, (piece + 1) * rowsPerPiece); r++)
                    Dequantizer.Row(tensor, e, r, new Span<float>(to + (nint)r * tensor.Cols, tensor.Cols));
            });
        }
        return copy;
    }
}

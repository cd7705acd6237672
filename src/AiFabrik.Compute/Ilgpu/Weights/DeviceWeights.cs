using System.Runtime.InteropServices;
using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;
using ILGPU.Runtime;

namespace AiFabrik.Compute.Ilgpu.Weights;

/// <summary>
/// The program's weights on the device. Matrices that one product reads side by side (q, k, v; gate, up) are stacked where their types
/// agree, so that they take one launch. A matrix that several operations use (tied embeddings) lies there once.
/// </summary>
internal sealed unsafe class DeviceWeights : IDisposable
{
    /// <summary>Bytes of quants that are packed and copied at a time.</summary>
    private const int ChunkBytes = 8 << 20;

    private readonly List<DeviceMatrix> _matrices = [];
    private readonly List<DeviceVector> _vectors = [];
    private readonly Dictionary<string, DeviceMatrix> _matrixOf = [];
    private readonly Dictionary<nint, DeviceVector> _vectorOf = [];
    private readonly MatMulPart[][] _parts;
    private readonly DeviceVector?[] _norms0, _norms1, _sinks;
    private DeviceArena? _arena;

    /// <summary>Plans what lies where; nothing is allocated yet.</summary>
    public DeviceWeights(TransformerProgram program)
    {
        var count = program.Ops.Count;
        _parts = new MatMulPart[count][];
        (_norms0, _norms1, _sinks) = (new DeviceVector?[count], new DeviceVector?[count], new DeviceVector?[count]);
        for (var i = 0; i < count; i++)
        {
            var op = program.Ops[i];
            _norms0[i] = Vector(program, op.Norm0);
            _norms1[i] = Vector(program, op.Norm1);
            if (op.Kind == OpKind.Attention) _sinks[i] = Vector(program, op.W0);
            _parts[i] = op.Kind is OpKind.Attention or OpKind.RopeStoreKv ? [] : Parts(program, op);
        }
        foreach (var matrix in _matrices)
        {
            matrix.QuantsOffset = Take(PackedLayout.QuantBytes(matrix.Type, matrix.TotalUnits));
            matrix.ScalesOffset = Take(PackedLayout.ScaleBytes(matrix.Type, matrix.TotalUnits));
        }
        foreach (var vector in _vectors) vector.Offset = Take(vector.Values.LongLength * sizeof(float));
    }

    /// <summary>Bytes of the arena.</summary>
    public long Bytes { get; private set; }

    public IEnumerable<WeightType> Types => _matrices.Select(matrix => matrix.Type).Distinct();

    /// <summary>The launches of a product, or the matrices of another operation in the order W0, W1.</summary>
    public MatMulPart[] PartsOf(int op) => _parts[op];

    public DeviceVector? Norm0(int op) => _norms0[op];

    public DeviceVector? Norm1(int op) => _norms1[op];

    public DeviceVector? Sinks(int op) => _sinks[op];

    /// <summary>Allocates the arena, packs and copies.</summary>
    public void Load(IlgpuDevice device, AcceleratorStream stream, IProgress<double>? progress)
    {
        _arena = new DeviceArena(device, stream, Bytes);
        long done = 0, all = Math.Max(_matrices.Sum(matrix => matrix.TotalUnits), 1);
        foreach (var matrix in _matrices)
        {
            matrix.Quants = _arena.View<Quad>(matrix.QuantsOffset, PackedLayout.QuantBytes(matrix.Type, matrix.TotalUnits) / PackedLayout.QuadBytes);
            matrix.Scales = _arena.View<uint>(matrix.ScalesOffset, PackedLayout.ScaleBytes(matrix.Type, matrix.TotalUnits) / sizeof(uint));
            Copy(matrix);
            done += matrix.TotalUnits;
            progress?.Report((double)done / all);
        }
        foreach (var vector in _vectors)
        {
            vector.View = _arena.View<float>(vector.Offset, vector.Values.Length);
            fixed (float* from = vector.Values)
            {
                _arena.Write(vector.Offset, (nint)from, vector.Values.LongLength * sizeof(float));
                stream.Synchronize();
            }
        }
    }

    public void Dispose() => _arena?.Dispose();

    private MatMulPart[] Parts(TransformerProgram program, in Op op)
    {
        var parts = new List<MatMulPart>();
        int[] weights = [op.W0, op.W1, op.W2], biases = [op.B0, op.B1, op.B2];
        var isMixture = op.Kind is OpKind.MoeGateUp or OpKind.MoeDown;
        var offset = 0;
        for (var i = 0; i < 3;)
        {
            if (weights[i] < 0) { i++; continue; }
            var end = i + 1;
            while (!isMixture && end < 3 && weights[end] >= 0 && program.Weights[weights[end]].Type == program.Weights[weights[i]].Type) end++;
            var matrix = Matrix([.. weights[i..end].Select(weight => program.Weights[weight])]);
            parts.Add(new MatMulPart(matrix, offset, Bias(program, weights[i..end], biases[i..end])));
            offset += matrix.Rows;
            i = end;
        }
        return [.. parts];
    }

    private DeviceMatrix Matrix(WeightTensor[] tensors)
    {
        var key = string.Join('|', tensors.Select(t => FormattableString.Invariant($"{t.Data},{t.Type},{t.Rows},{t.Cols},{t.RowStrideBytes},{t.Experts},{t.ExpertStrideBytes}")));
        if (_matrixOf.TryGetValue(key, out var matrix)) return matrix;
        matrix = new DeviceMatrix(tensors);
        if (PackedLayout.QuantBytes(matrix.Type, matrix.TotalUnits) / PackedLayout.QuadBytes > int.MaxValue)
            throw new IlgpuException($"The matrix '{tensors[0].Name}' is too large for 32-bit indices on the device.");
        _matrixOf[key] = matrix;
        _matrices.Add(matrix);
        return matrix;
    }

    private DeviceVector? Vector(TransformerProgram program, int weight)
    {
        if (weight < 0) return null;
        var tensor = program.Weights[weight];
        if (_vectorOf.TryGetValue(tensor.Data, out var vector) && vector.Values.Length == tensor.Cols) return vector;
        vector = new DeviceVector(Floats(tensor, 0));
        _vectorOf[tensor.Data] = vector;
        _vectors.Add(vector);
        return vector;
    }

    /// <summary>The biases of stacked matrices one after another, zero where one has none; null where none has any.</summary>
    private DeviceVector? Bias(TransformerProgram program, int[] weights, int[] biases)
    {
        if (Array.TrueForAll(biases, bias => bias < 0)) return null;
        var values = new List<float>();
        for (var i = 0; i < weights.Length; i++)
        {
            var weight = program.Weights[weights[i]];
            for (var expert = 0; expert < weight.Experts; expert++)
                values.AddRange(biases[i] < 0 ? new float[weight.Rows] : Floats(program.Weights[biases[i]], expert));
        }
        var vector = new DeviceVector([.. values]);
        _vectors.Add(vector);
        return vector;
    }

    private static float[] Floats(WeightTensor tensor, int expert) =>
        new ReadOnlySpan<float>((byte*)tensor.Data + expert * (tensor.Experts > 1 ? tensor.ExpertStrideBytes : 0), tensor.Cols).ToArray();

    private long Take(long bytes)
    {
        var at = Bytes;
        Bytes += DeviceArena.Align(bytes);
        return at;
    }

    /// <summary>Packs and copies a matrix, as many rows at a time as the chunk holds.</summary>
    private void Copy(DeviceMatrix matrix)
    {
        const int together = PackedLayout.UnitsTogether;
        var rowsAtOnce = Math.Max(ChunkBytes / Math.Max(matrix.Units * PackedLayout.QuantBytes(matrix.Type), 1), 1) * together;
        var total = (long)matrix.Experts * matrix.Rows;
        rowsAtOnce = (int)Math.Min(rowsAtOnce, (total + together - 1) / together * together);
        int quantBytes = checked((int)PackedLayout.QuantBytes(matrix.Type, (long)rowsAtOnce * matrix.Units)), scaleBytes = checked((int)PackedLayout.ScaleBytes(matrix.Type, (long)rowsAtOnce * matrix.Units));
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)(quantBytes + scaleBytes), DeviceArena.Alignment);
        try
        {
            for (long first = 0; first < total; first += rowsAtOnce)
            {
                var rows = (int)Math.Min(rowsAtOnce, total - first);
                new Span<byte>(memory, quantBytes + scaleBytes).Clear();
                Pack(matrix, first, rows, memory, quantBytes, scaleBytes);
                long unit = first * matrix.Units, units = (long)rows * matrix.Units;
                _arena!.Write(matrix.QuantsOffset + PackedLayout.QuantBytes(matrix.Type, unit), (nint)memory, PackedLayout.QuantBytes(matrix.Type, units));
                _arena.Write(matrix.ScalesOffset + PackedLayout.ScaleBytes(matrix.Type, unit), (nint)(memory + quantBytes), PackedLayout.ScaleBytes(matrix.Type, units));
                _arena.Stream.Synchronize();
            }
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    private static void Pack(DeviceMatrix matrix, long first, int rows, byte* memory, int quantBytes, int scaleBytes)
    {
        const int piece = 64;
        Parallel.For(0, (rows + piece - 1) / piece, p =>
        {
            Span<uint> quants = new(memory, quantBytes / sizeof(uint)), scales = new(memory + quantBytes, scaleBytes / sizeof(uint));
            for (var r = p * piece; r < Math.Min(rows, (p + 1) * piece); r++) BlockPacker.Row(matrix.Type, RowOf(matrix, first + r), r * matrix.Units, quants, scales);
        });
    }

    /// <summary>Row of the stack: experts of the one tensor, or the tensors one after another.</summary>
    private static ReadOnlySpan<byte> RowOf(DeviceMatrix matrix, long row)
    {
        var tensor = matrix.Tensors[0];
        if (matrix.Experts > 1) return tensor.RowSpan((int)(row / tensor.Rows), (int)(row % tensor.Rows));
        var index = 0;
        while (row >= matrix.Tensors[index].Rows) row -= matrix.Tensors[index++].Rows;
        return matrix.Tensors[index].RowSpan(0, (int)row);
    }
}

using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Ilgpu.Weights;
using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Runtime;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>
/// The program's buffers on the device, float32 [rows, stride], and scratch. Strides are rounded up to a unit of 32 values; what lies
/// between a row's end and the next row is never written and stays zero, so that products may read whole units.
/// </summary>
internal sealed class DeviceActivations : IDisposable
{
    private readonly TransformerProgram _program;
    private readonly StepLimits _limits;
    private readonly long[] _offsets;
    private readonly long _normed, _wide, _experts, _partials, _argmaxValues, _argmaxIndices, _topValues, _topIndices, _topSums, _scratch;
    private readonly long _scratchBytes, _normedFloats, _wideFloats, _expertFloats, _partialFloats, _argmaxPieces, _topChunks;
    private DeviceArena? _arena;

    /// <summary>Plans the layout; nothing is allocated yet.</summary>
    /// <param name="scratchBytes">Of <see cref="Scratch"/>.</param>
    public DeviceActivations(TransformerProgram program, StepLimits limits, long scratchBytes = 0)
    {
        (_program, _limits, _scratchBytes) = (program, limits, scratchBytes);
        _offsets = new long[program.Buffers.Count];
        Buffers = new ArrayView<float>[_offsets.Length];
        Loads = new ArrayView<Float4>[_offsets.Length];
        for (var i = 0; i < _offsets.Length; i++) _offsets[i] = Take(Floats(i));
        foreach (var op in program.Ops)
        {
            if (op.Kind == OpKind.MatMul && op.Norm0 >= 0) _normedFloats = Math.Max(_normedFloats, Floats(op.Input));
            if ((op.Kind == OpKind.MatMul && op.Activation != Activation.None) || op.Kind == OpKind.MoeGateUp)
                _wideFloats = Math.Max(_wideFloats, (long)MaxRows(program.Buffers[op.Output].Rows) * WideStride(program.Buffers[op.Output].Cols));
            if (op.Kind == OpKind.MoeDown) _expertFloats = Math.Max(_expertFloats, (long)MaxRows(BufferRows.TokenExperts) * Stride(op.Output));
            if (op.Kind == OpKind.Attention) _partialFloats = Math.Max(_partialFloats, AttentionKernel.PartialFloats(limits.MaxTokens, op.NHeads, DeviceKvCache.HeadStride(op.HeadDim)));
        }
        _argmaxPieces = (long)limits.MaxLogitRows * ArgmaxKernel.Pieces(program.VocabSize);
        _normed = Take(_normedFloats);
        _wide = Take(_wideFloats);
        _experts = Take(_expertFloats);
        _partials = Take(_partialFloats);
        _argmaxValues = Take(_argmaxPieces);
        _argmaxIndices = Take(_argmaxPieces);
        _topChunks = (long)limits.MaxLogitRows * TopKKernel.Chunks(program.VocabSize);
        _topValues = Take(_topChunks);
        _topIndices = Take(_topChunks);
        _topSums = Take(_topChunks);
        _scratch = Bytes;
        Bytes += DeviceArena.Align(scratchBytes);
    }

    public long Bytes { get; private set; }

    /// <summary>The program's buffers, as kernels write them and as products read them.</summary>
    public ArrayView<float>[] Buffers { get; }
    public ArrayView<Float4>[] Loads { get; }

    /// <summary>[rows, stride of the input] normalised inputs of fused products.</summary>
    public ArrayView<float> Normed { get; private set; }
    public ArrayView<Float4> NormedLoads { get; private set; }

    /// <summary>[rows, WideStride] gate | up of fused products and of experts.</summary>
    public ArrayView<float> Wide { get; private set; }

    /// <summary>[T·TopK, stride of the output] experts' outputs before they are weighted.</summary>
    public ArrayView<float> Experts { get; private set; }

    /// <summary>What the splits of an attention leave for the second pass.</summary>
    public ArrayView<float> Partials { get; private set; }

    /// <summary>[R, pieces] best values and columns.</summary>
    public ArrayView<float> ArgmaxValues { get; private set; }
    public ArrayView<int> ArgmaxIndices { get; private set; }

    /// <summary>[R, chunks] largest values, their columns, and sums of exponentials.</summary>
    public ArrayView<float> TopValues { get; private set; }
    public ArrayView<int> TopIndices { get; private set; }
    public ArrayView<float> TopSums { get; private set; }

    /// <summary>What products on the tensor cores keep between their kernels.</summary>
    public ArrayView<byte> Scratch { get; private set; }

    /// <summary>The device's bytes, for tests that look for residue.</summary>
    internal DeviceArena Arena => _arena!;

    /// <summary>Floats from one row of a buffer to the next.</summary>
    public int Stride(int buffer) => PackedLayout.Units(_program.Buffers[buffer].Cols) * PackedLayout.UnitSize;

    /// <summary>Floats from one row of gate | up to the next.</summary>
    public static int WideStride(int cols) => PackedLayout.Units(2 * cols) * PackedLayout.UnitSize;

    public void Allocate(IlgpuDevice device, AcceleratorStream stream)
    {
        _arena = new DeviceArena(device, stream, Bytes);
        for (var i = 0; i < _offsets.Length; i++)
        {
            Buffers[i] = _arena.View<float>(_offsets[i], Floats(i));
            Loads[i] = _arena.View<Float4>(_offsets[i], Floats(i) / 4);
        }
        Normed = _arena.View<float>(_normed, _normedFloats);
        NormedLoads = _arena.View<Float4>(_normed, _normedFloats / 4);
        Wide = _arena.View<float>(_wide, _wideFloats);
        Experts = _arena.View<float>(_experts, _expertFloats);
        Partials = _arena.View<float>(_partials, _partialFloats);
        ArgmaxValues = _arena.View<float>(_argmaxValues, _argmaxPieces);
        ArgmaxIndices = _arena.View<int>(_argmaxIndices, _argmaxPieces);
        TopValues = _arena.View<float>(_topValues, _topChunks);
        TopIndices = _arena.View<int>(_topIndices, _topChunks);
        TopSums = _arena.View<float>(_topSums, _topChunks);
        Scratch = _arena.View<byte>(_scratch, _scratchBytes);
    }

    /// <summary>Queues the copy of a row of a buffer to the host.</summary>
    public void ReadRow(int buffer, int row, nint target) =>
        _arena!.Read(_offsets[buffer] + (long)row * Stride(buffer) * sizeof(float), target, (long)_program.Buffers[buffer].Cols * sizeof(float));

    /// <summary>Queues the copy of a row from the host.</summary>
    public void WriteRow(int buffer, int row, nint source) =>
        _arena!.Write(_offsets[buffer] + (long)row * Stride(buffer) * sizeof(float), source, (long)_program.Buffers[buffer].Cols * sizeof(float));

    public void Clear() => _arena!.Clear(0, _arena.LengthBytes);

    public void Dispose() => _arena?.Dispose();

    private long Floats(int buffer) => (long)MaxRows(_program.Buffers[buffer].Rows) * Stride(buffer);

    /// <summary>Rows that a buffer has at most.</summary>
    public static int MaxRows(BufferRows rows, TransformerProgram program, StepLimits limits) => rows switch
    {
        BufferRows.Tokens => limits.MaxTokens,
        BufferRows.TokenExperts => limits.MaxTokens * program.TopK,
        _ => limits.MaxLogitRows,
    };

    private int MaxRows(BufferRows rows) => MaxRows(rows, _program, _limits);

    private long Take(long floats)
    {
        if (floats > int.MaxValue) throw new IlgpuException("An activation buffer is too large for 32-bit indices on the device: ask for fewer tokens per step.");
        var at = Bytes;
        Bytes += DeviceArena.Align(Math.Max(floats, 1) * sizeof(float));
        return at;
    }
}

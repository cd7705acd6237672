using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary>What the operations of a step work on: the buffers, the weights, the cache, the batch, and scratch.</summary>
internal sealed unsafe class StepContext : IDisposable
{
    /// <summary>Rows of a matrix that one worker takes at a time: with 1,536 columns they fill half of a 192 KiB share of L2.</summary>
    public const int RowsPerPiece = 16;

    private readonly FloatBlock[] _buffers;
    private readonly FloatBlock _input, _expertOutput, _workerFloats;
    private readonly int _floatsPerWorker, _gateFloats;

    /// <summary>[rows] where inputs and outputs of a product begin.</summary>
    private readonly nint[] _x, _y;

    public StepContext(TransformerProgram program, StepLimits limits, ReferenceWeights weights, KvCache cache, Workers workers)
    {
        Program = program;
        Limits = limits;
        Weights = weights;
        Cache = cache;
        Workers = workers;
        Batch = new StepBatch(limits, program.KvGroups.Count);
        MaxRows = Math.Max(limits.MaxTokens * Math.Max(1, program.TopK), limits.MaxLogitRows);
        _buffers = new FloatBlock[program.Buffers.Count];
        var maxCols = 1;
        for (var i = 0; i < _buffers.Length; i++)
        {
            var buffer = program.Buffers[i];
            _buffers[i] = new FloatBlock((long)MaxRowsOf(buffer.Rows) * buffer.Cols);
            // The logits are never the input of a product.
            if (i != program.LogitsBuffer) maxCols = Math.Max(maxCols, buffer.Cols);
        }
        _input = new FloatBlock((long)Math.Max(limits.MaxTokens, limits.MaxLogitRows) * maxCols);
        _expertOutput = new FloatBlock(program.TopK > 0 ? (long)MaxRows * maxCols : 0);
        _gateFloats = 2 * MaxRows * RowsPerPiece;
        ContextSlots = limits.MaxBlocksPerSequence * limits.BlockSize;
        _floatsPerWorker = _gateFloats + 2 * ContextSlots + (weights.NeedsScratch ? RowsPerPiece * weights.MaxCols : 0);
        _workerFloats = new FloatBlock((long)_floatsPerWorker * workers.Threads);
        _x = GC.AllocateArray<nint>(MaxRows, pinned: true);
        _y = GC.AllocateArray<nint>(MaxRows, pinned: true);
        SequenceOf = new int[limits.MaxTokens];
        ExpertRows = new int[MaxRows];
    }

    public TransformerProgram Program { get; }
    public StepLimits Limits { get; }
    public ReferenceWeights Weights { get; }
    public KvCache Cache { get; }
    public Workers Workers { get; }
    public StepBatch Batch { get; set; }
    public int MaxRows { get; }

    /// <summary>Positions a sequence can have.</summary>
    public int ContextSlots { get; }

    /// <summary>[T] the sequence of each token of the step.</summary>
    public int[] SequenceOf { get; }

    /// <summary>[T·TopK] scratch: the rows that an expert works on.</summary>
    public int[] ExpertRows { get; }

    /// <summary>[max(T, R), columns] normalised inputs of fused products.</summary>
    public float* InputScratch => _input.Data;

    /// <summary>[T·TopK, hidden] experts' outputs before they are weighted.</summary>
    public float* ExpertOutput => _expertOutput.Data;

    public float** X => (float**)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_x, 0);
    public float** Y => (float**)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_y, 0);

    public float* Buffer(int index) => _buffers[index].Data;

    public int Cols(int buffer) => Program.Buffers[buffer].Cols;

    /// <summary>Rows of a buffer that this step uses.</summary>
    public int Rows(int buffer) => Program.Buffers[buffer].Rows switch
    {
        BufferRows.Tokens => Batch.TokenCount,
        BufferRows.TokenExperts => Batch.TokenCount * Program.TopK,
        _ => Batch.LogitRowCount,
    };

    /// <summary>[2][rows, RowsPerPiece] a worker's pieces of gate and up.</summary>
    public float* Gates(int worker) => _workerFloats.Data + (nint)worker * _floatsPerWorker;

    /// <summary>[ContextSlots] a worker's attention scores.</summary>
    public double* Scores(int worker) => (double*)(Gates(worker) + _gateFloats);

    /// <summary>[RowsPerPiece, columns] a worker's dequantised rows.</summary>
    public float* WeightRows(int worker) => Gates(worker) + _gateFloats + 2 * ContextSlots;

    public void Clear()
    {
        foreach (var buffer in _buffers) buffer.Clear();
        _input.Clear();
        _expertOutput.Clear();
        _workerFloats.Clear();
        Array.Clear(ExpertRows);
        Array.Clear(SequenceOf);
    }

    public void Dispose()
    {
        Array.Clear(ExpertRows);
        foreach (var buffer in _buffers) buffer.Dispose();
        _input.Dispose();
        _expertOutput.Dispose();
        _workerFloats.Dispose();
    }

    private int MaxRowsOf(BufferRows rows) => rows switch
    {
        BufferRows.Tokens => Limits.MaxTokens,
        BufferRows.TokenExperts => Limits.MaxTokens * Program.TopK,
        _ => Limits.MaxLogitRows,
    };
}

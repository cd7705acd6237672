using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>
/// A program of one operation, or a few, over random weights and inputs, and a batch for it. Runs on the reference and on a device; the
/// result is the last operation's output.
/// </summary>
internal sealed class CaseProgram
{
    public const int BlockSize = 16, MaxTokens = 48, Blocks = 24, BlocksEach = 12;
    private readonly Random _random;
    private readonly List<byte[]> _memory = [];
    private readonly List<WeightTensor> _weights = [];
    private readonly List<BufferDef> _buffers = [];
    private readonly List<Op> _ops = [];
    private readonly int _logits;

    public CaseProgram(int seed, int tokens = 1, int vocab = 61)
    {
        Vocab = vocab;
        _random = new Random(seed);
        _logits = Buffer(Vocab, BufferRows.Logits);
        Limits = new StepLimits(MaxTokens, 4, MaxTokens, BlockSize, [Blocks], BlocksEach);
        Batch = new StepBatch(Limits, 1);
        Sequences((0, tokens));
    }

    public int Vocab { get; }

    /// <summary>[R, Vocab] the logits.</summary>
    public int LogitsBuffer => _logits;

    public StepLimits Limits { get; }
    public StepBatch Batch { get; }
    public int TopK { get; init; }
    public List<RopeTable> RopeTables { get; } = [];
    public List<KvLayerDef> KvLayers { get; } = [];
    public IReadOnlyList<WeightTensor> Weights => _weights;

    public TransformerProgram Program => new()
    {
        Ops = _ops, Buffers = _buffers, Weights = _weights, RopeTables = RopeTables, KvLayers = KvLayers, KvGroups = [new KvGroupDef(0)],
        VocabSize = Vocab, ContextLen = BlocksEach * BlockSize, TopK = TopK, LogitsBuffer = _logits,
    };

    /// <summary>The batch: for each sequence, tokens that are in the cache before (as zeros), and new ones. Blocks come in no order.</summary>
    public CaseProgram Sequences(params (int Before, int Tokens)[] sequences)
    {
        Batch.Clear();
        var blocks = Enumerable.Range(0, Blocks).ToArray();
        _random.Shuffle(blocks);
        int row = 0, next = 0;
        for (var s = 0; s < sequences.Length; s++)
        {
            var (before, tokens) = sequences[s];
            var table = Batch.BlockTable(0, s);
            for (var b = 0; b < (before + tokens + BlockSize - 1) / BlockSize; b++) table[b] = blocks[next++];
            (Batch.QueryStart[s], Batch.QueryStart[s + 1], Batch.ContextLen[s], Batch.RopeVariant[s]) = (row, row + tokens, before + tokens, RopeTables.Count > 0 ? s % 2 : 0);
            for (var i = 0; i < tokens; i++, row++)
            {
                (Batch.Tokens[row], Batch.Positions[row]) = (_random.Next(Vocab), before + i);
                Batch.SlotMapping(0)[row] = table[(before + i) / BlockSize] * BlockSize + (before + i) % BlockSize;
            }
        }
        (Batch.TokenCount, Batch.SequenceCount, Batch.LogitRowCount) = (row, sequences.Length, 0);
        for (var r = row - 1; r >= 0; r -= 3) Batch.LogitRowCount++;
        for (var r = 0; r < Batch.LogitRowCount; r++) (Batch.LogitRows[r], Batch.Wanted[r]) = (row - 1 - 3 * (Batch.LogitRowCount - 1 - r), (int)LogitsWanted.Full);
        return this;
    }

    public int Buffer(int cols, BufferRows rows = BufferRows.Tokens)
    {
        _buffers.Add(new BufferDef($"buffer{_buffers.Count}", rows, cols));
        return _buffers.Count - 1;
    }

    public int Matrix(WeightType type, int rows, int cols, int experts = 1)
    {
        _weights.Add(RandomBlocks.Tensor(_random, type, rows, cols, _memory, experts));
        return _weights.Count - 1;
    }

    public int Vector(int length, int experts = 1) => Matrix(WeightType.F32, 1, length, experts);

    public CaseProgram Add(Op op)
    {
        _ops.Add(op);
        return this;
    }

    /// <summary>Rows that the batch uses of a buffer.</summary>
    public int Rows(int buffer) => _buffers[buffer].Rows switch
    {
        BufferRows.Tokens => Batch.TokenCount,
        BufferRows.TokenExperts => Batch.TokenCount * TopK,
        _ => Batch.LogitRowCount,
    };

    /// <summary>Random values for every buffer: in each case the same, so that both executors start alike.</summary>
    public float[] Content(int buffer)
    {
        var random = new Random(1000 + buffer);
        var values = new float[Rows(buffer) * _buffers[buffer].Cols];
        for (var i = 0; i < values.Length; i++) values[i] = random.NextSingle() * 4 - 2;
        return values;
    }

    public float[] OnReference()
    {
        using var executor = new ReferenceExecutor(Program, Limits);
        executor.Begin(Batch);
        for (var i = 0; i < _buffers.Count; i++) Content(i).CopyTo(executor.Buffer(i));
        foreach (var op in _ops) executor.Run(op);
        return executor.Buffer(_ops[^1].Output).ToArray();
    }

    /// <summary>Runs the operations one by one.</summary>
    public float[] OnDevice(string device)
    {
        using var executor = IlgpuExecutor.Create(device, Program, Limits, new IlgpuOptions { WarmUp = false });
        return OnDevice(executor);
    }

    /// <summary>Runs the operations one by one on an executor for <see cref="Program"/>.</summary>
    public float[] OnDevice(IlgpuExecutor executor)
    {
        executor.Stage(Batch);
        Write(executor, Content);
        for (var i = 0; i < _ops.Count; i++) executor.RunOperation(i, Batch);
        return Read(executor, _ops[^1].Output);
    }

    /// <summary>Brings values to every buffer of an executor.</summary>
    public unsafe void Write(IlgpuExecutor executor, Func<int, float[]> content)
    {
        var stream = executor.ContentArenas.First().Arena.Stream;
        for (var i = 0; i < _buffers.Count; i++)
        {
            var values = content(i);
            fixed (float* from = values)
            {
                for (var r = 0; r < Rows(i); r++) executor.Activations.WriteRow(i, r, (nint)(from + r * _buffers[i].Cols));
                stream.Synchronize();
            }
        }
    }

    private unsafe float[] Read(IlgpuExecutor executor, int buffer)
    {
        var stream = executor.ContentArenas.First().Arena.Stream;
        var result = new float[Rows(buffer) * _buffers[buffer].Cols];
        fixed (float* to = result)
        {
            for (var r = 0; r < Rows(buffer); r++) executor.Activations.ReadRow(buffer, r, (nint)(to + r * _buffers[buffer].Cols));
            stream.Synchronize();
        }
        return result;
    }
}

using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;

namespace AiFabrik.Compute.Tests.Reference;

/// <summary>
/// A reference executor over buffers and F32 weights of a test's own, with a batch of one or more sequences, so that single
/// operations run on inputs that the test writes.
/// </summary>
internal sealed class OpHarness : IDisposable
{
    public const int BlockSize = 16;
    private readonly List<float[]> _memory = [];
    private readonly List<WeightTensor> _weights = [];
    private readonly List<BufferDef> _buffers = [];
    private readonly int _logits;
    private ReferenceExecutor? _executor;

    /// <summary>Every buffer has at most this many tokens, in at most two sequences of at most two blocks each.</summary>
    public const int MaxTokens = 24;

    public OpHarness(int vocabSize = 4)
    {
        VocabSize = vocabSize;
        _logits = Buffer(vocabSize, BufferRows.Logits);
        Limits = new StepLimits(MaxTokens, 2, MaxTokens, BlockSize, [4], 2);
        Batch = new StepBatch(Limits, 1);
    }

    public int VocabSize { get; }
    public StepLimits Limits { get; }
    public StepBatch Batch { get; }
    public int TopK { get; set; }
    public List<RopeTable> RopeTables { get; } = [];
    public List<KvLayerDef> KvLayers { get; } = [];
    public ReferenceOptions Options { get; set; } = new() { Threads = 2 };

    public ReferenceExecutor Executor => _executor ??= new ReferenceExecutor(new TransformerProgram
    {
        Ops = [], Buffers = _buffers, Weights = _weights, RopeTables = RopeTables, KvLayers = KvLayers, KvGroups = [new KvGroupDef(0)],
        VocabSize = VocabSize, ContextLen = 2 * BlockSize, TopK = TopK, LogitsBuffer = _logits,
    }, Limits, Options);

    public int LogitsBuffer => _logits;

    public int Buffer(int cols, BufferRows rows = BufferRows.Tokens)
    {
        _buffers.Add(new BufferDef($"buffer{_buffers.Count}", rows, cols));
        return _buffers.Count - 1;
    }

    /// <summary>An F32 weight [experts][rows, cols].</summary>
    public unsafe int Weight(int rows, int cols, float[] values, int experts = 1)
    {
        var pinned = GC.AllocateArray<float>(values.Length, pinned: true);
        values.CopyTo(pinned, 0);
        _memory.Add(pinned);
        fixed (float* data = pinned)
            _weights.Add(new WeightTensor($"weight{_weights.Count}", WeightType.F32, rows, cols, (nint)data, cols * 4L) { Experts = experts, ExpertStrideBytes = rows * cols * 4L });
        return _weights.Count - 1;
    }

    public int Vector(params float[] values) => Weight(1, values.Length, values);

    /// <summary>One sequence of so many new tokens after <paramref name="before"/> others, in blocks 1 and 3.</summary>
    public void OneSequence(int tokens, int before = 0)
    {
        Batch.Clear();
        Batch.SequenceCount = 1;
        Add(0, tokens, before, [1, 3]);
    }

    /// <summary>Appends a sequence's tokens to the batch.</summary>
    public void Add(int sequence, int tokens, int before, int[] blocks)
    {
        var row = Batch.TokenCount;
        Batch.SequenceCount = sequence + 1;
        Batch.QueryStart[sequence] = row;
        Batch.QueryStart[sequence + 1] = row + tokens;
        Batch.ContextLen[sequence] = before + tokens;
        blocks.CopyTo(Batch.BlockTable(0, sequence));
        for (var i = 0; i < tokens; i++, row++)
        {
            Batch.Positions[row] = before + i;
            Batch.SlotMapping(0)[row] = blocks[(before + i) / BlockSize] * BlockSize + (before + i) % BlockSize;
        }
        Batch.TokenCount = row;
    }

    /// <summary>Runs one operation on the inputs written since <see cref="Input"/>.</summary>
    public float[] Run(Op op)
    {
        Executor.Begin(Batch);
        Executor.Run(op);
        return Executor.Buffer(op.Output).ToArray();
    }

    public void Input(int buffer, params float[] values)
    {
        Executor.Begin(Batch);
        values.CopyTo(Executor.Buffer(buffer));
    }

    /// <summary>Reproducible values in [−1, 1).</summary>
    public static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = random.NextSingle() * 2 - 1;
        return values;
    }

    public void Dispose()
    {
        _executor?.Dispose();
        _memory.Clear();
    }
}

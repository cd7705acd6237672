using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary>
/// Runs a program in C# with float32 activations and a float32 KV cache: the definition of truth for the other executors.
/// Sums of norms, softmax and activations are in double and rounded once; dot products are in float32.
/// </summary>
public sealed unsafe class ReferenceExecutor : IExecutor
{
    private readonly TransformerProgram _program;
    private readonly ReferenceWeights _weights;
    private readonly KvCache _cache;
    private readonly StepContext _context;
    private readonly TopK _top;

    public ReferenceExecutor(TransformerProgram program, StepLimits limits, ReferenceOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(limits.BlocksPerGroup.Length, program.KvGroups.Count, nameof(limits));
        ProgramCheck.Run(program);
        options ??= new ReferenceOptions();
        _program = program;
        Limits = limits;
        var workers = new Workers(options.Threads);
        Info = new ExecutorInfo("reference", $"scalar C# on {RuntimeInformation.ProcessArchitecture}", ExactnessClass.Reference, workers.Threads);
        _weights = new ReferenceWeights(program.Weights, workers, options.MaxDequantizedBytes);
        _cache = new KvCache(program.KvLayers, limits);
        _top = new TopK(limits);
        _context = new StepContext(program, limits, _weights, _cache, workers);
    }

    public ExecutorInfo Info { get; }
    public StepLimits Limits { get; }

    public void Run(StepBatch batch)
    {
        Begin(batch);
        foreach (var op in _program.Ops) Run(op);
    }

    /// <summary>Makes a batch the current one without running anything: tests then run operations one by one.</summary>
    internal void Begin(StepBatch batch)
    {
        Check(batch);
        _context.Batch = batch;
        _top.Begin(batch);
        for (var s = 0; s < batch.SequenceCount; s++)
            for (var t = batch.QueryStart[s]; t < batch.QueryStart[s + 1]; t++)
                _context.SequenceOf[t] = s;
    }

    /// <summary>[rows of the current batch, columns] an activation buffer.</summary>
    internal Span<float> Buffer(int index) => new(_context.Buffer(index), _context.Rows(index) * _context.Cols(index));

    public int Argmax(int row)
    {
        var logits = Logits(row);
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        return best;
    }

    public Span<float> Logits(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Limits.MaxLogitRows, nameof(row));
        return new Span<float>(_context.Buffer(_program.LogitsBuffer) + (nint)row * _program.VocabSize, _program.VocabSize);
    }

    public TopLogits Top(int row) => _top.Of(row, Logits(row));

    public void ClearBlocks(int group, ReadOnlySpan<int> blocks) => _cache.Clear(group, blocks);

    public void ClearActivations()
    {
        _top.Clear();
        _context.Clear();
    }

    public void Dispose()
    {
        _top.Dispose();
        _context.Dispose();
        _cache.Dispose();
        _weights.Dispose();
    }

    internal void Run(in Op op)
    {
        switch (op.Kind)
        {
            case OpKind.Embed: RowOps.Embed(_context, op); break;
            case OpKind.RmsNorm: RowOps.RmsNorm(_context, op); break;
            case OpKind.MatMul: MatMulOps.Run(_context, op); break;
            case OpKind.RopeStoreKv: AttentionOps.RopeStoreKv(_context, op); break;
            case OpKind.Attention: AttentionOps.Attention(_context, op); break;
            case OpKind.ActMul: RowOps.ActMul(_context, op); break;
            case OpKind.SelectRows: RowOps.SelectRows(_context, op); break;
            case OpKind.Softcap: RowOps.Softcap(_context, op); break;
            case OpKind.MoeRoute: MoeOps.Route(_context, op); break;
            case OpKind.MoeGateUp: MoeOps.GateUp(_context, op); break;
            case OpKind.MoeDown: MoeOps.Down(_context, op); break;
            default: throw new ArgumentOutOfRangeException(nameof(op), op.Kind, "No such operation.");
        }
    }

    /// <summary>A batch that would read or write outside the buffers is the caller's bug: say so, without quoting what is in it.</summary>
    private void Check(StepBatch batch)
    {
        var tokens = batch.TokenCount;
        if (tokens < 0 || tokens > Limits.MaxTokens || (uint)batch.SequenceCount > Limits.MaxSequences || (uint)batch.LogitRowCount > Limits.MaxLogitRows)
            throw new ArgumentException("The batch exceeds the executor's limits.", nameof(batch));
        if (batch.QueryStart[0] != 0 || batch.QueryStart[batch.SequenceCount] != tokens)
            throw new ArgumentException("The batch's sequences don't cover its tokens.", nameof(batch));
        foreach (var token in batch.Tokens[..tokens])
            if ((uint)token >= (uint)_program.VocabSize) throw new ArgumentException("A token of the batch is outside the vocabulary.", nameof(batch));
        foreach (var position in batch.Positions[..tokens])
            if ((uint)position >= (uint)_context.ContextSlots) throw new ArgumentException("A position of the batch is outside the context.", nameof(batch));
        foreach (var row in batch.LogitRows[..batch.LogitRowCount])
            if ((uint)row >= (uint)tokens) throw new ArgumentException("A logit row of the batch is not one of its tokens.", nameof(batch));
        for (var group = 0; group < _program.KvGroups.Count; group++)
            foreach (var slot in batch.SlotMapping(group)[..tokens])
                if ((uint)slot >= (uint)(Limits.BlocksPerGroup[group] * Limits.BlockSize)) throw new ArgumentException("A slot of the batch is outside the cache.", nameof(batch));
    }
}

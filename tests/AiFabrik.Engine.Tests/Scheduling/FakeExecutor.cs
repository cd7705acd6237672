using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Tests.Scheduling;

/// <summary>
/// An executor whose "keys and values" are what it was told about a token, and whose logits are a hash of all that the last token of a
/// sequence sees in its blocks. A wrong block table, slot, position or variant, a block that was not cleared, or a token that was lost
/// either throws here or changes the tokens that come out.
/// </summary>
internal sealed class FakeExecutor : IExecutor
{
    private readonly TransformerProgram _program;
    private readonly long[][] _kv;
    private readonly ulong[] _rows;
    private readonly float[] _logits;
    private readonly int[] _wanted, _topWanted;
    private readonly int[] _topIds = new int[TopLogits.CountMax];
    private readonly float[] _topLogits = new float[TopLogits.CountMax];
    private int _rowCount;

    public FakeExecutor(TransformerProgram program, StepLimits limits)
    {
        (_program, Limits) = (program, limits);
        _kv = limits.BlocksPerGroup.Select(b => new long[b * limits.BlockSize]).ToArray();
        _rows = new ulong[limits.MaxLogitRows];
        _wanted = new int[limits.MaxLogitRows];
        _topWanted = new int[limits.MaxLogitRows];
        _logits = new float[limits.MaxLogitRows * program.VocabSize];
    }

    /// <summary>Says that full rows are dear, as a device does.</summary>
    public bool CopiesLogits { get; init; }

    public ExecutorInfo Info => new("fake", "hash of what is seen", ExactnessClass.Reference, 1, CopiesLogits);
    public StepLimits Limits { get; }
    public bool IsActive { get; private set; }
    public int Steps { get; private set; }
    public int MostTokens { get; private set; }
    public int MostSequences { get; private set; }
    public long TokensComputed { get; private set; }
    public long FullRows { get; private set; }
    public long TopRows { get; private set; }

    /// <summary>Throws in this step.</summary>
    public int FailAtStep { get; set; } = -1;

    /// <summary>Called at the beginning of each step.</summary>
    public Action<StepBatch>? OnStep { get; set; }

    /// <summary>Nothing is left of any request.</summary>
    public bool IsZero => !IsActive && _logits.All(x => x == 0) && _rows.All(x => x == 0) && _kv.All(g => g.All(x => x == 0));

    public void Run(StepBatch batch)
    {
        OnStep?.Invoke(batch);
        if (Steps == FailAtStep) throw new InvalidOperationException("The device is lost.");
        Steps++;
        IsActive = true;
        MostTokens = Math.Max(MostTokens, batch.TokenCount);
        MostSequences = Math.Max(MostSequences, batch.SequenceCount);
        TokensComputed += batch.TokenCount;
        Check(batch.TokenCount > 0 && batch.TokenCount <= Limits.MaxTokens && batch.SequenceCount <= Limits.MaxSequences && batch.LogitRowCount <= Limits.MaxLogitRows);
        Check(batch.QueryStart[0] == 0 && batch.QueryStart[batch.SequenceCount] == batch.TokenCount);
        for (var s = 0; s < batch.SequenceCount; s++) Store(batch, s);
        for (var s = 0; s < batch.SequenceCount; s++)
        {
            See(batch, s, batch.QueryStart[s]);
            See(batch, s, batch.QueryStart[s + 1] - 1);
        }
        _rowCount = batch.LogitRowCount;
        for (var r = 0; r < _rowCount; r++)
        {
            var row = batch.LogitRows[r];
            Check(r == 0 || row > batch.LogitRows[r - 1]);
            var s = 0;
            while (batch.QueryStart[s + 1] <= row) s++;
            _rows[r] = See(batch, s, row);
            (_wanted[r], _topWanted[r]) = (batch.Wanted[r], batch.TopWanted[r]);
            if (_wanted[r] == (int)LogitsWanted.Top) TopRows++;
            if (_wanted[r] == (int)LogitsWanted.Full) FullRows++;
            FakeModel.Logits(_rows[r], _logits.AsSpan(r * _program.VocabSize, _program.VocabSize));
        }
    }

    private void Store(StepBatch batch, int s)
    {
        Check(batch.QueryStart[s + 1] > batch.QueryStart[s]);
        for (var row = batch.QueryStart[s]; row < batch.QueryStart[s + 1]; row++)
        {
            var position = batch.Positions[row];
            Check(position == batch.ContextLen[s] - (batch.QueryStart[s + 1] - row));
            for (var g = 0; g < _kv.Length; g++)
            {
                var slot = batch.SlotMapping(g)[row];
                Check(slot == SlotOf(batch, g, s, position));
                Check(_kv[g][slot] == 0); // cleared, and nobody else's
                _kv[g][slot] = FakeModel.Content(batch.Tokens[row], position, batch.RopeVariant[s]);
            }
        }
    }

    private ulong See(StepBatch batch, int s, int row)
    {
        ulong hash = 0;
        var position = batch.Positions[row];
        for (var g = 0; g < _kv.Length; g++)
        {
            var window = _program.KvGroups[g].Window;
            for (var p = window == 0 ? 0 : Math.Max(0, position - window + 1); p <= position; p++)
            {
                var content = _kv[g][SlotOf(batch, g, s, p)];
                Check(FakeModel.PositionOf(content) == p && FakeModel.VariantOf(content) == batch.RopeVariant[s]);
                hash += FakeModel.Mix(content, g);
            }
        }
        return hash;
    }

    private int SlotOf(StepBatch batch, int g, int s, int position)
    {
        var block = batch.BlockTable(g, s)[position / Limits.BlockSize];
        Check(block >= 0 && block < Limits.BlocksPerGroup[g]);
        return block * Limits.BlockSize + position % Limits.BlockSize;
    }

    public int Argmax(int row)
    {
        Check(row < _rowCount);
        return FakeModel.Argmax(_logits.AsSpan(row * _program.VocabSize, _program.VocabSize));
    }

    public Span<float> Logits(int row)
    {
        Check(row < _rowCount && _wanted[row] == (int)LogitsWanted.Full);
        return _logits.AsSpan(row * _program.VocabSize, _program.VocabSize);
    }

    public TopLogits Top(int row)
    {
        Check(row < _rowCount && _wanted[row] == (int)LogitsWanted.Top && _topWanted[row] is > 0 and <= TopLogits.CountMax);
        var logits = _logits.AsSpan(row * _program.VocabSize, _program.VocabSize);
        var order = Enumerable.Range(0, logits.Length).ToArray();
        var values = logits.ToArray();
        Array.Sort(order, (a, b) => values[a] != values[b] ? values[b].CompareTo(values[a]) : a.CompareTo(b));
        var count = Math.Min(_topWanted[row], order.Length);
        for (var i = 0; i < count; i++) (_topIds[i], _topLogits[i]) = (order[i], values[order[i]]);
        var largest = _topLogits[0];
        return new TopLogits(_topIds.AsSpan(0, count), _topLogits.AsSpan(0, count), largest, values.Sum(v => Math.Exp(v - (double)largest)));
    }

    public void ClearBlocks(int group, ReadOnlySpan<int> blocks)
    {
        foreach (var block in blocks) _kv[group].AsSpan(block * Limits.BlockSize, Limits.BlockSize).Clear();
    }

    public void ClearActivations()
    {
        Array.Clear(_logits);
        Array.Clear(_rows);
        IsActive = false;
    }

    public void Dispose() { }

    private static void Check(bool isRight)
    {
        if (!isRight) throw new InvalidOperationException("The batch contradicts itself or the cache.");
    }
}

/// <summary>The model that <see cref="FakeExecutor"/> computes, on a plain list of tokens.</summary>
internal static class FakeModel
{
    public static TransformerProgram Program(int contextLen, int[] windows, int originalContextLen = 0, int vocabSize = FakeVocabulary.Size) => new()
    {
        Ops = [], Buffers = [], Weights = [], VocabSize = vocabSize, ContextLen = contextLen, LogitsBuffer = 0,
        RopeTables = originalContextLen == 0 ? [] : [new RopeTable([[1f], [0.5f]], [1f, 1f]) { OriginalContextLen = originalContextLen }],
        KvLayers = windows.Select((_, g) => new KvLayerDef(1, 8, g)).ToArray(),
        KvGroups = windows.Select(w => new KvGroupDef(w)).ToArray(),
    };

    public static long Content(int token, int position, int variant) => 1L << 62 | (long)variant << 60 | (long)position << 32 | (uint)token;
    public static int PositionOf(long content) => content == 0 ? -1 : (int)(content >> 32 & 0xFFFFFFF);
    public static int VariantOf(long content) => (int)(content >> 60 & 3);

    public static ulong Mix(long content, int group)
    {
        var x = (ulong)content + 0x9E3779B97F4A7C15UL * (ulong)(group + 1);
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ x >> 27) * 0x94D049BB133111EBUL;
        return x ^ x >> 31;
    }

    public static void Logits(ulong hash, Span<float> logits)
    {
        for (var v = 0; v < logits.Length; v++) logits[v] = (Mix((long)(hash ^ (ulong)v * 0x2545F4914F6CDD1DUL), v) >> 40) * (8f / (1 << 24)) - 4f;
    }

    public static int Argmax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var v = 1; v < logits.Length; v++)
            if (logits[v] > logits[best]) best = v;
        return best;
    }

    /// <summary>Logits after these tokens.</summary>
    public static void LogitsAfter(TransformerProgram program, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        var variant = program.RopeTables.Count > 0 && tokens.Length > program.RopeTables[0].OriginalContextLen ? 1 : 0;
        ulong hash = 0;
        for (var g = 0; g < program.KvGroups.Count; g++)
        {
            var window = program.KvGroups[g].Window;
            for (var p = window == 0 ? 0 : Math.Max(0, tokens.Length - window); p < tokens.Length; p++) hash += Mix(Content(tokens[p], p, variant), g);
        }
        Logits(hash, logits);
    }
}

using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Runtime;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>
/// What a step brings to the device and back: ids, positions, slots, block tables, cos and sin of the step's positions; best tokens and
/// logits. Host and device hold the same layout, at addresses that never change.
/// </summary>
internal sealed unsafe class StepStaging : IDisposable
{
    private const int BestMax = Programs.TopLogits.CountMax;

    private readonly TransformerProgram _program;
    private readonly StepLimits _limits;
    private readonly StagingMemory _host;
    private readonly DeviceArena _device;
    private readonly long _positions, _sequences, _logitRows, _slots, _attentionRows, _tiles, _topRows, _header, _tables, _best, _topIds, _topLogits, _topTotals, _logits;
    private readonly long[] _ropes;
    private readonly int[] _halves, _topWanted;

    public StepStaging(IlgpuDevice device, AcceleratorStream stream, TransformerProgram program, StepLimits limits)
    {
        (_program, _limits) = (program, limits);
        long end = 0;
        long Take(long count) { var at = end; end = DeviceArena.Align(end + count * sizeof(int)); return at; }
        Take(limits.MaxTokens);
        _positions = Take(limits.MaxTokens);
        _sequences = Take(limits.MaxTokens);
        _logitRows = Take(limits.MaxLogitRows);
        _slots = Take((long)limits.MaxTokens * program.KvGroups.Count);
        _attentionRows = Take(limits.MaxTokens);
        var tilesMax = limits.MaxTokens / AttentionPrefillKernel.TokensMin + 1;
        _tiles = Take(2L * tilesMax);
        _topRows = Take(limits.MaxLogitRows);
        _header = end;
        _halves = [.. program.RopeTables.Select(table => table.InverseFrequencies[0].Length)];
        _ropes = [.. _halves.Select(half => Take((long)limits.MaxTokens * half * 2))];
        _tables = Take((long)program.KvGroups.Count * limits.MaxSequences * limits.MaxBlocksPerSequence);
        _best = Take(limits.MaxLogitRows);
        var topMax = (long)limits.MaxLogitRows * BestMax;
        _topIds = Take(topMax);
        _topLogits = Take(topMax);
        _topTotals = Take(2L * limits.MaxLogitRows);
        _topWanted = new int[limits.MaxLogitRows];
        Bytes = end;
        // Logits stay in the activations on the device; only the host has a place for copies of rows.
        _logits = Take((long)limits.MaxLogitRows * program.VocabSize);
        _device = new DeviceArena(device, stream, Bytes);
        _host = new StagingMemory(device, end);

        Tokens = _device.View<int>(0, limits.MaxTokens);
        Positions = _device.View<int>(_positions, limits.MaxTokens);
        Sequences = _device.View<int>(_sequences, limits.MaxTokens);
        LogitRows = _device.View<int>(_logitRows, limits.MaxLogitRows);
        AttentionRows = _device.View<int>(_attentionRows, limits.MaxTokens);
        Tiles = _device.View<int>(_tiles, 2L * tilesMax);
        Best = _device.View<int>(_best, limits.MaxLogitRows);
        TopRows = _device.View<int>(_topRows, limits.MaxLogitRows);
        TopIds = _device.View<int>(_topIds, topMax);
        TopLogits = _device.View<float>(_topLogits, topMax);
        TopTotals = _device.View<float>(_topTotals, 2L * limits.MaxLogitRows);
        SlotsOf = [.. Enumerable.Range(0, program.KvGroups.Count).Select(g => _device.View<int>(_slots + (long)g * limits.MaxTokens * sizeof(int), limits.MaxTokens))];
        TablesOf = [.. Enumerable.Range(0, program.KvGroups.Count).Select(g => _device.View<int>(TableOffset(g), (long)limits.MaxSequences * limits.MaxBlocksPerSequence))];
        RopeOf = [.. _ropes.Select((at, i) => _device.View<float>(at, (long)limits.MaxTokens * _halves[i] * 2))];
    }

    /// <summary>Bytes on the device.</summary>
    public long Bytes { get; }

    public ArrayView<int> Tokens { get; }
    public ArrayView<int> Positions { get; }

    /// <summary>[T] the sequence of each token.</summary>
    public ArrayView<int> Sequences { get; }
    public ArrayView<int> LogitRows { get; }

    /// <summary>Rows of sequences with few new tokens, whose attention is computed row by row; [tiles, 2] first row and rows of tiles of the others.</summary>
    public ArrayView<int> AttentionRows { get; }
    public ArrayView<int> Tiles { get; }

    /// <summary>Rows of a tile at most: as the kernel takes it that serves them, and never fewer than <see cref="AttentionPrefillKernel.TokensMin"/>.</summary>
    public int TileTokens { get; set; } = AttentionPrefillKernel.TileTokens;

    /// <summary>How many of each the staged batch has.</summary>
    public int AttentionRowCount { get; private set; }
    public int TileCount { get; private set; }

    /// <summary>[R] the best token of each logit row: written by kernels.</summary>
    public ArrayView<int> Best { get; }

    /// <summary>Logit rows of which the best few are wanted; how many there are, and the most that is wanted of one.</summary>
    public ArrayView<int> TopRows { get; }
    public int TopRowCount { get; private set; }
    public int TopCount { get; private set; }

    /// <summary>[R, BestMax] ids and logits of the best, [R, 2] largest logit and sum: written by kernels.</summary>
    public ArrayView<int> TopIds { get; }
    public ArrayView<float> TopLogits { get; }
    public ArrayView<float> TopTotals { get; }

    /// <summary>[T] slots, for each KV group.</summary>
    public ArrayView<int>[] SlotsOf { get; }

    /// <summary>[sequences, MaxBlocksPerSequence] block tables, for each KV group.</summary>
    public ArrayView<int>[] TablesOf { get; }

    /// <summary>[T, half, 2] cos and sin times the attention factor, for each rope table.</summary>
    public ArrayView<float>[] RopeOf { get; }

    /// <summary>Floats of a token in a rope table: pairs that it rotates.</summary>
    public int HalfOf(int table) => _halves[table];

    /// <summary>[R] best tokens, once the stream is synchronised.</summary>
    public Span<int> HostBest => new(_host.Data + _best, _limits.MaxLogitRows);

    /// <summary>[VocabSize] a copied row of logits, once the stream is synchronised.</summary>
    public Span<float> HostLogits(int row) => new(_host.Data + _logits + (long)row * _program.VocabSize * sizeof(float), _program.VocabSize);

    /// <summary>Fills the host's side from a batch, and from inert rows up to what is planned, and queues the copies.</summary>
    public void Upload(StepBatch batch, in StepPlan plan)
    {
        var tokens = batch.TokenCount;
        batch.Tokens[..tokens].CopyTo(Ints(0, tokens));
        batch.Positions[..tokens].CopyTo(Ints(_positions, tokens));
        batch.LogitRows[..batch.LogitRowCount].CopyTo(Ints(_logitRows, batch.LogitRowCount));
        var sequences = Ints(_sequences, tokens);
        for (var s = 0; s < batch.SequenceCount; s++) sequences[batch.QueryStart[s]..batch.QueryStart[s + 1]].Fill(s);
        Tile(batch);
        ListTopRows(batch);
        for (var g = 0; g < batch.KvGroups; g++) batch.SlotMapping(g)[..tokens].CopyTo(SlotsFrom(g, 0, tokens));
        Pad(tokens, batch.LogitRowCount, plan);
        _device.Write(0, (nint)_host.Data, _header);
        for (var i = 0; i < _ropes.Length; i++)
        {
            Rotate(batch, _program.RopeTables[i], new Span<float>(_host.Data + _ropes[i], tokens * _halves[i] * 2));
            _device.Write(_ropes[i], (nint)(_host.Data + _ropes[i]), (long)tokens * _halves[i] * 2 * sizeof(float));
        }
        var tableInts = batch.SequenceCount * _limits.MaxBlocksPerSequence;
        for (var g = 0; g < batch.KvGroups; g++)
        {
            batch.BlockTables.Slice(g * _limits.MaxSequences * _limits.MaxBlocksPerSequence, tableInts).CopyTo(Ints(TableOffset(g), tableInts));
            _device.Write(TableOffset(g), (nint)(_host.Data + TableOffset(g)), (long)tableInts * sizeof(int));
        }
    }

    /// <summary>Queues the copy of the best tokens to the host.</summary>
    public void DownloadBest(int rows) => _device.Read(_best, (nint)(_host.Data + _best), (long)rows * sizeof(int));

    /// <summary>Queues the copies of the best few of the first <paramref name="rows"/> logit rows.</summary>
    public void DownloadTop(int rows)
    {
        var bytes = (long)rows * BestMax * sizeof(int);
        _device.Read(_topIds, (nint)(_host.Data + _topIds), bytes);
        _device.Read(_topLogits, (nint)(_host.Data + _topLogits), bytes);
        _device.Read(_topTotals, (nint)(_host.Data + _topTotals), 2L * rows * sizeof(float));
    }

    /// <summary>The best few of a logit row, once the stream is synchronised.</summary>
    public Programs.TopLogits HostTop(int row)
    {
        var ids = Ints(_topIds, _limits.MaxLogitRows * BestMax).Slice(row * BestMax, _topWanted[row]);
        var count = ids.IndexOf(-1) is var end and >= 0 ? end : ids.Length;
        ReadOnlySpan<float> logits = new(_host.Data + _topLogits + (long)row * BestMax * sizeof(float), count), totals = new(_host.Data + _topTotals + 2L * row * sizeof(float), 2);
        return new Programs.TopLogits(ids[..count], logits, totals[0], totals[1]);
    }

    /// <summary>Where the host wants a row of logits.</summary>
    public nint LogitsTarget(int row) => (nint)(_host.Data + _logits + (long)row * _program.VocabSize * sizeof(float));

    /// <summary>Zeroes both sides, the host's even if the device has failed; the stream must have nothing left that reads or writes it.</summary>
    public void Clear()
    {
        _host.Clear();
        _device.Clear(0, _device.LengthBytes);
    }

    /// <summary>The device's bytes, for tests that look for residue.</summary>
    internal DeviceArena Arena => _device;

    public void Dispose()
    {
        _device.Dispose();
        _host.Dispose();
    }

    /// <summary>
    /// cos and sin of float32 angles, computed in double on the host: at far positions a GPU's own sine is too coarse, and a step has few.
    /// The angle itself is rounded to float32, as in the reference implementation.
    /// </summary>
    private static void Rotate(StepBatch batch, RopeTable table, Span<float> to)
    {
        var at = 0;
        for (var s = 0; s < batch.SequenceCount; s++)
        {
            var variant = batch.RopeVariant[s];
            var inverse = table.InverseFrequencies[variant];
            double scale = table.AttentionFactors[variant];
            for (var t = batch.QueryStart[s]; t < batch.QueryStart[s + 1]; t++)
            {
                foreach (var frequency in inverse)
                {
                    var (sin, cos) = Math.SinCos(batch.Positions[t] * frequency);
                    to[at++] = (float)(cos * scale);
                    to[at++] = (float)(sin * scale);
                }
            }
        }
    }

    private void ListTopRows(StepBatch batch)
    {
        var rows = Ints(_topRows, _limits.MaxLogitRows);
        (TopRowCount, TopCount) = (0, 0);
        for (var row = 0; row < batch.LogitRowCount; row++)
        {
            _topWanted[row] = 0;
            if (batch.Wanted[row] != (int)LogitsWanted.Top) continue;
            _topWanted[row] = batch.TopWanted[row];
            TopCount = Math.Max(TopCount, batch.TopWanted[row]);
            rows[TopRowCount++] = row;
        }
    }

    /// <summary>
    /// Rows that only fill a bucket: token 0 of the first sequence at position −1, which sees nothing, stored nowhere. Their cos and sin are
    /// whatever an earlier step left.
    /// </summary>
    private void Pad(int tokens, int logitRows, in StepPlan plan)
    {
        var count = plan.Tokens - tokens;
        Ints(_logitRows, plan.Rows)[logitRows..].Clear();
        if (count == 0) return;
        Ints(0, plan.Tokens)[tokens..].Clear();
        Ints(_positions, plan.Tokens)[tokens..].Fill(-1);
        Ints(_sequences, plan.Tokens)[tokens..].Clear();
        for (var g = 0; g < _program.KvGroups.Count; g++) SlotsFrom(g, tokens, count).Fill(-1);
        var rows = Ints(_attentionRows, plan.Tokens);
        for (var t = tokens; t < plan.Tokens; t++) rows[AttentionRowCount++] = t;
    }

    /// <summary>Sorts the rows into single ones and tiles of one sequence.</summary>
    private void Tile(StepBatch batch)
    {
        Span<int> rows = Ints(_attentionRows, _limits.MaxTokens), tiles = Ints(_tiles, (int)Tiles.Length);
        (AttentionRowCount, TileCount) = (0, 0);
        for (var s = 0; s < batch.SequenceCount; s++)
        {
            int first = batch.QueryStart[s], end = batch.QueryStart[s + 1];
            if (end - first < AttentionPrefillKernel.TokensMin)
            {
                for (var t = first; t < end; t++) rows[AttentionRowCount++] = t;
                continue;
            }
            for (var t = first; t < end; t += TileTokens)
            {
                tiles[2 * TileCount] = t;
                tiles[2 * TileCount++ + 1] = Math.Min(TileTokens, end - t);
            }
        }
    }

    private long TableOffset(int group) => _tables + (long)group * _limits.MaxSequences * _limits.MaxBlocksPerSequence * sizeof(int);

    private Span<int> SlotsFrom(int group, int first, int count) => Ints(_slots + ((long)group * _limits.MaxTokens + first) * sizeof(int), count);

    private Span<int> Ints(long offset, int count) => new(_host.Data + offset, count);
}

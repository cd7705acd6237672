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
    private readonly TransformerProgram _program;
    private readonly StepLimits _limits;
    private readonly StagingMemory _host;
    private readonly DeviceArena _device;
    private readonly long _positions, _sequences, _logitRows, _slots, _attentionRows, _tiles, _header, _tables, _best, _logits;
    private readonly long[] _ropes;
    private readonly int[] _halves;

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
        _header = end;
        _halves = [.. program.RopeTables.Select(table => table.InverseFrequencies[0].Length)];
        _ropes = [.. _halves.Select(half => Take((long)limits.MaxTokens * half * 2))];
        _tables = Take((long)program.KvGroups.Count * limits.MaxSequences * limits.MaxBlocksPerSequence);
        _best = Take(limits.MaxLogitRows);
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

    /// <summary>How many of each the staged batch has.</summary>
    public int AttentionRowCount { get; private set; }
    public int TileCount { get; private set; }

    /// <summary>[R] the best token of each logit row: written by kernels.</summary>
    public ArrayView<int> Best { get; }

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

    /// <summary>Fills the host's side from a batch and queues the copies.</summary>
    public void Upload(StepBatch batch)
    {
        var tokens = batch.TokenCount;
        batch.Tokens[..tokens].CopyTo(Ints(0, tokens));
        batch.Positions[..tokens].CopyTo(Ints(_positions, tokens));
        batch.LogitRows[..batch.LogitRowCount].CopyTo(Ints(_logitRows, batch.LogitRowCount));
        var sequences = Ints(_sequences, tokens);
        for (var s = 0; s < batch.SequenceCount; s++) sequences[batch.QueryStart[s]..batch.QueryStart[s + 1]].Fill(s);
        Tile(batch);
        for (var g = 0; g < batch.KvGroups; g++) batch.SlotMapping(g)[..tokens].CopyTo(Ints(_slots + (long)g * _limits.MaxTokens * sizeof(int), tokens));
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
            for (var t = first; t < end; t += AttentionPrefillKernel.TileTokens)
            {
                tiles[2 * TileCount] = t;
                tiles[2 * TileCount++ + 1] = Math.Min(AttentionPrefillKernel.TileTokens, end - t);
            }
        }
    }

    private long TableOffset(int group) => _tables + (long)group * _limits.MaxSequences * _limits.MaxBlocksPerSequence * sizeof(int);

    private Span<int> Ints(long offset, int count) => new(_host.Data + offset, count);
}

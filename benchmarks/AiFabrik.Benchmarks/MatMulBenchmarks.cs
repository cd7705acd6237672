using System.Globalization;
using System.Runtime.InteropServices;
using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace AiFabrik.Benchmarks;

/// <summary>
/// Products of 8192 × 2048 matrices of each weight type on the native executor, four of them so that no cache holds them:
/// 1 column (decode) and 512 (prefill). The column "Share" holds weight bytes per second against the read bandwidth measured in the same process.
/// </summary>
[Config(typeof(ShareConfig))]
public class MatMulBenchmarks
{
    private const int Rows = 8192, Cols = 2048, Matrices = 4, Vocabulary = 64;
    private NativeExecutor _executor = null!;
    private StepBatch _batch = null!;
    private nint _weights;

    [Params(WeightType.Q8_0, WeightType.Q4_0, WeightType.Q4_1, WeightType.Q4_K, WeightType.Q6_K, WeightType.BF16, WeightType.F16)]
    public WeightType Type { get; set; }

    [Params(1, 512)]
    public int Columns { get; set; }

    /// <summary>Weight bytes that one run reads at least.</summary>
    public static long WeightBytes(WeightType type) => Matrices * Rows * WeightTypes.RowBytes(type, Cols);

    [GlobalSetup]
    public unsafe void Setup()
    {
        var matrix = WeightBytes(Type) / Matrices;
        _weights = (nint)NativeMemory.AlignedAlloc((nuint)matrix, 64);
        var state = 1ul;
        ModelSynthesizerBlocks.Fill(Type, new Span<byte>((void*)_weights, (int)matrix), ref state);
        var program = Program();
        var limits = new StepLimits(Columns, 1, 1, NativeExecutor.PreferredBlockSize, [], 1);
        _executor = NativeExecutor.Create(program, limits);
        _batch = new StepBatch(limits, 0) { TokenCount = Columns, SequenceCount = 1, LogitRowCount = 1 };
        _batch.QueryStart[1] = Columns;
        _batch.ContextLen[0] = Columns;
        _batch.LogitRows[0] = Columns - 1;
        for (var i = 0; i < Columns; i++) (_batch.Tokens[i], _batch.Positions[i]) = (i % Vocabulary, i);
    }

    [Benchmark]
    public void Run() => _executor.Run(_batch);

    [GlobalCleanup]
    public unsafe void Cleanup()
    {
        _executor.Dispose();
        NativeMemory.AlignedFree((void*)_weights);
    }

    /// <summary>Embedding, the matrices one after another over the same input, and a head too small to count.</summary>
    private TransformerProgram Program()
    {
        var row = WeightTypes.RowBytes(Type, Cols);
        var weights = new List<WeightTensor> { new("embedding", Type, Vocabulary, Cols, _weights, row) };
        var ops = new List<Op> { Op.Of(OpKind.Embed) with { Output = 0, W0 = 0 } };
        for (var i = 0; i < Matrices; i++)
        {
            weights.Add(new WeightTensor($"matrix {i}", Type, Rows, Cols, _weights, row));
            ops.Add(Op.Of(OpKind.MatMul) with { Input = 0, Output = 1, W0 = weights.Count - 1 });
        }
        ops.Add(Op.Of(OpKind.SelectRows) with { Input = 0, Output = 2 });
        ops.Add(Op.Of(OpKind.MatMul) with { Input = 2, Output = 3, W0 = 0 });
        return new TransformerProgram
        {
            Ops = ops,
            Weights = weights,
            Buffers = [new("x", BufferRows.Tokens, Cols), new("y", BufferRows.Tokens, Rows), new("selected", BufferRows.Logits, Cols), new("logits", BufferRows.Logits, Vocabulary)],
            RopeTables = [],
            KvLayers = [],
            KvGroups = [],
            VocabSize = Vocabulary,
            ContextLen = 512,
            LogitsBuffer = 3,
        };
    }

    private sealed class ShareConfig : ManualConfig
    {
        public ShareConfig() => AddColumn(new ShareColumn());
    }

    private sealed class ShareColumn : IColumn
    {
        private readonly Lazy<double> _bandwidth = new(() => NativeDevice.MeasureReadBandwidth());

        public string Id => "Share";
        public string ColumnName => "Share";
        public string Legend => "Weight bytes a second against the measured read bandwidth";
        public bool AlwaysShow => true;
        public ColumnCategory Category => ColumnCategory.Custom;
        public int PriorityInCategory => 0;
        public bool IsNumeric => true;
        public UnitType UnitType => UnitType.Dimensionless;

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            var mean = summary[benchmarkCase]?.ResultStatistics?.Median;
            if (mean is not { } nanoseconds || benchmarkCase.Parameters[nameof(Type)] is not WeightType type) return "-";
            var bytesPerSecond = WeightBytes(type) / (nanoseconds / 1e9);
            return string.Create(CultureInfo.InvariantCulture, $"{bytesPerSecond / 1e9:0.0} GB/s {bytesPerSecond / _bandwidth.Value:P0}");
        }

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);
        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
        public bool IsAvailable(Summary summary) => true;
    }
}

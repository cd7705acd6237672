using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Native;

/// <summary>Lays a program out in the native library's structures and makes a model of it. At start only, so it may allocate.</summary>
internal static unsafe class NativeProgramBuilder
{
    /// <summary>How often progress is reported while weights are packed.</summary>
    private const int ProgressMilliseconds = 100;

    public static NativeModelHandle Create(TransformerProgram program, StepLimits limits, NativeOptions options)
    {
        var ops = program.Ops.ToArray();
        var weights = Array.ConvertAll(program.Weights.ToArray(), w => new NativeWeight
        {
            Type = (int)w.Type, Rows = w.Rows, Cols = w.Cols, Experts = w.Experts, Data = w.Data,
            RowStrideBytes = w.RowStrideBytes, ExpertStrideBytes = w.ExpertStrideBytes,
        });
        var buffers = Array.ConvertAll(program.Buffers.ToArray(), b => new NativeBuffer { Rows = (int)b.Rows, Cols = b.Cols });
        var kvLayers = Array.ConvertAll(program.KvLayers.ToArray(), k => new NativeKvLayer { NKvHeads = k.NKvHeads, HeadDim = k.HeadDim, Group = k.Group });
        var (ropeFloats, ropeTables) = RopeFloats(program.RopeTables);
        fixed (float* floats = ropeFloats)
        fixed (NativeRopeTable* tables = ropeTables)
        fixed (Op* op = ops)
        fixed (NativeWeight* weight = weights)
        fixed (NativeBuffer* buffer = buffers)
        fixed (NativeKvLayer* kvLayer = kvLayers)
        fixed (int* blocks = limits.BlocksPerGroup)
        {
            for (var i = 0; i < ropeTables.Length; i++)
            {
                tables[i].InverseFrequencies = floats + (nint)tables[i].InverseFrequencies;
                tables[i].AttentionFactors = floats + (nint)tables[i].AttentionFactors;
            }
            var native = new NativeProgram
            {
                Ops = op, Weights = weight, Buffers = buffer, RopeTables = tables, KvLayers = kvLayer,
                OpCount = ops.Length, WeightCount = weights.Length, BufferCount = buffers.Length, RopeTableCount = ropeTables.Length,
                KvLayerCount = kvLayers.Length, KvGroupCount = program.KvGroups.Count,
                VocabSize = program.VocabSize, TopK = program.TopK, LogitsBuffer = program.LogitsBuffer,
            };
            var nativeLimits = new NativeLimits
            {
                BlocksPerGroup = blocks, MaxTokens = limits.MaxTokens, MaxSequences = limits.MaxSequences, MaxLogitRows = limits.MaxLogitRows,
                BlockSize = limits.BlockSize, MaxBlocksPerSequence = limits.MaxBlocksPerSequence,
            };
            return Create(&native, &nativeLimits, options, program);
        }
    }

    private static NativeModelHandle Create(NativeProgram* program, NativeLimits* limits, NativeOptions options, TransformerProgram source)
    {
        long packed = 0;
        var native = new NativeOptionsBlock { Threads = options.Threads, PinThreads = options.PinThreads ? 1 : 0, Progress = &packed };
        using var watch = options.Progress is null ? null : Watch((nint)(&packed), options.Progress, MatrixBytes(source));
        var status = NativeMethods.af_model_create(program, limits, &native, out var model);
        if (status != 0) throw new NativeModelException(NativeMethods.LastError());
        options.Progress?.Report(1);
        return new NativeModelHandle(model);
    }

    /// <summary>Reads the native counter some times a second until it is disposed, which waits for a report under way.</summary>
    private static Disposal Watch(nint counter, IProgress<double> progress, double totalBytes) =>
        new(new Timer(_ => progress.Report(Math.Min(1, Volatile.Read(ref *(long*)counter) / totalBytes)), null, ProgressMilliseconds, ProgressMilliseconds));

    private static double MatrixBytes(TransformerProgram program)
    {
        double sum = 1;
        foreach (var weight in program.Weights) if (weight.Rows > 1) sum += weight.WeightBytes;
        return sum;
    }

    /// <summary>All frequencies and factors in one array; the tables' pointers are offsets into it for now.</summary>
    private static (float[], NativeRopeTable[]) RopeFloats(IReadOnlyList<RopeTable> tables)
    {
        var floats = new List<float>();
        var native = new NativeRopeTable[tables.Count];
        for (var i = 0; i < native.Length; i++)
        {
            var table = tables[i];
            native[i].Variants = table.InverseFrequencies.Length;
            native[i].Frequencies = table.InverseFrequencies[0].Length;
            native[i].InverseFrequencies = (float*)floats.Count;
            foreach (var variant in table.InverseFrequencies)
            {
                if (variant.Length != native[i].Frequencies) throw new NativeModelException("A rope table's variants differ in length.");
                floats.AddRange(variant);
            }
            native[i].AttentionFactors = (float*)floats.Count;
            floats.AddRange(table.AttentionFactors);
        }
        return (floats.ToArray(), native);
    }

    private sealed class Disposal(Timer timer) : IDisposable
    {
        public void Dispose()
        {
            using var done = new ManualResetEvent(false);
            if (timer.Dispose(done)) done.WaitOne();
        }
    }
}

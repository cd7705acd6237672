using System.Globalization;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Ilgpu.Weights;
using AiFabrik.Compute.Programs;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>
/// Runs a program with our own kernels on a CUDA or OpenCL device: float32 sums and residual, weights decoded in the kernels, KV cache in IEEE
/// half; activations float32, but bf16 before products on the tensor cores. One stream; four arenas (weights, KV, activations, staging). A step:
/// 1. check the batch, plan, stage ids, positions, slots, block tables, cos and sin, and queue their copy;
/// 2. queue a launch or two for each operation, then the search for each logit row's best token, or the graph that holds all of them;
/// 3. queue the search for the best few of rows that want them, the copies of what was found and of the rows that are wanted in full, and wait
///    for the stream.
/// </summary>
public sealed class IlgpuExecutor : IExecutor
{
    /// <summary>Slots per KV block.</summary>
    public const int PreferredBlockSize = 32;

    private readonly IlgpuDevice _device;
    private readonly TransformerProgram _program;
    private readonly AcceleratorStream _stream;
    private readonly DeviceWeights _weights;
    private readonly DeviceKvCache _cache;
    private readonly DeviceActivations _activations;
    private readonly StepStaging _staging;
    private readonly StepRunner _runner;
    private readonly StepGraphs? _graphs;
    private readonly bool _padsDecode;
    private bool _disposed;

    private IlgpuExecutor(IlgpuDevice device, TransformerProgram program, StepLimits limits, IlgpuOptions options)
    {
        _device = device;
        _program = program;
        Limits = limits;
        var usesTensor = device.MayHaveTensorKernels && TensorProducts.Serves(program);
        var multiprocessors = device.Accelerator.NumMultiprocessors;
        _weights = new DeviceWeights(program);
        _cache = new DeviceKvCache(program, limits);
        _activations = new DeviceActivations(program, limits, usesTensor ? TensorProducts.ScratchBytes(program, limits, multiprocessors) : 0);
        CheckMemory();
        device.UseKernelDirectory(options.KernelDirectory);
        device.Accelerator.Bind();
        // Graphs are captured on it, which the default stream and streams that wait for it do not allow.
        _stream = device.Accelerator is CudaAccelerator cuda ? cuda.CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING) : device.Accelerator.CreateStream();
        _cache.Allocate(device, _stream);
        _activations.Allocate(device, _stream);
        _staging = new StepStaging(device, _stream, program, limits);
        _weights.Load(device, _stream, Third(options.Progress, 0));
        var tileTokens = TensorAttention.TileTokens(program, limits);
        if (usesTensor || tileTokens > 0) device.LoadTensorKernels(Third(options.Progress, 1));
        var tensor = usesTensor && device.TensorKernels is { } kernels ? new TensorProducts(kernels, (CudaStream)_stream, multiprocessors, program, limits, _weights, _activations.Scratch) : null;
        Info = new ExecutorInfo(device.Name, device.Description, tensor is null ? ExactnessClass.Float16 : ExactnessClass.BFloat16, 0, CopiesLogits: true);
        _graphs = Graphs(options);
        _padsDecode = _graphs is not null || options.PadsDecode;
        var attention = tileTokens > 0 && device.TensorKernels is { } attending ? new TensorAttention(attending, (CudaStream)_stream) : null;
        if (attention is not null) _staging.TileTokens = tileTokens;
        lock (device.Gate) _runner = new StepRunner(device, _stream, program, limits, _weights, _cache, _activations, _staging, tensor, attention, _graphs);
        if (options.WarmUp) WarmUp(Third(options.Progress, 2));
        options.Progress?.Report(1);
    }

    public ExecutorInfo Info { get; }
    public StepLimits Limits { get; }

    /// <summary>Bytes of weights, KV cache and activations on the device.</summary>
    public long WeightBytes => _weights.Bytes;
    public long KvBytes => _cache.Bytes;
    public long ActivationBytes => _activations.Bytes;

    /// <summary>Opens a device and brings a model to it.</summary>
    /// <param name="device">"cuda", "cuda:1", "opencl:0" and so on.</param>
    /// <exception cref="IlgpuException">There is no such device, or the model does not fit it.</exception>
    public static IlgpuExecutor Create(string device, TransformerProgram program, StepLimits limits, IlgpuOptions? options = null) =>
        Create(IlgpuDevices.Open(device), program, limits, options);

    internal static IlgpuExecutor Create(IlgpuDevice device, TransformerProgram program, StepLimits limits, IlgpuOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(limits.BlocksPerGroup.Length, program.KvGroups.Count, nameof(limits));
        ProgramCheck.Run(program);
        foreach (var layer in program.KvLayers)
            if (layer.HeadDim > AttentionKernel.HeadDimMax) throw new IlgpuException(string.Create(CultureInfo.InvariantCulture, $"The model's heads have {layer.HeadDim} values, and the device's kernels take {AttentionKernel.HeadDimMax} at most."));
        try
        {
            return new IlgpuExecutor(device, program, limits, options ?? new IlgpuOptions());
        }
        catch (AcceleratorException e)
        {
            throw DeviceFailure.WhileLoading(device.Name, e);
        }
    }

    public void Run(StepBatch batch)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        BatchCheck.Run(batch, _program, Limits);
        if (batch.TokenCount == 0) return;
        lock (_device.Gate)
        {
            _device.Accelerator.Bind();
            var plan = Plan(batch);
            _staging.Upload(batch, plan);
            _runner.Run(plan);
            _runner.Top();
            if (batch.LogitRowCount > 0) _staging.DownloadBest(batch.LogitRowCount);
            if (_staging.TopRowCount > 0) _staging.DownloadTop(batch.LogitRowCount);
            for (var row = 0; row < batch.LogitRowCount; row++)
                if (batch.Wanted[row] == (int)LogitsWanted.Full) _activations.ReadRow(_program.LogitsBuffer, row, _staging.LogitsTarget(row));
            _stream.Synchronize();
        }
    }

    /// <summary>What the device reaches at most, measured now: bytes a second, read and written, of a copy within its memory, and bf16 operations a second of its tensor cores (0: none, or not measured).</summary>
    public (double CopyBytes, double MatrixOperations) MeasureRates()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return DeviceRates.Measure(_device);
    }

    public int Argmax(int row)
    {
        CheckRow(row);
        return _staging.HostBest[row];
    }

    public Span<float> Logits(int row)
    {
        CheckRow(row);
        return _staging.HostLogits(row);
    }

    public TopLogits Top(int row)
    {
        CheckRow(row);
        return _staging.HostTop(row);
    }

    public void ClearBlocks(int group, ReadOnlySpan<int> blocks)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _device.Accelerator.Bind();
        _cache.Clear(group, blocks);
        _stream.Synchronize();
    }

    public void ClearActivations()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _device.Accelerator.Bind();
        // The host's side first: it can be zeroed even if the device has failed.
        _staging.Clear();
        _activations.Clear();
        _stream.Synchronize();
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _device.Accelerator.Bind();
        _graphs?.Dispose();
        _staging.Dispose();
        _activations.Dispose();
        _cache.Dispose();
        _weights.Dispose();
        DeviceFailure.Tolerate(_stream);
    }

    /// <summary>Every arena that holds content, by name: tests read them back and look for residue.</summary>
    internal IEnumerable<(string Name, DeviceArena Arena)> ContentArenas => [("kv", _cache.Arena), ("activations", _activations.Arena), ("staging", _staging.Arena)];

    /// <summary>For tests: makes a batch the current one, without running anything.</summary>
    internal void Stage(StepBatch batch)
    {
        BatchCheck.Run(batch, _program, Limits);
        _device.Accelerator.Bind();
        _staging.Upload(batch, Plan(batch));
        _stream.Synchronize();
    }

    /// <summary>For tests: runs one operation on the staged batch.</summary>
    internal void RunOperation(int index, StepBatch batch)
    {
        lock (_device.Gate)
        {
            _runner.RunOne(index, Plan(batch));
            _stream.Synchronize();
        }
    }

    /// <summary>For tests: graphs that there are, and launches of them so far.</summary>
    internal (int Count, long Replays) GraphCounts => (_graphs?.Count ?? 0, _graphs?.Replays ?? 0);

    /// <summary>For tests: the buffers on the device.</summary>
    internal DeviceActivations Activations => _activations;

    /// <summary>Before anything is allocated: what is too large for the device is refused with a sentence.</summary>
    private void CheckMemory()
    {
        long[] arenas = [_weights.Bytes, _cache.Bytes, _activations.Bytes];
        long needed = arenas.Sum(), free = _device.FreeBytes, largest = _device.AllocationBytesMax;
        if (needed > free)
            throw new IlgpuException(string.Create(CultureInfo.InvariantCulture, $"The model needs {needed / 1e9:0.00} GB on {_device.Name}, which has {free / 1e9:0.00} GB: ask for less context or fewer sequences, or take a smaller model."));
        if (arenas.Max() > largest)
            throw new IlgpuException(string.Create(CultureInfo.InvariantCulture, $"The model needs {arenas.Max() / 1e9:0.00} GB in one piece on {_device.Name}, which gives {largest / 1e9:0.00} GB at most."));
    }

    private StepPlan Plan(StepBatch batch) => StepPlan.For(batch, Limits, _padsDecode);

    private StepGraphs? Graphs(IlgpuOptions options)
    {
        if (_stream is not CudaStream stream || options.GraphsMax <= 0) return null;
        if (CudaDriver.TryOpen(out var status)) return new StepGraphs(stream, options.GraphsMax, options.Notice);
        options.Notice?.Invoke($"Decode steps are launched kernel by kernel: {CudaDriver.Describe(status)}");
        return null;
    }

    /// <summary>
    /// Steps of one token, of a few, and of enough for the tiled product: that compiles what the program uses, for the driver too. Two more of one
    /// token capture a graph and launch it, so that a driver which cannot is known at start.
    /// </summary>
    private void WarmUp(IProgress<double>? progress)
    {
        int[] sizes = _graphs is null ? [1, 2, GemvKernel.ColumnsMax + 1] : [1, 2, GemvKernel.ColumnsMax + 1, 1, 1];
        var batch = new StepBatch(Limits, _program.KvGroups.Count);
        for (var i = 0; i < sizes.Length; i++)
        {
            var tokens = Math.Min(sizes[i], Math.Min(Limits.MaxTokens, Limits.MaxBlocksPerSequence * Limits.BlockSize));
            var blocks = (tokens + Limits.BlockSize - 1) / Limits.BlockSize;
            if (Limits.BlocksPerGroup.Any(count => count < blocks)) break;
            Fill(batch, tokens, blocks);
            Run(batch);
            progress?.Report((i + 1.0) / sizes.Length);
        }
        for (var group = 0; group < _program.KvGroups.Count; group++) ClearBlocks(group, [.. Enumerable.Range(0, Math.Min(Limits.BlocksPerGroup[group], 2))]);
        ClearActivations();
    }

    private static void Fill(StepBatch batch, int tokens, int blocks)
    {
        batch.Clear();
        for (var i = 0; i < tokens; i++) batch.Positions[i] = i;
        for (var g = 0; g < batch.KvGroups; g++)
        {
            for (var i = 0; i < tokens; i++) batch.SlotMapping(g)[i] = i;
            for (var b = 0; b < blocks; b++) batch.BlockTable(g, 0)[b] = b;
        }
        (batch.QueryStart[1], batch.ContextLen[0], batch.TokenCount, batch.SequenceCount) = (tokens, tokens, tokens, 1);
        if (batch.Limits.MaxLogitRows == 0) return;
        batch.LogitRowCount = Math.Min(tokens, batch.Limits.MaxLogitRows);
        for (var r = 0; r < batch.LogitRowCount; r++) batch.LogitRows[r] = r;
        (batch.Wanted[0], batch.TopWanted[0]) = ((int)LogitsWanted.Top, 1);
    }

    private static Progress? Third(IProgress<double>? progress, int third) => progress is null ? null : new Progress(progress, third);

    private void CheckRow(int row)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Limits.MaxLogitRows, nameof(row));
    }

    /// <summary>A third of a larger progress.</summary>
    private sealed class Progress(IProgress<double> whole, int third) : IProgress<double>
    {
        public void Report(double value) => whole.Report((third + value) / 3);
    }
}

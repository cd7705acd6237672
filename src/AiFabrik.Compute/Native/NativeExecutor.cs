using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;

namespace AiFabrik.Compute.Native;

/// <summary>
/// Runs a program in native/: packed weights, SIMD kernels, one thread team. One call per step, no managed allocation.
/// The thread that calls <see cref="Run"/> takes part in the work and should always be the same one.
/// The weights' memory must stay readable for as long as the executor lives.
/// </summary>
public sealed unsafe class NativeExecutor : IExecutor
{
    /// <summary>Slots per KV block that suit the native cache: two of its pages.</summary>
    public const int PreferredBlockSize = 32;

    private readonly NativeModelHandle _model;
    private readonly int _vocabSize, _kvGroups;
    private readonly float* _logits;
    private readonly int* _best;
    private readonly TopK _top;

    private NativeExecutor(NativeModelHandle model, TransformerProgram program, StepLimits limits)
    {
        _model = model;
        _vocabSize = program.VocabSize;
        _kvGroups = program.KvGroups.Count;
        _logits = NativeMethods.af_model_logits(model);
        _best = NativeMethods.af_model_best(model);
        _top = new TopK(limits);
        Limits = limits;
        Program = program;
        NativeModelInfo info;
        NativeMethods.af_model_describe(model, &info);
        PackedBytes = info.PackedBytes;
        KvBytes = info.KvBytes;
        ActivationBytes = info.ActivationBytes;
        UnlockedBytes = info.UnlockedBytes;
        var exactness = info.ActivationsAreInt8 != 0 ? ExactnessClass.Int8 : info.ActivationsAreBFloat16 != 0 ? ExactnessClass.BFloat16 : ExactnessClass.Float16;
        Info = new ExecutorInfo("cpu", $"{RuntimeInformation.ProcessArchitecture} with {NativeDevice.InstructionSet}", exactness, info.Threads);
    }

    public ExecutorInfo Info { get; }
    public StepLimits Limits { get; }

    /// <summary>The program as it runs, after fusion.</summary>
    public TransformerProgram Program { get; }

    /// <summary>Bytes of packed weights.</summary>
    public long PackedBytes { get; }

    /// <summary>Bytes of the KV cache.</summary>
    public long KvBytes { get; }

    /// <summary>Bytes of activations and scratch.</summary>
    public long ActivationBytes { get; }

    /// <summary>Bytes of content memory that the system refused to lock; 0 when all is locked.</summary>
    public long UnlockedBytes { get; }

    /// <summary>Packs the weights and starts the threads.</summary>
    /// <exception cref="NativeModelException">The program cannot be run, or there is not enough memory.</exception>
    public static NativeExecutor Create(TransformerProgram program, StepLimits limits, NativeOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(limits.BlocksPerGroup.Length, program.KvGroups.Count, nameof(limits));
        options ??= new NativeOptions();
        if (NativeMethods.af_abi_version() != NativeMethods.AbiVersion)
            throw new NativeModelException("The native library is of another version than the host; build both with ./build.sh build.");
        if (options.Fuse) program = Fusion.Apply(program);
        return new NativeExecutor(NativeProgramBuilder.Create(program, limits, options), program, limits);
    }

    public void Run(StepBatch batch)
    {
        NativeBatch native;
        native.Tokens = Pinned(batch.Tokens);
        native.Positions = Pinned(batch.Positions);
        native.Slots = _kvGroups > 0 ? Pinned(batch.SlotMapping(0)) : null;
        native.QueryStart = Pinned(batch.QueryStart);
        native.ContextLen = Pinned(batch.ContextLen);
        native.RopeVariant = Pinned(batch.RopeVariant);
        native.BlockTables = Pinned(batch.BlockTables);
        native.LogitRows = Pinned(batch.LogitRows);
        native.TokenCount = batch.TokenCount;
        native.SequenceCount = batch.SequenceCount;
        native.LogitRowCount = batch.LogitRowCount;
        if (batch.TokenCount == 0) return;
        _top.Begin(batch);
        var status = NativeMethods.af_model_step(_model, &native);
        GC.KeepAlive(batch);
        if (status != 0) throw new ArgumentException(NativeMethods.LastError(), nameof(batch));
    }

    public int Argmax(int row)
    {
        CheckRow(row);
        return _best[row];
    }

    public Span<float> Logits(int row)
    {
        CheckRow(row);
        return new Span<float>(_logits + (nint)row * _vocabSize, _vocabSize);
    }

    public TopLogits Top(int row) => _top.Of(row, Logits(row));

    public void ClearBlocks(int group, ReadOnlySpan<int> blocks)
    {
        fixed (int* at = blocks)
        {
            if (NativeMethods.af_model_clear_blocks(_model, group, at, blocks.Length) != 0)
                throw new ArgumentOutOfRangeException(nameof(blocks), NativeMethods.LastError());
        }
    }

    public void ClearActivations()
    {
        _top.Clear();
        NativeMethods.af_model_clear_activations(_model);
    }

    /// <summary>Seconds spent in each <see cref="OpKind"/> (by its number) since the executor was made, as its first thread saw it.</summary>
    public void Profile(Span<double> seconds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seconds.Length, NativeMethods.ProfileEntries, nameof(seconds));
        fixed (double* to = seconds) NativeMethods.af_model_profile(_model, to);
    }

    public void Dispose()
    {
        _top.Dispose();
        _model.Dispose();
    }

    private void CheckRow(int row)
    {
        ObjectDisposedException.ThrowIf(_model.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Limits.MaxLogitRows, nameof(row));
    }

    /// <summary>A batch's arrays are allocated pinned, so their addresses stay.</summary>
    private static int* Pinned(Span<int> values) => (int*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(values));
}

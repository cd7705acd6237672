using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Ilgpu.Weights;
using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>From operations to launches. Everything that a launch needs was made beforehand, so that a step allocates nothing.</summary>
internal sealed class StepRunner
{
    private const int FloatsPerLoad = 4;

    private readonly IlgpuDevice _device;
    private readonly KernelSet _kernels;
    private readonly AcceleratorStream _stream;
    private readonly TransformerProgram _program;
    private readonly StepLimits _limits;
    private readonly DeviceWeights _weights;
    private readonly DeviceKvCache _cache;
    private readonly DeviceActivations _activations;
    private readonly StepStaging _staging;
    private readonly DecoderKernels[] _decoders;
    private readonly Op[] _ops;
    private readonly TensorProducts? _tensor;
    private readonly TensorAttention? _attention;
    private readonly StepGraphs? _graphs;

    /// <summary>Stands for a norm, bias or sink that there is none of: kernels don't read it then.</summary>
    private readonly ArrayView<float> _none;

    private int _tokens, _rows, _longest;

    /// <param name="tensor">Serves the products that it can; null: the portable kernels serve all.</param>
    /// <param name="attention">Serves attention, whose tiles are as long as it takes them; null: the portable kernels do.</param>
    /// <param name="graphs">Serves decode steps; null: all are launched kernel by kernel.</param>
    public StepRunner(
        IlgpuDevice device, AcceleratorStream stream, TransformerProgram program, StepLimits limits, DeviceWeights weights, DeviceKvCache cache, DeviceActivations activations,
        StepStaging staging, TensorProducts? tensor = null, TensorAttention? attention = null, StepGraphs? graphs = null)
    {
        (_tensor, _attention, _graphs) = (tensor, attention, graphs);
        (_device, _kernels, _stream, _program, _limits) = (device, device.Kernels, stream, program, limits);
        (_weights, _cache, _activations, _staging) = (weights, cache, activations, staging);
        _ops = [.. program.Ops];
        _none = activations.Buffers[0];
        _decoders = new DecoderKernels[(int)Enum.GetValues<WeightType>().Max() + 1];
        foreach (var type in weights.Types) _decoders[(int)type] = _kernels.For(type);
    }

    /// <summary>Queues all operations of a step whose inputs are staged, then the search for the best tokens; from a graph where there is one.</summary>
    public void Run(in StepPlan plan)
    {
        (_tokens, _rows, _longest) = (plan.Tokens, plan.Rows, plan.Longest);
        switch (_graphs?.Next(plan) ?? GraphUse.None)
        {
            case GraphUse.Replay when _graphs!.Launch(plan): return;
            case GraphUse.Capture when Capture(plan): return;
        }
        Launch();
    }

    /// <summary>Queues the search for the best few logits of the rows that want them: after the step, outside of graphs, since rows and number change.</summary>
    public void Top()
    {
        if (_staging.TopRowCount == 0) return;
        var shape = new TopKShape { Cols = _program.VocabSize, Stride = _activations.Stride(_program.LogitsBuffer), Chunks = TopKKernel.Chunks(_program.VocabSize), Count = _staging.TopCount };
        var logits = _activations.Buffers[_program.LogitsBuffer];
        _kernels.TopKPartial(
            _stream, TopKKernel.PartialConfig(shape, _staging.TopRowCount), _activations.TopValues, _activations.TopIndices, _activations.TopSums, logits, _staging.TopRows, shape);
        _kernels.TopKCombine(
            _stream, TopKKernel.CombineConfig(_staging.TopRowCount), _staging.TopIds, _staging.TopLogits, _staging.TopTotals, _activations.TopValues, _activations.TopIndices,
            _activations.TopSums, logits, _staging.TopRows, shape);
    }

    /// <summary>Queues one operation: tests run them one by one.</summary>
    public void RunOne(int index, in StepPlan plan)
    {
        (_tokens, _rows, _longest) = (plan.Tokens, plan.Rows, plan.Longest);
        Run(index, _ops[index]);
    }

    /// <summary>Launches into the capture that has begun, and then what was captured. False: nothing was executed.</summary>
    private bool Capture(in StepPlan plan)
    {
        try
        {
            Launch();
        }
        catch (Exception e) when (e is CudaException or IlgpuException)
        {
            _graphs!.Abandon(e.Message);
            return false;
        }
        return _graphs!.EndAndLaunch(plan);
    }

    private void Launch()
    {
        for (var i = 0; i < _ops.Length; i++) Run(i, _ops[i]);
        if (_rows > 0) Argmax();
    }

    private void Run(int index, in Op op)
    {
        if (RowsOf(op.Output) == 0) return;
        switch (op.Kind)
        {
            case OpKind.Embed: Embed(index, op); break;
            case OpKind.RmsNorm: RmsNorm(op.Input, _activations.Buffers[op.Output], _activations.Stride(op.Output), _weights.Norm0(index)!, op.Eps, op.Accumulate); break;
            case OpKind.MatMul: MatMul(index, op); break;
            case OpKind.RopeStoreKv: RopeStoreKv(index, op); break;
            case OpKind.Attention: Attention(index, op); break;
            case OpKind.ActMul: ActMul(_activations.Buffers[op.Input], _activations.Stride(op.Input), op); break;
            case OpKind.SelectRows: SelectRows(op); break;
            case OpKind.Softcap: Softcap(op); break;
            case OpKind.MoeRoute: MoeRoute(op); break;
            case OpKind.MoeGateUp: MoeGateUp(index, op); break;
            case OpKind.MoeDown: MoeDown(index, op); break;
            default: throw new ArgumentOutOfRangeException(nameof(op), op.Kind, "No such operation.");
        }
    }

    private void Embed(int index, in Op op)
    {
        var matrix = _weights.PartsOf(index)[0].Matrix;
        var shape = new EmbedShape { Tokens = _tokens, Units = matrix.Units, Cols = matrix.Cols, Stride = _activations.Stride(op.Output), Scale = op.Scale };
        _decoders[(int)matrix.Type].Embed(_stream, EmbedKernel.Config(shape), _activations.Buffers[op.Output], _staging.Tokens, matrix.Quants, matrix.Scales, shape);
    }

    private void RmsNorm(int input, ArrayView<float> output, int outStride, DeviceVector norm, float eps, int accumulate)
    {
        var shape = new RmsNormShape
        {
            Rows = RowsOf(input), Cols = _program.Buffers[input].Cols, InStride = _activations.Stride(input), OutStride = outStride, Accumulate = accumulate, Eps = eps,
        };
        _kernels.RmsNorm(_stream, RmsNormKernel.Config(_device.IsGpu, shape), output, _activations.Buffers[input], norm.View, shape);
    }

    private void MatMul(int index, in Op op)
    {
        ArrayView<float> x = _activations.Buffers[op.Input];
        var loads = _activations.Loads[op.Input];
        if (_weights.Norm0(index) is { } norm)
        {
            RmsNorm(op.Input, _activations.Normed, _activations.Stride(op.Input), norm, op.Eps, accumulate: 0);
            (x, loads) = (_activations.Normed, _activations.NormedLoads);
        }
        var gated = op.Activation != Activation.None;
        var y = gated ? _activations.Wide : _activations.Buffers[op.Output];
        var yStride = gated ? DeviceActivations.WideStride(_program.Buffers[op.Output].Cols) : _activations.Stride(op.Output);
        int xStride = _activations.Stride(op.Input), rows = RowsOf(op.Input);
        var begun = false;
        foreach (var part in _weights.PartsOf(index))
        {
            if (_tensor is null || !TensorProducts.Serves(part))
            {
                Multiply(part, loads, xStride, rows, y, yStride, op.Accumulate);
                continue;
            }
            if (!begun) _tensor.Begin(x, xStride, rows, _program.Buffers[op.Input].Cols);
            begun = true;
            _tensor.Multiply(part, y, yStride, op.Accumulate != 0);
        }
        if (gated) ActMul(_activations.Wide, yStride, op);
    }

    private void Multiply(MatMulPart part, ArrayView<Float4> x, int xStride, int columns, ArrayView<float> y, int yStride, int accumulate)
    {
        var matrix = part.Matrix;
        var shape = new MatMulShape
        {
            Rows = matrix.Rows, Units = matrix.Units, Columns = columns, XStride = xStride / FloatsPerLoad, YStride = yStride, YOffset = part.YOffset,
            HasBias = part.Bias is null ? 0 : 1, Accumulate = accumulate,
        };
        var bias = part.Bias?.View ?? _none;
        var kernels = _decoders[(int)matrix.Type];
        if (columns > GemvKernel.ColumnsMax)
        {
            kernels.Gemm(_stream, GemmKernel.Config(shape), y, x, matrix.Quants, matrix.Scales, bias, shape);
            return;
        }
        var config = GemvKernel.Config(_device.IsGpu, ref shape);
        (columns == 1 ? kernels.GemvOne : kernels.GemvFour)(_stream, config, y, x, matrix.Quants, matrix.Scales, bias, shape);
    }

    private void RopeStoreKv(int index, in Op op)
    {
        int qNorm = op.Norm0 >= 0 ? 1 : 0, kNorm = op.Norm1 >= 0 ? 1 : 0;
        var shape = new RopeShape
        {
            Tokens = _tokens, NHeads = op.NHeads, NKvHeads = op.NKvHeads, HeadDim = op.HeadDim, HeadStride = DeviceKvCache.HeadStride(op.HeadDim), BlockSize = _limits.BlockSize,
            Stride = _activations.Stride(op.Input), Half = op.RopeTable < 0 ? 0 : _staging.HalfOf(op.RopeTable), Interleaved = op.RopeStyle == RopeStyle.Interleaved ? 1 : 0,
            HasQNorm = qNorm, HasKNorm = kNorm, Eps = op.Eps,
        };
        _kernels.RopeStoreKv(
            _stream, RopeStoreKvKernel.Config(shape), _activations.Buffers[op.Input], _cache.Halves[op.Layer], _staging.SlotsOf[_program.KvLayers[op.Layer].Group],
            op.RopeTable < 0 ? _none : _staging.RopeOf[op.RopeTable], _weights.Norm0(index)?.View ?? _none, _weights.Norm1(index)?.View ?? _none, shape);
    }

    private void Attention(int index, in Op op)
    {
        var shape = new AttentionShape
        {
            Rows = _staging.AttentionRowCount, NHeads = op.NHeads, NKvHeads = op.NKvHeads, HeadDim = op.HeadDim, HeadStride = DeviceKvCache.HeadStride(op.HeadDim), BlockSize = _limits.BlockSize,
            MaxBlocks = _limits.MaxBlocksPerSequence, QStride = _activations.Stride(op.Input), OutStride = _activations.Stride(op.Output), Window = op.Window,
            HeadBlocks = (op.NHeads / op.NKvHeads + AttentionKernel.HeadsAtOnce - 1) / AttentionKernel.HeadsAtOnce, HasSinks = op.W0 >= 0 ? 1 : 0, Scale = op.Scale, Softcap = op.Softcap,
        };
        if (_attention is null) AttentionKernel.Split(ref shape, _longest);
        else AttentionDecode.Split(ref shape, _longest);
        ArrayView<float> output = _activations.Buffers[op.Output], qkv = _activations.Buffers[op.Input], sinks = _weights.Sinks(index)?.View ?? _none;
        var tables = _staging.TablesOf[_program.KvLayers[op.Layer].Group];
        if (_staging.TileCount > 0 && _attention is not null)
        {
            _attention.Run(output, qkv, _cache.Halves[op.Layer], _staging, tables, sinks, shape);
        }
        else if (_staging.TileCount > 0)
        {
            _kernels.AttentionPrefill(
                _stream, AttentionPrefillKernel.Config(shape, _staging.TileCount), output, qkv, _cache.Quads[op.Layer], _cache.Words[op.Layer], _staging.Tiles, _staging.Positions,
                _staging.Sequences, tables, sinks, shape);
        }
        if (_staging.AttentionRowCount == 0) return;
        if (_attention is not null)
        {
            _attention.RunRows(output, _activations.Partials, qkv, _cache.Halves[op.Layer], _staging, tables, sinks, shape);
        }
        else
        {
            _kernels.Attention(
                _stream, AttentionKernel.Config(shape), output, _activations.Partials, qkv, _cache.Quads[op.Layer], _cache.Words[op.Layer], _staging.AttentionRows, _staging.Positions,
                _staging.Sequences, tables, sinks, shape);
        }
        if (shape.Splits > 1) _kernels.AttentionCombine(_stream, AttentionCombineKernel.Config(shape), output, _activations.Partials, _staging.AttentionRows, sinks, shape);
    }

    private void ActMul(ArrayView<float> x, int xStride, in Op op)
    {
        var shape = new ActMulShape { Rows = RowsOf(op.Output), Cols = _program.Buffers[op.Output].Cols, InStride = xStride, OutStride = _activations.Stride(op.Output), Activation = (int)op.Activation };
        _kernels.ActMul(_stream, ActMulKernel.Config(_device.IsGpu, shape), _activations.Buffers[op.Output], x, shape);
    }

    private void SelectRows(in Op op)
    {
        var shape = new SelectRowsShape { Rows = _rows, Cols = _program.Buffers[op.Output].Cols, InStride = _activations.Stride(op.Input), OutStride = _activations.Stride(op.Output) };
        _kernels.SelectRows(_stream, SelectRowsKernel.Config(shape), _activations.Buffers[op.Output], _activations.Buffers[op.Input], _staging.LogitRows, shape);
    }

    private void Softcap(in Op op)
    {
        var shape = new SoftcapShape { Rows = RowsOf(op.Output), Cols = _program.Buffers[op.Output].Cols, Stride = _activations.Stride(op.Output), Cap = op.Softcap };
        _kernels.Softcap(_stream, SoftcapKernel.Config(shape), _activations.Buffers[op.Output], shape);
    }

    private void MoeRoute(in Op op)
    {
        var shape = new MoeRouteShape
        {
            Tokens = _tokens, Experts = _program.Buffers[op.Input].Cols, TopK = op.TopK, InStride = _activations.Stride(op.Input), OutStride = _activations.Stride(op.Output), Renormalize = op.Renormalize,
        };
        _kernels.MoeRoute(_stream, MoeRouteKernel.Config(shape), _activations.Buffers[op.Output], _activations.Buffers[op.Input], shape);
    }

    private void MoeGateUp(int index, in Op op)
    {
        var stride = DeviceActivations.WideStride(_program.Buffers[op.Output].Cols);
        foreach (var part in _weights.PartsOf(index)) MoeMultiply(part, op, op.TopK, _activations.Wide, stride);
        ActMul(_activations.Wide, stride, op);
    }

    private void MoeDown(int index, in Op op)
    {
        var stride = _activations.Stride(op.Output);
        MoeMultiply(_weights.PartsOf(index)[0], op, 1, _activations.Experts, stride);
        var shape = new MoeCombineShape
        {
            Tokens = _tokens, Cols = _program.Buffers[op.Output].Cols, TopK = op.TopK, OutStride = stride, PartStride = stride, RouteStride = _activations.Stride(op.Input2), Accumulate = op.Accumulate,
        };
        _kernels.MoeCombine(_stream, MoeCombineKernel.Config(shape), _activations.Buffers[op.Output], _activations.Experts, _activations.Buffers[op.Input2], shape);
    }

    private void MoeMultiply(MatMulPart part, in Op op, int xDivisor, ArrayView<float> y, int yStride)
    {
        var matrix = part.Matrix;
        var shape = new MoeShape
        {
            Rows = matrix.Rows, Units = matrix.Units, Pairs = _tokens * op.TopK, TopK = op.TopK, XDivisor = xDivisor, XStride = _activations.Stride(op.Input) / FloatsPerLoad, YStride = yStride,
            RouteStride = _activations.Stride(op.Input2), YOffset = part.YOffset, HasBias = part.Bias is null ? 0 : 1,
        };
        var config = MoeGemvKernel.Config(_device.IsGpu, ref shape);
        _decoders[(int)matrix.Type].MoeGemv(
            _stream, config, y, _activations.Loads[op.Input], _activations.Buffers[op.Input2], matrix.Quants, matrix.Scales, part.Bias?.View ?? _none, shape);
    }

    private void Argmax()
    {
        var shape = new ArgmaxShape { Rows = _rows, Cols = _program.VocabSize, Stride = _activations.Stride(_program.LogitsBuffer), Pieces = ArgmaxKernel.Pieces(_program.VocabSize) };
        _kernels.ArgmaxPartial(_stream, ArgmaxKernel.PartialConfig(shape), _activations.ArgmaxValues, _activations.ArgmaxIndices, _activations.Buffers[_program.LogitsBuffer], shape);
        _kernels.ArgmaxCombine(_stream, ArgmaxKernel.CombineConfig(shape), _staging.Best, _activations.ArgmaxValues, _activations.ArgmaxIndices, shape);
    }

    /// <summary>Rows of a buffer that this step uses.</summary>
    private int RowsOf(int buffer) => _program.Buffers[buffer].Rows switch
    {
        BufferRows.Tokens => _tokens,
        BufferRows.TokenExperts => _tokens * _program.TopK,
        _ => _rows,
    };
}

using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>One product: random operands with NaN in every gap that must not be read, and sentinels in every gap that must not be written.</summary>
internal sealed class MatMulCase
{
    private const float Sentinel = -77.25f;
    private const ushort NotANumber = 0x7FC1;

    private readonly KernelDevice _device;
    private readonly int _tokens, _rows, _cols, _xStride, _wStride, _outStride;
    private readonly float[] _x, _w, _bias, _before;
    private readonly WeightType _type;
    private readonly ulong _output, _biasAt, _activations, _vector, _weights, _quants, _scales;
    private readonly bool _accumulate;

    /// <param name="gap">Values between the end of a row and the start of the next, beyond what alignment asks for.</param>
    /// <param name="roundWeights">Whether the kernel rounds decoded weights to bf16, as the tensor cores need.</param>
    public MatMulCase(KernelDevice device, WeightType type, int tokens, int rows, int cols, int gap, bool accumulate, bool hasBias, bool roundWeights)
    {
        (_device, _type, _tokens, _rows, _cols, _accumulate) = (device, type, tokens, rows, cols, accumulate);
        (_xStride, _wStride, _outStride) = ((cols + 7) / 8 * 8 + gap * 8, (cols + 7) / 8 * 8 + gap * 8, rows + gap);
        var random = new Random(tokens * 7919 + rows * 31 + cols);
        float Next() => random.NextSingle() * 2 - 1;
        bool exactVector = !roundWeights;
        _x = [.. Enumerable.Range(0, tokens * cols).Select(_ => exactVector ? Next() : CudaReference.FromBf16(CudaReference.ToBf16(Next())))];
        _bias = [.. Enumerable.Range(0, rows).Select(_ => hasBias ? Next() : 0)];
        _before = [.. Enumerable.Range(0, tokens * _outStride).Select(i => i % _outStride < rows ? accumulate ? Next() : float.NaN : Sentinel)];
        if (type == WeightType.BF16)
        {
            _w = [.. Enumerable.Range(0, rows * cols).Select(_ => CudaReference.FromBf16(CudaReference.ToBf16(Next())))];
            _weights = device.Upload<ushort>("weights", Pad(_w, rows, _wStride));
        }
        else
        {
            var matrix = new BlockMatrix(type, rows, cols, rows + cols);
            _w = roundWeights ? [.. matrix.Values.Select(v => CudaReference.FromBf16(CudaReference.ToBf16(v)))] : matrix.Values;
            _quants = device.Upload<byte>("quants", matrix.Quants);
            _scales = device.Upload<byte>("scales", matrix.Scales);
        }
        if (exactVector)
        {
            _vector = device.Upload<float>("x", _x);
        }
        else
        {
            _activations = device.Upload<ushort>("activations", Pad(_x, tokens, _xStride));
        }
        _biasAt = hasBias ? device.Upload<float>("bias", _bias) : 0;
        _output = device.Upload<float>("output", _before);
    }

    private ushort[] Pad(float[] values, int rows, int stride)
    {
        ushort[] padded = new ushort[rows * stride];
        Array.Fill(padded, NotANumber);
        for (int r = 0; r < rows; r++)
        {
            for (int k = 0; k < _cols; k++)
            {
                padded[r * stride + k] = CudaReference.ToBf16(values[r * _cols + k]);
            }
        }
        return padded;
    }

    private int Minimum => _type == WeightType.Q4_1 ? 1 : 0;

    public void RunWide()
    {
        LaunchShape shape = GemmBf16Kernel.Launch(_tokens, _rows);
        KernelArguments arguments = new KernelArguments().Add(_output).Add(_activations);
        if (_type == WeightType.BF16)
        {
            _device.Run(CudaKernelId.GemmBf16, shape, arguments.Add(_weights).Add(_biasAt).Add(_tokens).Add(_rows).Add(_cols).Add(_outStride).Add(_xStride).Add(_wStride).Add(Flag));
            return;
        }
        arguments.Add(_quants).Add(_scales).Add(_biasAt).Add(_tokens).Add(_rows).Add(_cols).Add(_outStride).Add(_xStride).Add(Flag);
        _device.Run(_type == WeightType.Q8_0 ? CudaKernelId.GemmQ8 : CudaKernelId.GemmQ4, shape, _type == WeightType.Q8_0 ? arguments : arguments.Add(Minimum));
    }

    public void RunNarrow(SplitPlan split)
    {
        LaunchShape shape = GemmNarrowBf16Kernel.Launch(_tokens, _rows, split.Count);
        (ulong target, long part, int stride, ulong bias, int flag) = Target(split);
        KernelArguments arguments = new KernelArguments().Add(target).Add(_activations);
        if (_type == WeightType.BF16)
        {
            arguments.Add(_weights).Add(bias).Add(_tokens).Add(_rows).Add(_cols).Add(stride).Add(_xStride).Add(_wStride).Add(split.Cols).Add(part).Add(flag);
            _device.Run(CudaKernelId.GemmNarrowBf16, shape, arguments);
        }
        else
        {
            arguments.Add(_quants).Add(_scales).Add(bias).Add(_tokens).Add(_rows).Add(_cols).Add(stride).Add(_xStride).Add(split.Cols).Add(part).Add(flag);
            _device.Run(_type == WeightType.Q8_0 ? CudaKernelId.GemmNarrowQ8 : CudaKernelId.GemmNarrowQ4, shape, _type == WeightType.Q8_0 ? arguments : arguments.Add(Minimum));
        }
        Join(split, target, part);
    }

    public void RunVector(SplitPlan split)
    {
        (ulong target, long part, _, ulong bias, int flag) = Target(split);
        KernelArguments arguments = new KernelArguments().Add(target).Add(_vector);
        switch (_type)
        {
            case WeightType.BF16:
                arguments.Add(_weights).Add(bias).Add(_rows).Add(_cols).Add(_wStride).Add(split.Cols).Add(part).Add(flag);
                _device.Run(CudaKernelId.GemvBf16, GemvBf16Kernel.Launch(_rows, split.Count), arguments);
                break;
            case WeightType.Q8_0:
                _device.Run(CudaKernelId.GemvQ8, GemvQ8Kernel.Launch(_rows, split.Count), arguments.Add(_quants).Add(_scales).Add(bias).Add(_rows).Add(_cols).Add(split.Cols).Add(part).Add(flag));
                break;
            default:
                arguments.Add(_quants).Add(_scales).Add(bias).Add(_rows).Add(_cols).Add(split.Cols).Add(part).Add(flag).Add(Minimum);
                _device.Run(CudaKernelId.GemvQ4, GemvQ4Kernel.Launch(_rows, split.Count), arguments);
                break;
        }
        Join(split, target, part);
    }

    private int Flag => _accumulate ? 1 : 0;

    private (ulong Target, long Part, int Stride, ulong Bias, int Flag) Target(SplitPlan split)
    {
        if (split.Count == 1)
        {
            return (_output, 0, _outStride, _biasAt, Flag);
        }
        float[] workspace = new float[split.WorkspaceFloats(_tokens, _rows)];
        Array.Fill(workspace, float.NaN);
        return (_device.Upload<float>("workspace", workspace), (long)_tokens * _rows, _rows, 0, 0);
    }

    private void Join(SplitPlan split, ulong parts, long partStride)
    {
        if (split.Count > 1)
        {
            _device.Run(CudaKernelId.SplitSum, SplitSumKernel.Launch(_tokens, _rows),
                new KernelArguments().Add(_output).Add(parts).Add(_biasAt).Add(split.Count).Add(_rows).Add(_outStride).Add(partStride).Add(Flag));
        }
    }

    /// <summary>
    /// Every value within the rounding of fp32 sums: 2^−24 a step, some hundred steps and fewer bits where offsets cancel; nothing else written.
    /// The weights of the reference are rounded as the kernel says it rounds them, so that no bf16 error hides a wrong one.
    /// </summary>
    public void Check(double tolerance = 4e-6)
    {
        (double[] sum, double[] size) = CudaReference.MatMul(_x, _w, _tokens, _rows, _cols);
        float[] output = _device.Download<float>(_output, _tokens * _outStride);
        for (int t = 0; t < _tokens; t++)
        {
            for (int n = 0; n < _outStride; n++)
            {
                float actual = output[t * _outStride + n];
                if (n >= _rows)
                {
                    Assert.Equal(Sentinel, actual);
                    continue;
                }
                double expected = sum[t * _rows + n] + _bias[n] + (_accumulate ? _before[t * _outStride + n] : 0);
                double bound = tolerance * (size[t * _rows + n] + Math.Abs(expected)) + 1e-6;
                Assert.True(Math.Abs(actual - expected) <= bound, $"[{t}, {n}] is {actual}, not {expected} ± {bound}");
            }
        }
    }
}

using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>Products as the executor asks for them: the choice of the kernel, the scratch, the order of the parameters, on the PTX machine.</summary>
public sealed class CudaMatMulTests
{
    private static readonly WeightType[] s_types = [WeightType.BF16, WeightType.Q8_0, WeightType.Q4_0, WeightType.Q4_1];

    /// <summary>type, tokens, multiprocessors: of many, sums over K are split; of one, large batches take the wide tile.</summary>
    public static TheoryData<WeightType, int, int> Rows
    {
        get
        {
            var data = new TheoryData<WeightType, int, int>();
            foreach (WeightType type in s_types)
            {
                foreach ((int tokens, int multiprocessors) in (ReadOnlySpan<(int, int)>)[(1, 1), (1, 16), (2, 1), (5, 16), (70, 1), (70, 16)])
                {
                    data.Add(type, tokens, multiprocessors);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_path_gives_the_right_product(WeightType type, int tokens, int multiprocessors)
    {
        const int R = 37, YStride = R + 3;
        // A matrix-vector product is split from two units of K on only.
        int cols = tokens == 1 ? type == WeightType.BF16 ? 700 : 2080 : type == WeightType.BF16 ? 150 : 160;
        int xStride = cols + 4, padded = (cols + 31) / 32 * 32;
        var random = new Random(7);
        using var device = new PtxKernelDevice();
        float[] x = new float[tokens * cols], xPadded = new float[tokens * xStride], bias = new float[R], before = new float[tokens * YStride];
        for (int i = 0; i < x.Length; i++)
        {
            xPadded[i / cols * xStride + i % cols] = x[i] = CudaReference.FromBf16(CudaReference.ToBf16(random.NextSingle() - 0.5f));
        }
        foreach (float[] values in (float[][])[bias, before])
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = random.NextSingle();
            }
        }
        (CudaMatrix matrix, float[] w) = Upload(device, type, R, cols, padded, device.Upload<float>("bias", bias), roundWeights: tokens > 1);
        ulong y = device.Upload<float>("y", before);
        var launched = new List<CudaKernelId>();
        using CudaKernels kernels = device.Kernels(launched);
        ulong scratch = device.Upload<byte>("scratch", new byte[CudaMatMul.ScratchBytes(multiprocessors, tokens, cols)]);
        var products = new CudaMatMul(kernels, multiprocessors, scratch, tokens, cols);
        Assert.Equal(CudaStatus.Success, products.Begin(0, device.Upload<float>("x", xPadded), xStride, tokens, cols));
        Assert.Equal(CudaStatus.Success, products.Run(0, matrix, y, YStride, accumulate: true));

        Assert.Equal(Expected(type, tokens, multiprocessors), launched);
        (double[] sum, double[] size) = CudaReference.MatMul(x, w, tokens, R, cols);
        float[] result = device.Download<float>(y, before.Length);
        for (int i = 0; i < result.Length; i++)
        {
            int t = i / YStride, n = i % YStride;
            double expected = n < R ? sum[t * R + n] + bias[n] + before[i] : before[i];
            Assert.InRange(result[i] - expected, -1e-6 - 4e-6 * (n < R ? size[t * R + n] : 0), 1e-6 + 4e-6 * (n < R ? size[t * R + n] : 0));
        }
    }

    private static (CudaMatrix Matrix, float[] Values) Upload(PtxKernelDevice device, WeightType type, int rows, int cols, int padded, ulong bias, bool roundWeights)
    {
        if (type != WeightType.BF16)
        {
            var blocks = new BlockMatrix(type, rows, cols, 3);
            float[] values = roundWeights ? [.. blocks.Values.Select(v => CudaReference.FromBf16(CudaReference.ToBf16(v)))] : blocks.Values;
            return (new CudaMatrix(type, device.Upload<byte>("quants", blocks.Quants), device.Upload<byte>("scales", blocks.Scales), bias, rows, cols), values);
        }
        var random = new Random(3);
        float[] w = [.. Enumerable.Range(0, rows * cols).Select(_ => CudaReference.FromBf16(CudaReference.ToBf16(random.NextSingle() - 0.5f)))];
        ushort[] stored = new ushort[rows * padded];
        for (int i = 0; i < w.Length; i++)
        {
            stored[i / cols * padded + i % cols] = CudaReference.ToBf16(w[i]);
        }
        return (new CudaMatrix(type, device.Upload<ushort>("weights", stored), 0, bias, rows, cols), w);
    }

    private static List<CudaKernelId> Expected(WeightType type, int tokens, int multiprocessors)
    {
        CudaKernelId Of(CudaKernelId bf16) => type switch { WeightType.BF16 => bf16, WeightType.Q8_0 => bf16 + 1, _ => bf16 + 2 };
        List<CudaKernelId> first = tokens == 1 ? [Of(CudaKernelId.GemvBf16)] : [CudaKernelId.ToBf16, Of(tokens > 64 && multiprocessors == 1 ? CudaKernelId.GemmBf16 : CudaKernelId.GemmNarrowBf16)];
        // Of one multiprocessor, four groups are wanted: the vector's rows are enough of them, one narrow tile is not.
        bool splits = multiprocessors > 1 || tokens is > 1 and <= 64;
        return splits ? [.. first, CudaKernelId.SplitSum] : first;
    }
}

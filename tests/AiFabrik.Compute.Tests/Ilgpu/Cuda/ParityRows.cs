using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>The cases that the PTX machine and a GPU both run.</summary>
internal static class ParityRows
{
    /// <summary>tokens, rows, cols, gap, accumulate, bias: a single value, odd everything, a tile's edge and one beyond, gaps between rows.</summary>
    public static TheoryData<int, int, int, int, bool, bool> Bf16 => new()
    {
        { 1, 1, 1, 0, false, false },
        { 3, 5, 8, 0, true, false },
        { 17, 33, 101, 0, false, true },
        { 128, 128, 64, 0, false, false },
        { 129, 130, 32, 1, true, true },
        { 66, 259, 96, 4, true, true },
    };

    /// <summary>tokens, rows, cols, gap, accumulate, bias for block types: cols a multiple of 32.</summary>
    public static TheoryData<WeightType, int, int, int, int, bool, bool> Blocks
    {
        get
        {
            var data = new TheoryData<WeightType, int, int, int, int, bool, bool>();
            foreach (WeightType type in (WeightType[])[WeightType.Q8_0, WeightType.Q4_0, WeightType.Q4_1])
            {
                data.Add(type, 1, 1, 32, 0, false, false);
                data.Add(type, 19, 37, 96, 0, false, true);
                data.Add(type, 129, 130, 64, 1, true, true);
            }
            return data;
        }
    }

    /// <summary>type, rows, cols, splits, accumulate, bias of the matrix-vector products.</summary>
    public static TheoryData<WeightType, int, int, int, bool, bool> Vectors
    {
        get
        {
            var data = new TheoryData<WeightType, int, int, int, bool, bool>
            {
                { WeightType.BF16, 1, 1, 1, false, false },
                { WeightType.BF16, 5, 7, 1, true, true },
                { WeightType.BF16, 9, 1283, 1, false, true },
                { WeightType.BF16, 17, 2056, 3, true, true },
            };
            foreach (WeightType type in (WeightType[])[WeightType.Q8_0, WeightType.Q4_0, WeightType.Q4_1])
            {
                data.Add(type, 1, 32, 1, false, false);
                data.Add(type, 7, 576, 1, true, true);
                data.Add(type, 18, 3104, 1, false, true);
                data.Add(type, 19, 2112, 2, true, true);
            }
            return data;
        }
    }

    public static void Wide(KernelDevice device, WeightType type, int tokens, int rows, int cols, int gap, bool accumulate, bool bias)
    {
        var matmul = new MatMulCase(device, type, tokens, rows, cols, gap, accumulate, bias, roundWeights: true);
        matmul.RunWide();
        matmul.Check();
    }

    public static void Narrow(KernelDevice device, WeightType type, int tokens, int rows, int cols, int gap, bool accumulate, bool bias, int splits)
    {
        var matmul = new MatMulCase(device, type, tokens, rows, cols, gap, accumulate, bias, roundWeights: true);
        matmul.RunNarrow(SplitPlan.For(cols, TensorTile.StageCols, 1, splits, 1));
        matmul.Check();
    }

    public static void Vector(KernelDevice device, WeightType type, int rows, int cols, int splits, bool accumulate, bool bias)
    {
        int unit = type switch { WeightType.BF16 => GemvBf16Kernel.SplitUnit, WeightType.Q8_0 => GemvQ8Kernel.SplitUnit, _ => GemvQ4Kernel.SplitUnit };
        var plan = SplitPlan.For(cols, unit, 1, splits, 1);
        Assert.Equal(splits, plan.Count);
        var matmul = new MatMulCase(device, type, 1, rows, cols, 0, accumulate, bias, roundWeights: false);
        matmul.RunVector(plan);
        matmul.Check();
    }

    public static void ToBf16(KernelDevice device, int tokens, int cols, int inputStride)
    {
        int outputStride = (cols + 7) / 8 * 8 + 8;
        var random = new Random(cols);
        float[] x = [.. Enumerable.Range(0, tokens * inputStride).Select(i => i % inputStride < cols ? (random.NextSingle() - 0.5f) * 1000 : float.NaN)];
        ushort[] before = new ushort[tokens * outputStride];
        Array.Fill(before, (ushort)0xABCD);
        ulong input = device.Upload<float>("x", x), output = device.Upload<ushort>("output", before);
        device.Run(CudaKernelId.ToBf16, ToBf16Kernel.Launch(tokens, cols), new KernelArguments().Add(output).Add(input).Add(cols).Add(outputStride).Add(inputStride));
        ushort[] result = device.Download<ushort>(output, before.Length);
        for (int i = 0; i < result.Length; i++)
        {
            int t = i / outputStride, k = i % outputStride;
            ushort expected = k < cols ? CudaReference.ToBf16(x[t * inputStride + k]) : k < (cols + 7) / 8 * 8 ? (ushort)0 : (ushort)0xABCD;
            Assert.Equal(expected, result[i]);
        }
    }
    public static void MatrixRate(KernelDevice device, int groups, int rounds)
    {
        ulong output = device.Upload<float>("output", new float[groups * MatrixRateKernel.Threads]);
        device.Run(CudaKernelId.MatrixRate, MatrixRateKernel.Launch(groups), new KernelArguments().Add(output).Add(rounds));
        // 8 products of 4 sums each, and every sum grows by 16 a round.
        Assert.All(device.Download<float>(output, groups * MatrixRateKernel.Threads), sum => Assert.Equal(8 * 4 * 16 * rounds, sum));
        Assert.Equal(2.0 * 16 * 8 * 16 * 8 * 8 * rounds * groups, MatrixRateKernel.Operations(groups, rounds));
    }
}

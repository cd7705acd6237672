using System.Reflection;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using Xunit;
using GpuWarp = ILGPU.Warp;

namespace AiFabrik.Ptx.Tests;

/// <summary>Kernels written with ILGPU, compiled to PTX without a GPU, and run on the machine.</summary>
public sealed class IlgpuTests
{
    /// <summary>An <c>ArrayView&lt;T&gt;</c> as the PTX backend passes it: address and length.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct View(ulong Address, long Length)
    {
        public View(PtxBuffer buffer, int elementBytes) : this(buffer.Address, buffer.Bytes.Length / elementBytes) { }
    }

    private static void AddVectors(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, int n)
    {
        int i = Grid.GlobalIndex.X;
        if (i < n)
        {
            c[i] = a[i] + b[i];
        }
    }

    private static void SumBlocks(ArrayView<int> input, ArrayView<int> sums, int n)
    {
        ArrayView<int> partial = SharedMemory.Allocate<int>(32);
        int value = 0;
        for (int i = Grid.GlobalIndex.X; i < n; i += Group.DimX * Grid.DimX)
        {
            value += input[i];
        }
        for (int delta = 16; delta > 0; delta /= 2)
        {
            value += GpuWarp.ShuffleDown(value, delta);
        }
        if (GpuWarp.IsFirstLane)
        {
            partial[GpuWarp.WarpIdx] = value;
        }
        Group.Barrier();
        if (Group.IsFirstThread)
        {
            int total = 0;
            for (int w = 0; w < Group.DimX / 32; w++)
            {
                total += partial[w];
            }
            sums[Grid.IdxX] = total;
            Atomic.Add(ref sums[Grid.DimX], total);
        }
    }

    private static void RowsSoftmax(ArrayView<float> x, ArrayView<float> y, int columns)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(64);
        int row = Grid.IdxX, lane = Group.IdxX;
        float most = float.NegativeInfinity;
        for (int i = lane; i < columns; i += 64)
        {
            most = XMathMax(most, x[row * columns + i]);
        }
        shared[lane] = most;
        Group.Barrier();
        for (int step = 32; step > 0; step >>= 1)
        {
            if (lane < step)
            {
                shared[lane] = XMathMax(shared[lane], shared[lane + step]);
            }
            Group.Barrier();
        }
        most = shared[0];
        Group.Barrier();
        float sum = 0;
        for (int i = lane; i < columns; i += 64)
        {
            sum += XMath.Exp(x[row * columns + i] - most);
        }
        shared[lane] = sum;
        Group.Barrier();
        for (int step = 32; step > 0; step >>= 1)
        {
            if (lane < step)
            {
                shared[lane] += shared[lane + step];
            }
            Group.Barrier();
        }
        float total = shared[0];
        for (int i = lane; i < columns; i += 64)
        {
            y[row * columns + i] = XMath.Exp(x[row * columns + i] - most) / total;
        }
    }

    /// <summary>A helper that ILGPU may keep as a function of its own.</summary>
    private static float XMathMax(float a, float b) => a > b ? a : b;

    private static void LocalArrays(ArrayView<long> output, int shift)
    {
        var values = LocalMemory.Allocate1D<long, Stride1D.Dense>(8, new Stride1D.Dense());
        int i = Grid.GlobalIndex.X;
        for (int k = 0; k < 8; k++)
        {
            values[k] = (long)i * k << shift;
        }
        long sum = 0;
        for (int k = 0; k < 8; k++)
        {
            sum = sum * 31 + values[(k + i) & 7];
        }
        output[i] = sum;
    }

    private static (PtxModule Module, string Text) Compile(string method, OptimizationLevel level = OptimizationLevel.O1) => Compile(typeof(IlgpuTests), method, level);

    public static (PtxModule Module, string Text) Compile(Type type, string method, OptimizationLevel level)
    {
        using Context context = Context.Create(b => b.Optimize(level).EnableAlgorithms());
        using var backend = new PTXBackend(context, CudaArchitecture.SM_90, CudaInstructionSet.ISA_80, null!);
        MethodInfo info = type.GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!;
        var kernel = (PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(info), default);
        return (GoldenCase.Parse(kernel.PTXAssembly), kernel.PTXAssembly);
    }

    [Theory]
    [InlineData(OptimizationLevel.O1)]
    [InlineData(OptimizationLevel.O2)]
    public void A_vector_sum_is_right_and_leaves_the_tail_alone(OptimizationLevel level)
    {
        (PtxModule module, _) = Compile(nameof(AddVectors), level);
        var machine = new PtxMachine();
        PtxBuffer a = machine.Allocate("a", 400), b = machine.Allocate("b", 400), c = machine.Allocate("c", 512);
        Span<float> x = MemoryMarshal.Cast<byte, float>(a.Bytes), y = MemoryMarshal.Cast<byte, float>(b.Bytes);
        for (int i = 0; i < x.Length; i++)
        {
            (x[i], y[i]) = (i * 0.25f, 3 - i);
        }
        PtxResult result = machine.Launch(module, module.Entries[0], new Dim3(4), new Dim3(32), 0,
            new PtxArguments().Add(new View(a, 4)).Add(new View(b, 4)).Add(new View(c, 4)).Add(100));
        Assert.True(result.Fault is null, result.Fault?.ToString());
        Span<float> sums = MemoryMarshal.Cast<byte, float>(c.Bytes);
        for (int i = 0; i < sums.Length; i++)
        {
            Assert.Equal(i < 100 ? i * 0.25f + (3 - i) : 0, sums[i]);
        }
    }

    [Theory]
    [InlineData(OptimizationLevel.O1)]
    [InlineData(OptimizationLevel.O2)]
    public void A_reduction_with_shuffles_a_barrier_and_an_atomic_is_right(OptimizationLevel level)
    {
        (PtxModule module, _) = Compile(nameof(SumBlocks), level);
        var machine = new PtxMachine();
        const int N = 1000, Blocks = 3;
        PtxBuffer input = machine.Allocate("input", N * 4), sums = machine.Allocate("sums", (Blocks + 1) * 4);
        Span<int> x = MemoryMarshal.Cast<byte, int>(input.Bytes);
        int[] expected = new int[Blocks + 1];
        for (int i = 0; i < N; i++)
        {
            x[i] = i * i - 7 * i;
            expected[i / 128 % Blocks] += x[i];
            expected[Blocks] += x[i];
        }
        PtxResult result = machine.Launch(module, module.Entries[0], new Dim3(Blocks), new Dim3(128), 0,
            new PtxArguments().Add(new View(input, 4)).Add(new View(sums, 4)).Add(N));
        Assert.True(result.Fault is null, result.Fault?.ToString());
        Assert.Equal(expected, MemoryMarshal.Cast<byte, int>(sums.Bytes).ToArray());
    }

    [Fact]
    public void A_softmax_with_many_barriers_and_an_exponential_is_right()
    {
        (PtxModule module, _) = Compile(nameof(RowsSoftmax));
        var machine = new PtxMachine();
        const int Rows = 3, Columns = 150;
        PtxBuffer input = machine.Allocate("x", Rows * Columns * 4), output = machine.Allocate("y", Rows * Columns * 4);
        Span<float> x = MemoryMarshal.Cast<byte, float>(input.Bytes);
        for (int i = 0; i < x.Length; i++)
        {
            x[i] = MathF.Sin(i) * 5;
        }
        PtxResult result = machine.Launch(module, module.Entries[0], new Dim3(Rows), new Dim3(64), 0,
            new PtxArguments().Add(new View(input, 4)).Add(new View(output, 4)).Add(Columns));
        Assert.True(result.Fault is null, result.Fault?.ToString());
        Span<float> y = MemoryMarshal.Cast<byte, float>(output.Bytes);
        for (int row = 0; row < Rows; row++)
        {
            double most = double.NegativeInfinity, sum = 0;
            for (int i = 0; i < Columns; i++)
            {
                most = Math.Max(most, x[row * Columns + i]);
            }
            for (int i = 0; i < Columns; i++)
            {
                sum += Math.Exp(x[row * Columns + i] - most);
            }
            for (int i = 0; i < Columns; i++)
            {
                double e = Math.Exp(x[row * Columns + i] - most) / sum;
                Assert.InRange(y[row * Columns + i], e * (1 - 3e-6) - 1e-12, e * (1 + 3e-6) + 1e-12);
            }
        }
    }

    [Fact]
    public void Local_arrays_are_right()
    {
        (PtxModule module, string text) = Compile(nameof(LocalArrays));
        Assert.Contains(".local", text, StringComparison.Ordinal);
        var machine = new PtxMachine();
        PtxBuffer output = machine.Allocate("output", 64 * 8);
        PtxResult result = machine.Launch(module, module.Entries[0], new Dim3(2), new Dim3(32), 0, new PtxArguments().Add(new View(output, 8)).Add(3));
        Assert.True(result.Fault is null, result.Fault?.ToString());
        for (int i = 0; i < 64; i++)
        {
            long sum = 0;
            for (int k = 0; k < 8; k++)
            {
                sum = sum * 31 + ((long)i * ((k + i) & 7) << 3);
            }
            Assert.Equal(sum, MemoryMarshal.Cast<byte, long>(output.Bytes)[i]);
        }
    }
}

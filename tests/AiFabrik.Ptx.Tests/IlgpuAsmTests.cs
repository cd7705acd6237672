using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime.Cuda;
using Xunit;
using GpuWarp = ILGPU.Warp;

namespace AiFabrik.Ptx.Tests;

/// <summary>ILGPU kernels that use inline PTX, dynamic shared memory, calls and atomics that ILGPU makes of compare-and-swap loops.</summary>
public sealed class IlgpuAsmTests
{
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct View(ulong Address, long Length);

    internal struct Pair
    {
        public int Low;
        public float High;
        public long Sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Pair MakePair(int i, float scale) => new() { Low = i * 3, High = i * scale, Sum = (long)i << 33 };

    internal static void Calls(ArrayView<Pair> output, float scale) => output[Grid.GlobalIndex.X] = MakePair(Grid.GlobalIndex.X, scale);

    internal static void Dynamic(ArrayView<int> values)
    {
        ArrayView<int> shared = SharedMemory.GetDynamic<int>();
        shared[Group.IdxX] = values[Group.IdxX];
        Group.Barrier();
        values[Group.IdxX] = shared[Group.DimX - 1 - Group.IdxX];
    }

    internal static void Maximum(ArrayView<float> values, ArrayView<float> result)
    {
        float value = values[Grid.GlobalIndex.X];
        Atomic.Max(ref result[0], value);
        Atomic.Add(ref result[1], GpuWarp.Broadcast(value, 5));
        result[2 + Grid.GlobalIndex.X] = XMath.Sqrt(value) + XMath.Tanh(value);
    }

    internal static void Tile(long a, long b, long d)
    {
        CudaAsm.Emit(".reg .f32 acc<4>;");
        CudaAsm.Emit(".reg .b32 fa<4>;");
        CudaAsm.Emit(".reg .b32 fb<2>;");
        CudaAsm.Emit(".reg .b32 at;");
        CudaAsm.Emit(".reg .b64 from;");
        CudaAsm.Emit(".shared .align 128 .b8 tile[1024];");
        int lane = GpuWarp.LaneIdx;
        CudaAsm.Emit("mov.u32 at, tile;");
        CudaAsm.Emit("mad.lo.s32 at, %0, 16, at;", lane);
        CudaAsm.Emit("mad.wide.s32 from, %0, 16, %1;", lane, a);
        CudaAsm.Emit("cp.async.cg.shared.global [at], [from], 16;");
        CudaAsm.Emit("cp.async.commit_group;");
        CudaAsm.Emit("cp.async.wait_group 0;");
        Group.Barrier();
        // Row-major 16x16: lanes 0-15 address the left half of rows, 16-31 the right half.
        int offset = lane % 16 * 32 + lane / 16 * 16;
        CudaAsm.Emit("mov.u32 at, tile;");
        CudaAsm.Emit("add.s32 at, at, %0;", offset);
        CudaAsm.Emit("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {fa0, fa1, fa2, fa3}, [at];");
        CudaAsm.Emit("mad.wide.s32 from, %0, 8, %1;", lane, b);
        CudaAsm.Emit("ld.global.v2.b32 {fb0, fb1}, [from];");
        for (int i = 0; i < 4; i++)
        {
            CudaAsm.Emit("mov.f32 acc0, 0f00000000;");
        }
        CudaAsm.Emit("mov.f32 acc1, acc0;");
        CudaAsm.Emit("mov.f32 acc2, acc0;");
        CudaAsm.Emit("mov.f32 acc3, acc0;");
        CudaAsm.Emit("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc0, acc1, acc2, acc3}, {fa0, fa1, fa2, fa3}, {fb0, fb1}, {acc0, acc1, acc2, acc3};");
        CudaAsm.Emit("mad.wide.s32 from, %0, 16, %1;", lane, d);
        CudaAsm.Emit("st.global.v4.f32 [from], {acc0, acc1, acc2, acc3};");
    }

    private static (PtxModule Module, PtxMachine Machine) Compile(string method) => (IlgpuTests.Compile(typeof(IlgpuAsmTests), method, OptimizationLevel.O1).Module, new PtxMachine());

    private static void Expect(PtxResult result) => Assert.True(result.Fault is null, result.Fault?.ToString());

    [Fact]
    public void A_function_that_returns_a_structure_is_called()
    {
        (PtxModule module, PtxMachine machine) = Compile(nameof(Calls));
        PtxBuffer output = machine.Allocate("output", 64 * 16);
        Expect(machine.Launch(module, module.Entries[0], new Dim3(2), new Dim3(32), 0, new PtxArguments().Add(new View(output.Address, 64)).Add(0.5f)));
        Span<Pair> pairs = MemoryMarshal.Cast<byte, Pair>(output.Bytes);
        for (int i = 0; i < 64; i++)
        {
            Assert.Equal((i * 3, i * 0.5f, (long)i << 33), (pairs[i].Low, pairs[i].High, pairs[i].Sum));
        }
    }

    [Fact]
    public void Dynamic_shared_memory_is_there()
    {
        (PtxModule module, PtxMachine machine) = Compile(nameof(Dynamic));
        PtxBuffer values = machine.Allocate("values", 96 * 4);
        Span<int> words = MemoryMarshal.Cast<byte, int>(values.Bytes);
        for (int i = 0; i < 96; i++)
        {
            words[i] = i * i;
        }
        Expect(machine.Launch(module, module.Entries[0], new Dim3(1), new Dim3(96), 96 * 4, new PtxArguments().Add(new View(values.Address, 96))));
        Assert.Equal(Enumerable.Range(0, 96).Select(i => (95 - i) * (95 - i)), MemoryMarshal.Cast<byte, int>(values.Bytes).ToArray());
    }

    [Fact]
    public void Float_atomics_broadcasts_and_functions_are_right()
    {
        (PtxModule module, PtxMachine machine) = Compile(nameof(Maximum));
        PtxBuffer values = machine.Allocate("values", 64 * 4), result = machine.Allocate("result", 66 * 4);
        Span<float> x = MemoryMarshal.Cast<byte, float>(values.Bytes);
        for (int i = 0; i < 64; i++)
        {
            x[i] = i * 7 % 64;
        }
        Expect(machine.Launch(module, module.Entries[0], new Dim3(2), new Dim3(32), 0,
            new PtxArguments().Add(new View(values.Address, 64)).Add(new View(result.Address, 66))));
        Span<float> y = MemoryMarshal.Cast<byte, float>(result.Bytes);
        Assert.Equal(63, y[0]);
        Assert.Equal((x[5] + x[37]) * 32, y[1]);
        for (int i = 0; i < 64; i++)
        {
            Assert.Equal(Math.Sqrt(x[i]) + Math.Tanh(x[i]), y[2 + i], 1e-3);
        }
    }

    [Fact]
    public void Inline_PTX_with_named_registers_multiplies_a_tile()
    {
        (PtxModule module, PtxMachine machine) = Compile(nameof(Tile));
        PtxBuffer a = machine.Allocate("a", 512), b = machine.Allocate("b", 256), d = machine.Allocate("d", 512);
        Span<ushort> left = MemoryMarshal.Cast<byte, ushort>(a.Bytes), right = MemoryMarshal.Cast<byte, ushort>(b.Bytes);
        for (int i = 0; i < 256; i++)
        {
            left[i] = (ushort)(BitConverter.SingleToUInt32Bits(i % 19 - 9) >> 16);
        }
        for (int lane = 0; lane < 32; lane++)
        {
            for (int e = 0; e < 4; e++)
            {
                int row = lane % 4 * 2 + (e & 1) + (e >= 2 ? 8 : 0), column = lane / 4;
                right[lane * 4 + e] = (ushort)(BitConverter.SingleToUInt32Bits(row * 3 % 11 - column) >> 16);
            }
        }
        Expect(machine.Launch(module, module.Entries[0], new Dim3(1), new Dim3(32), 0, new PtxArguments().Add(a).Add(b).Add(d)));
        Span<float> result = MemoryMarshal.Cast<byte, float>(d.Bytes);
        for (int lane = 0; lane < 32; lane++)
        {
            for (int e = 0; e < 4; e++)
            {
                int row = lane / 4 + (e >= 2 ? 8 : 0), column = lane % 4 * 2 + (e & 1);
                Assert.Equal(Enumerable.Range(0, 16).Sum(x => ((row * 16 + x) % 19 - 9) * (x * 3 % 11 - column)), result[lane * 4 + e]);
            }
        }
    }
}

using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>Tensor-core products without memory: what <c>mma.sync</c> in bf16 with fp32 sums reaches on this device. The limit that prefill is held against.</summary>
/// <remarks>
/// <para>Every warp multiplies the same fragments of ones <c>rounds</c> × <see cref="Products"/> times, each product into its own four sums, so that none waits for
/// another: every sum is 16·rounds. out fp32 [grid, <see cref="Threads"/>]: the sum of a thread's sums.</para>
/// <para>Operations: 4096·<see cref="Products"/>·rounds a warp, which bind; bytes: 4 a thread. Reference: the closed form above; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class MatrixRateKernel
{
    public const int Threads = 256;

    /// <summary>Independent products of a round: more than a tensor core's pipeline is deep.</summary>
    public const int Products = 8;

    /// <summary>Groups that keep a multiprocessor's four tensor cores busy.</summary>
    public const int GroupsPerMultiprocessor = 2;

    /// <summary>Multiplications and additions of one m16n8k16.</summary>
    private const int OperationsPerProduct = 2 * 16 * 8 * 16;

    private const int WarpThreads = 32;

    public static LaunchShape Launch(int groups) => new(groups, 1, 1, Threads);

    /// <summary>Operations of a whole launch.</summary>
    public static double Operations(int groups, int rounds) => (double)groups * (Threads / WarpThreads) * Products * rounds * OperationsPerProduct;

    public static void Run(long output, int rounds)
    {
        CudaAsm.Emit(Declare);
        for (int round = 0; round < rounds; round++)
        {
            CudaAsm.Emit(Multiply);
        }
        CudaAsm.Emit(Sum);
        CudaAsm.Emit("st.global.f32 [%0], c0;", output + ((long)Grid.IdxX * Threads + Group.IdxX) * 4);
    }

    /// <summary>0x3F80 is 1 in bf16.</summary>
    private const string Declare = """
        .reg .f32 c<32>;
        .reg .b32 one;
        mov.b32 one, 0x3F803F80;
        mov.f32 c0, 0f00000000; mov.f32 c1, c0; mov.f32 c2, c0; mov.f32 c3, c0; mov.f32 c4, c0; mov.f32 c5, c0; mov.f32 c6, c0; mov.f32 c7, c0;
        mov.f32 c8, c0; mov.f32 c9, c0; mov.f32 c10, c0; mov.f32 c11, c0; mov.f32 c12, c0; mov.f32 c13, c0; mov.f32 c14, c0; mov.f32 c15, c0;
        mov.f32 c16, c0; mov.f32 c17, c0; mov.f32 c18, c0; mov.f32 c19, c0; mov.f32 c20, c0; mov.f32 c21, c0; mov.f32 c22, c0; mov.f32 c23, c0;
        mov.f32 c24, c0; mov.f32 c25, c0; mov.f32 c26, c0; mov.f32 c27, c0; mov.f32 c28, c0; mov.f32 c29, c0; mov.f32 c30, c0; mov.f32 c31, c0;
        """;

    private const string Multiply = """
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {c0, c1, c2, c3}, {one, one, one, one}, {one, one}, {c0, c1, c2, c3};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {c4, c5, c6, c7}, {one, one, one, one}, {one, one}, {c4, c5, c6, c7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {c8, c9, c10, c11}, {one, one, one, one}, {one, one}, {c8, c9, c10, c11};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {c12, c13, c14, c15}, {one, one, one, one}, {one, one}, {c12, c13, c14, c15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {c16, c17, c18, c19}, {one, one, one, one}, {one, one}, {c16, c17, c18, c19};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {c20, c21, c22, c23}, {one, one, one, one}, {one, one}, {c20, c21, c22, c23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {c24, c25, c26, c27}, {one, one, one, one}, {one, one}, {c24, c25, c26, c27};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {c28, c29, c30, c31}, {one, one, one, one}, {one, one}, {c28, c29, c30, c31};
        """;

    private const string Sum = """
        add.f32 c0, c0, c1; add.f32 c2, c2, c3; add.f32 c4, c4, c5; add.f32 c6, c6, c7; add.f32 c8, c8, c9; add.f32 c10, c10, c11; add.f32 c12, c12, c13;
        add.f32 c14, c14, c15; add.f32 c16, c16, c17; add.f32 c18, c18, c19; add.f32 c20, c20, c21; add.f32 c22, c22, c23; add.f32 c24, c24, c25;
        add.f32 c26, c26, c27; add.f32 c28, c28, c29; add.f32 c30, c30, c31; add.f32 c0, c0, c2; add.f32 c4, c4, c6; add.f32 c8, c8, c10; add.f32 c12, c12, c14;
        add.f32 c16, c16, c18; add.f32 c20, c20, c22; add.f32 c24, c24, c26; add.f32 c28, c28, c30; add.f32 c0, c0, c4; add.f32 c8, c8, c12; add.f32 c16, c16, c20;
        add.f32 c24, c24, c28; add.f32 c0, c0, c8; add.f32 c16, c16, c24; add.f32 c0, c0, c16;
        """;
}

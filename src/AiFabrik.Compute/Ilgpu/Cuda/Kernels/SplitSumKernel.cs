using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>out[t, n] (+)= Σ_s part[s, t, n] + bias[n]: joins the splits of a product over K, always in the same order.</summary>
/// <remarks>
/// <para>Shapes: out fp32 [tokens, rows], row stride <c>outputStride</c>; parts fp32 [splits, tokens, rows]; bias fp32 [rows] or 0. Atomic additions would
/// save this pass and make results change from run to run.</para>
/// <para>Bytes: 4·(splits + 1)·tokens·rows, which bind; they are in the L2 cache. Reference: the split rows of <c>CudaReference.MatMul</c> in the tests; rows in
/// <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class SplitSumKernel
{
    public const int Threads = 256;

    public static LaunchShape Launch(int tokens, int rows) => new(LaunchShape.Tiles(rows, Threads), tokens, 1, Threads);

    public static void Run(long output, long parts, long bias, int splits, int rows, int outputStride, long partStride, int accumulate)
    {
        CudaAsm.Emit(".reg .f32 sum;\n.reg .f32 term;\nmov.f32 sum, 0f00000000;");
        int row = Grid.IdxX * Threads + Group.IdxX, token = Grid.IdxY;
        if (row < rows)
        {
            long from = parts + ((long)token * rows + row) * 4;
            for (int s = 0; s < splits; s++)
            {
                CudaAsm.Emit("ld.global.f32 term, [%0];\nadd.f32 sum, sum, term;", from);
                from += partStride * 4;
            }
            if (bias != 0)
            {
                CudaAsm.Emit("ld.global.nc.f32 term, [%0];\nadd.f32 sum, sum, term;", bias + (long)row * 4);
            }
            long at = output + ((long)token * outputStride + row) * 4;
            if (accumulate != 0)
            {
                CudaAsm.Emit("ld.global.f32 term, [%0];\nadd.f32 sum, sum, term;", at);
            }
            CudaAsm.Emit("st.global.f32 [%0], sum;", at);
        }
    }
}

using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>out[n] (+)= Σ_k x[k]·W[n, k] + bias[n] for one token: W in bf16, x and sums in fp32.</summary>
/// <remarks>
/// <para>Shapes: out fp32 [rows], x fp32 [cols] aligned to 16 bytes, W bf16 [rows, cols], row stride in values a multiple of 8, base aligned to 16 bytes;
/// bias fp32 [rows] or 0. Any rows, cols ≥ 1. Split y (grid y) sums <c>splitCols</c> values of K (a multiple of 256) and writes to
/// out + y·<c>partStride</c> floats; with several splits bias and accumulate must be 0 and <see cref="SplitSumKernel"/> follows.</para>
/// <para>Bytes: 2·rows·cols, which bind. Operations: 2·rows·cols, and about 2.5 instructions a weight.</para>
/// <para>A warp has 2 rows; a lane loads 4 chunks of 16 bytes of each before it uses the first: 4 KiB a warp on the way.</para>
/// <para>Measured share: none yet (no device); see docs/cuda-audit.md. Reference: <c>CudaReference.MatMul</c> in the tests; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class GemvBf16Kernel
{
    public const int RowsPerWarp = 2;

    /// <summary>Values of K that a warp loads at once: the unit of a split.</summary>
    public const int SplitUnit = 256;

    public static LaunchShape Launch(int rows, int splits) => GemvRows.Launch(rows, RowsPerWarp, splits);

    public static void Run(long output, long x, long weights, long bias, int rows, int cols, int weightStride, int splitCols, long partStride, int accumulate)
    {
        CudaAsm.Emit(GemvText.DeclareBf16);
        int lane = Group.IdxX & 31;
        int row = (Grid.IdxX * GemvRows.Warps + (Group.IdxX >> 5)) * RowsPerWarp;
        int first = Grid.IdxY * splitCols, last = IntrinsicMath.Min(first + splitCols, cols);
        long row0 = weights + (long)IntrinsicMath.Min(row, rows - 1) * weightStride * 2;
        long row1 = weights + (long)IntrinsicMath.Min(row + 1, rows - 1) * weightStride * 2;
        int own = first + lane * 8;
        CudaAsm.Emit("mov.b64 pw0, %0;", row0 + (long)own * 2);
        CudaAsm.Emit("mov.b64 pw1, %0;", row1 + (long)own * 2);
        CudaAsm.Emit("mov.b64 px, %0;", x + (long)own * 4);
        int k = first;
        for (; k + 4 * SplitUnit <= last; k += 4 * SplitUnit)
        {
            CudaAsm.Emit(GemvText.Bf16Four);
        }
        for (; k < last; k += SplitUnit)
        {
            if (k + lane * 8 + 8 <= last)
            {
                CudaAsm.Emit(GemvText.Bf16One);
            }
        }
        // Only the last split can end in less than a chunk.
        int rest = last & 7;
        if (lane < rest)
        {
            long at = (long)(last - rest + lane);
            CudaAsm.Emit("ld.global.nc.f32 x0, [%0];", x + at * 4);
            CudaAsm.Emit("ld.global.nc.u16 t0, [%0];\nshl.b32 t0, t0, 16;\nfma.rn.f32 a0, t0, x0, a0;", row0 + at * 2);
            CudaAsm.Emit("ld.global.nc.u16 t0, [%0];\nshl.b32 t0, t0, 16;\nfma.rn.f32 a1, t0, x0, a1;", row1 + at * 2);
        }
        CudaAsm.Emit(GemvText.Sum2);
        GemvRows.PickOfTwo(lane);
        GemvRows.Write(output + Grid.IdxY * partStride * 4, bias, lane, RowsPerWarp, row, rows, accumulate);
    }
}

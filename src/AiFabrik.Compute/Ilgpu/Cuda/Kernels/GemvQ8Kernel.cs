using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>out[n] (+)= Σ_k x[k]·W[n, k] + bias[n] for one token: W in q8_0 blocks, x and sums in fp32.</summary>
/// <remarks>
/// <para>Shapes: out fp32 [rows], x fp32 [cols] aligned to 16 bytes; W in planes, as the executor packs it: quants signed bytes [rows, cols], scales fp16
/// [rows, cols / 32], bases aligned to 16 bytes; bias fp32 [rows] or 0. cols a multiple of 32, any rows. Splits as for <see cref="GemvBf16Kernel"/>,
/// <c>splitCols</c> a multiple of 512.</para>
/// <para>Bytes: 34/32·rows·cols, which bind. About 3.9 instructions a weight: PRMT sews a byte into 2^15, one subtraction and one FMA follow.</para>
/// <para>A warp has 4 rows, which share each load of x; a lane loads 2 chunks of 16 bytes of each before it uses the first: 4 KiB a warp on the way.</para>
/// <para>Measured share: none yet (no device); see docs/cuda-audit.md. Reference: <c>CudaReference.MatMul</c> in the tests; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class GemvQ8Kernel
{
    public const int RowsPerWarp = 4;

    /// <summary>Values of K that a warp loads at once: the unit of a split.</summary>
    public const int SplitUnit = 512;

    public static LaunchShape Launch(int rows, int splits) => GemvRows.Launch(rows, RowsPerWarp, splits);

    public static void Run(long output, long x, long quants, long scales, long bias, int rows, int cols, int splitCols, long partStride, int accumulate)
    {
        CudaAsm.Emit(GemvText.DeclareQ8);
        int lane = Group.IdxX & 31;
        int row = (Grid.IdxX * GemvRows.Warps + (Group.IdxX >> 5)) * RowsPerWarp;
        int first = Grid.IdxY * splitCols, last = IntrinsicMath.Min(first + splitCols, cols);
        int own = first + lane * 16;
        long ownScales = scales + (long)(own >> 5) * 2;
        int scaleRowBytes = (cols >> 5) * 2;
        CudaAsm.Emit("mov.b64 pw0, %0;", quants + (long)IntrinsicMath.Min(row, rows - 1) * cols + own);
        CudaAsm.Emit("mov.b64 pw1, %0;", quants + (long)IntrinsicMath.Min(row + 1, rows - 1) * cols + own);
        CudaAsm.Emit("mov.b64 pw2, %0;", quants + (long)IntrinsicMath.Min(row + 2, rows - 1) * cols + own);
        CudaAsm.Emit("mov.b64 pw3, %0;", quants + (long)IntrinsicMath.Min(row + 3, rows - 1) * cols + own);
        CudaAsm.Emit("mov.b64 ps0, %0;", ownScales + (long)IntrinsicMath.Min(row, rows - 1) * scaleRowBytes);
        CudaAsm.Emit("mov.b64 ps1, %0;", ownScales + (long)IntrinsicMath.Min(row + 1, rows - 1) * scaleRowBytes);
        CudaAsm.Emit("mov.b64 ps2, %0;", ownScales + (long)IntrinsicMath.Min(row + 2, rows - 1) * scaleRowBytes);
        CudaAsm.Emit("mov.b64 ps3, %0;", ownScales + (long)IntrinsicMath.Min(row + 3, rows - 1) * scaleRowBytes);
        CudaAsm.Emit("mov.b64 px, %0;", x + (long)own * 4);
        int k = first;
        for (; k + 2 * SplitUnit <= last; k += 2 * SplitUnit)
        {
            CudaAsm.Emit(GemvText.Q8Two);
        }
        for (; k < last; k += SplitUnit)
        {
            if (k + lane * 16 < last)
            {
                CudaAsm.Emit(GemvText.Q8One);
            }
        }
        CudaAsm.Emit(GemvText.Sum4);
        GemvRows.PickOfFour(lane);
        GemvRows.Write(output + Grid.IdxY * partStride * 4, bias, lane, RowsPerWarp, row, rows, accumulate);
    }
}

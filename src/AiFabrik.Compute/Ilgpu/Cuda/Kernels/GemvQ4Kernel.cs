using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>out[n] (+)= Σ_k x[k]·W[n, k] + bias[n] for one token: W in q4_0 or q4_1 blocks, x and sums in fp32.</summary>
/// <remarks>
/// <para>Shapes: out fp32 [rows], x fp32 [cols] aligned to 16 bytes; W in planes, as the executor packs it: quants [rows, cols] nibbles, the first
/// value in the lowest bits; scales fp16 d [rows, cols / 32], for q4_1 (<c>hasMinimum</c>) pairs (d, m); bases aligned to 16 bytes;
/// bias fp32 [rows] or 0. cols a multiple of 32, any rows. Splits as for <see cref="GemvBf16Kernel"/>, <c>splitCols</c> a multiple of 1024.</para>
/// <para>Bytes: 18/32 (q4_1: 20/32)·rows·cols, which bind. About 3.1 instructions a weight: PRMT sews a nibble u into 2^7, one FMA adds (2^7 + u)·x, and
/// what is too much, 136·Σx (q4_0) or 128·Σx (q4_1), is taken away once a block: Σx serves 4 rows. That loses 4 of fp32's 24 bits, no more.</para>
/// <para>A warp has 4 rows; a lane loads 2 blocks of each before it uses the first: 4 KiB a warp on the way.</para>
/// <para>Measured share: none yet (no device); see docs/cuda-audit.md. Reference: <c>CudaReference.MatMul</c> in the tests; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class GemvQ4Kernel
{
    public const int RowsPerWarp = 4;

    /// <summary>Values of K that a warp loads at once: the unit of a split.</summary>
    public const int SplitUnit = 1024;

    public static LaunchShape Launch(int rows, int splits) => GemvRows.Launch(rows, RowsPerWarp, splits);

    public static void Run(long output, long x, long quants, long scales, long bias, int rows, int cols, int splitCols, long partStride, int accumulate, int hasMinimum)
    {
        CudaAsm.Emit(GemvText.DeclareQ4);
        int lane = Group.IdxX & 31;
        int row = (Grid.IdxX * GemvRows.Warps + (Group.IdxX >> 5)) * RowsPerWarp;
        int first = Grid.IdxY * splitCols, last = IntrinsicMath.Min(first + splitCols, cols);
        int own = first + lane * 32;
        int scaleBytes = hasMinimum != 0 ? 4 : 2;
        int rowBytes = cols >> 1, scaleRowBytes = (cols >> 5) * scaleBytes;
        long ownQuants = quants + (own >> 1), ownScales = scales + (long)(own >> 5) * scaleBytes;
        CudaAsm.Emit("mov.b64 pw0, %0;", ownQuants + (long)IntrinsicMath.Min(row, rows - 1) * rowBytes);
        CudaAsm.Emit("mov.b64 pw1, %0;", ownQuants + (long)IntrinsicMath.Min(row + 1, rows - 1) * rowBytes);
        CudaAsm.Emit("mov.b64 pw2, %0;", ownQuants + (long)IntrinsicMath.Min(row + 2, rows - 1) * rowBytes);
        CudaAsm.Emit("mov.b64 pw3, %0;", ownQuants + (long)IntrinsicMath.Min(row + 3, rows - 1) * rowBytes);
        CudaAsm.Emit("mov.b64 ps0, %0;", ownScales + (long)IntrinsicMath.Min(row, rows - 1) * scaleRowBytes);
        CudaAsm.Emit("mov.b64 ps1, %0;", ownScales + (long)IntrinsicMath.Min(row + 1, rows - 1) * scaleRowBytes);
        CudaAsm.Emit("mov.b64 ps2, %0;", ownScales + (long)IntrinsicMath.Min(row + 2, rows - 1) * scaleRowBytes);
        CudaAsm.Emit("mov.b64 ps3, %0;", ownScales + (long)IntrinsicMath.Min(row + 3, rows - 1) * scaleRowBytes);
        CudaAsm.Emit("mov.b64 px, %0;", x + (long)own * 4);
        int k = first;
        for (; k + 2 * SplitUnit <= last; k += 2 * SplitUnit)
        {
            if (hasMinimum != 0)
            {
                CudaAsm.Emit(GemvText.Q41LoadTwo);
            }
            else
            {
                CudaAsm.Emit(GemvText.Q40LoadTwo);
            }
            CudaAsm.Emit(GemvText.Q4Two);
        }
        for (; k < last; k += SplitUnit)
        {
            if (k + lane * 32 < last)
            {
                if (hasMinimum != 0)
                {
                    CudaAsm.Emit(GemvText.Q41LoadOne);
                }
                else
                {
                    CudaAsm.Emit(GemvText.Q40LoadOne);
                }
                CudaAsm.Emit(GemvText.Q4One);
            }
        }
        CudaAsm.Emit(GemvText.Sum4);
        GemvRows.PickOfFour(lane);
        GemvRows.Write(output + Grid.IdxY * partStride * 4, bias, lane, RowsPerWarp, row, rows, accumulate);
    }
}

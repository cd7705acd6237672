using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// out[t, n] (+)= Σ_k x[t, k]·W[n, k] + bias[n] on tensor cores for 2 to 64 tokens (decode of many sequences, short chunks), and with splits over K where
/// tiles are few. W in q8_0 blocks, in planes as for <see cref="GemmQ8Kernel"/>.
/// </summary>
/// <remarks>
/// <para>Shapes: out fp32 [tokens, rows], row stride <c>outputStride</c> floats; x bf16 [tokens, cols], row stride in values a multiple of 8; bases aligned to
/// 16 bytes. With more than one split (grid z) split z sums <c>splitCols</c> values of K (a multiple of 32) and writes to out + z·<c>partStride</c> floats;
/// bias and accumulate must then be 0 and <see cref="SplitSumKernel"/> follows.</para>
/// <para>Bytes: 34/32·rows·cols of weights, which bind, and 2·tokens·cols of activations for each 64 rows, from the L2 cache.</para>
/// <para>A group of 4 warps makes 64 tokens × 64 rows, a warp 32 × 32. Five stages of activations and of blocks as stored come by <c>cp.async</c>; a thread decodes the half block that it copied itself into one of two bf16 tiles.</para>
/// <para>Measured share: none yet (no device); see docs/cuda-audit.md. Reference: <c>CudaReference.MatMul</c> in the tests; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class GemmNarrowQ8Kernel
{
    public const int TileTokens = 64;
    public const int TileRows = 64;
    public const int Threads = 128;
    private const int Stages = 5;
    private const int BlockBytes = Threads * 16;
    private const int WeightTileBytes = TileRows * TensorTile.StageRowBytes;
    private const int StageBytes = TileTokens * TensorTile.StageRowBytes + BlockBytes;
    private const int WeightsAt = Stages * StageBytes;
    private const int WarpOutBytes = 32 * 160;

    /// <summary>One group for each tile and split.</summary>
    public static LaunchShape Launch(int tokens, int rows, int splits) => new(LaunchShape.Tiles(tokens, TileTokens), LaunchShape.Tiles(rows, TileRows), splits, Threads);

    public static void Run(long output, long activations, long quants, long scales, long bias, int tokens, int rows, int cols, int outputStride, int activationStride, int splitCols, long partStride, int accumulate)
    {
        CudaAsm.Emit(TensorText.Declare32Decoded);
        GemmQuantized.BeginQ8();
        int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;
        int token = Grid.IdxX * TileTokens, row = Grid.IdxY * TileRows;
        int copyRow = thread >> 2, chunk = thread & 3;
        int first = Grid.IdxZ * splitCols, last = IntrinsicMath.Min(first + splitCols, cols);
        int steps = (last - first + TensorTile.StageCols - 1) >> 5;
        CudaAsm.Emit("mov.b64 pa0, %0;", TensorTile.Chunk(activations, token + copyRow, tokens, activationStride, first, chunk));
        CudaAsm.Emit("mov.b64 pa1, %0;", TensorTile.Chunk(activations, token + copyRow + 32, tokens, activationStride, first, chunk));
        // A thread copies and decodes half a block of its row: what it copied itself it may read without a barrier.
        int ownRow = IntrinsicMath.Min(row + (thread >> 1), rows - 1);
        CudaAsm.Emit("mov.b64 pb0, %0;", quants + (long)ownRow * cols + first + (thread & 1) * 16);
        CudaAsm.Emit("mov.b64 advance, 32;");
        long ownScales = scales + ((long)ownRow * (cols >> 5) + (first >> 5)) * 2;
        int ownPlace = WeightsAt + (((thread >> 1) * TensorTile.StageRowBytes) | ((((thread & 1) << 1) ^ ((thread >> 2) & 3)) << 4));

        int place = TensorTile.Place(copyRow, chunk);
        int rawPlace = TileTokens * TensorTile.StageRowBytes + thread * 16, rawFromPlace = rawPlace - place, tile = 0;
        int bytesLeft = (last - first) * 2 - chunk * 16;
        CopyStage(place, bytesLeft, rawFromPlace);
        CopyStage(place + StageBytes, bytesLeft - TensorTile.StageRowBytes, rawFromPlace);
        CopyStage(place + 2 * StageBytes, bytesLeft - 2 * TensorTile.StageRowBytes, rawFromPlace);
        CopyStage(place + 3 * StageBytes, bytesLeft - 3 * TensorTile.StageRowBytes, rawFromPlace);
        LoadScale(ownScales, 0);
        bytesLeft -= 4 * TensorTile.StageRowBytes;

        int warpToken = (warp & 1) * 32, warpRow = (warp >> 1) * 32;
        int loadActivations = warpToken * TensorTile.StageRowBytes + TensorTile.ActivationPlace(lane);
        int loadWeights = WeightsAt + warpRow * TensorTile.StageRowBytes + TensorTile.WeightPlace(lane);
        int read = 0, write = 4 * StageBytes;
        for (int step = 0; step < steps; step++)
        {
            CudaAsm.Emit("cp.async.wait_group 3;");
            CudaAsm.Emit("mov.u32 raw, tile;");
            CudaAsm.Emit("add.s32 raw, raw, %0;", rawPlace + read);
            DecodeHalf(ownPlace + tile);
            Group.Barrier();
            CopyStage(place + write, bytesLeft, rawFromPlace);
            bytesLeft -= TensorTile.StageRowBytes;
            LoadScale(ownScales, IntrinsicMath.Min(step + 1, steps - 1));
            TensorTile.AimLoad(loadActivations + read, loadWeights + tile);
            CudaAsm.Emit(TensorText.Load32);
            CudaAsm.Emit(TensorText.Multiply32);
            TensorTile.SecondHalf();
            CudaAsm.Emit(TensorText.Load32);
            CudaAsm.Emit(TensorText.Multiply32);
            read = read == 4 * StageBytes ? 0 : read + StageBytes;
            write = write == 4 * StageBytes ? 0 : write + StageBytes;
            tile ^= WeightTileBytes;
        }
        CudaAsm.Emit("cp.async.wait_group 0;");
        Group.Barrier();

        long target = output + Grid.IdxZ * partStride * 4;
        int warpPlace = warp * WarpOutBytes, wide = TensorTile.Wide(target, bias, outputStride);
        TensorTile.AimStage(warpPlace, lane);
        CudaAsm.Emit(TensorText.Stage32);
        TensorTile.WriteOut(target, bias, warpPlace, lane, token + warpToken, tokens, 32, row + warpRow, rows, outputStride, accumulate, wide);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyStage(int place, int bytesLeft, int rawFromPlace)
    {
        TensorTile.AimCopy(place, bytesLeft);
        CudaAsm.Emit("add.s32 raw, to, %0;", rawFromPlace);
        CudaAsm.Emit(TensorText.Copy32Blocks);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadScale(long scales, int block)
    {
        GemmQuantized.LoadScale(scales, block);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DecodeHalf(int place)
    {
        GemmQuantized.ScaleQ8();
        CudaAsm.Emit("ld.shared.v4.b32 {w0, w1, w2, w3}, [raw];");
        CudaAsm.Emit(TensorText.Bytes8Half);
        CudaAsm.Emit("mov.u32 to, tile;");
        CudaAsm.Emit("add.s32 to, to, %0;", place);
        CudaAsm.Emit(TensorText.Decode16);
    }
}

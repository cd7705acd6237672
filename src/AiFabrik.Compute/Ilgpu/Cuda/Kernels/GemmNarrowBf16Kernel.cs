using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// out[t, n] (+)= Σ_k x[t, k]·W[n, k] + bias[n] on tensor cores for 2 to 64 tokens (decode of many sequences, short chunks), and with splits over K where
/// tiles are few. W bf16 [rows, cols], row stride in values a multiple of 8.
/// </summary>
/// <remarks>
/// <para>Shapes: out fp32 [tokens, rows], row stride <c>outputStride</c> floats; x bf16 [tokens, cols], row stride in values a multiple of 8; bases aligned to
/// 16 bytes. With more than one split (grid z) split z sums <c>splitCols</c> values of K (a multiple of 32) and writes to out + z·<c>partStride</c> floats;
/// bias and accumulate must then be 0 and <see cref="SplitSumKernel"/> follows.</para>
/// <para>Bytes: 2·rows·cols of weights, which bind, and 2·tokens·cols of activations for each 64 rows, from the L2 cache.</para>
/// <para>A group of 4 warps makes 64 tokens × 64 rows, a warp 32 × 32. Five stages of 32 values come by <c>cp.async</c>, so that a group has 16 KiB of weights on the way.</para>
/// <para>Measured share: none yet (no device); see docs/cuda-audit.md. Reference: <c>CudaReference.MatMul</c> in the tests; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class GemmNarrowBf16Kernel
{
    public const int TileTokens = 64;
    public const int TileRows = 64;
    public const int Threads = 128;
    private const int Stages = 5;
    private const int StageBytes = (TileTokens + TileRows) * TensorTile.StageRowBytes;
    private const int WeightsAt = TileTokens * TensorTile.StageRowBytes;
    private const int WarpOutBytes = 32 * 160;

    /// <summary>One group for each tile and split.</summary>
    public static LaunchShape Launch(int tokens, int rows, int splits) => new(LaunchShape.Tiles(tokens, TileTokens), LaunchShape.Tiles(rows, TileRows), splits, Threads);

    public static void Run(long output, long activations, long weights, long bias, int tokens, int rows, int cols, int outputStride, int activationStride, int weightStride, int splitCols, long partStride, int accumulate)
    {
        CudaAsm.Emit(TensorText.Declare32);
        int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;
        int token = Grid.IdxX * TileTokens, row = Grid.IdxY * TileRows;
        int copyRow = thread >> 2, chunk = thread & 3;
        int first = Grid.IdxZ * splitCols, last = IntrinsicMath.Min(first + splitCols, cols);
        int steps = (last - first + TensorTile.StageCols - 1) >> 5;
        CudaAsm.Emit("mov.b64 pa0, %0;", TensorTile.Chunk(activations, token + copyRow, tokens, activationStride, first, chunk));
        CudaAsm.Emit("mov.b64 pa1, %0;", TensorTile.Chunk(activations, token + copyRow + 32, tokens, activationStride, first, chunk));
        CudaAsm.Emit("mov.b64 pb0, %0;", TensorTile.Chunk(weights, row + copyRow, rows, weightStride, first, chunk));
        CudaAsm.Emit("mov.b64 pb1, %0;", TensorTile.Chunk(weights, row + copyRow + 32, rows, weightStride, first, chunk));

        int place = TensorTile.Place(copyRow, chunk);
        int bytesLeft = (last - first) * 2 - chunk * 16;
        TensorTile.AimCopy(place, bytesLeft);
        CudaAsm.Emit(TensorText.Copy32);
        TensorTile.AimCopy(place + StageBytes, bytesLeft - TensorTile.StageRowBytes);
        CudaAsm.Emit(TensorText.Copy32);
        TensorTile.AimCopy(place + 2 * StageBytes, bytesLeft - 2 * TensorTile.StageRowBytes);
        CudaAsm.Emit(TensorText.Copy32);
        TensorTile.AimCopy(place + 3 * StageBytes, bytesLeft - 3 * TensorTile.StageRowBytes);
        CudaAsm.Emit(TensorText.Copy32);
        bytesLeft -= 4 * TensorTile.StageRowBytes;

        int warpToken = (warp & 1) * 32, warpRow = (warp >> 1) * 32;
        int loadActivations = warpToken * TensorTile.StageRowBytes + TensorTile.ActivationPlace(lane);
        int loadWeights = WeightsAt + warpRow * TensorTile.StageRowBytes + TensorTile.WeightPlace(lane);
        int read = 0, write = 4 * StageBytes;
        for (int step = 0; step < steps; step++)
        {
            CudaAsm.Emit("cp.async.wait_group 3;");
            Group.Barrier();
            TensorTile.AimCopy(place + write, bytesLeft);
            CudaAsm.Emit(TensorText.Copy32);
            bytesLeft -= TensorTile.StageRowBytes;
            TensorTile.AimLoad(loadActivations + read, loadWeights + read);
            CudaAsm.Emit(TensorText.Load32);
            CudaAsm.Emit(TensorText.Multiply32);
            TensorTile.SecondHalf();
            CudaAsm.Emit(TensorText.Load32);
            CudaAsm.Emit(TensorText.Multiply32);
            read = read == 4 * StageBytes ? 0 : read + StageBytes;
            write = write == 4 * StageBytes ? 0 : write + StageBytes;
        }
        CudaAsm.Emit("cp.async.wait_group 0;");
        Group.Barrier();

        long target = output + Grid.IdxZ * partStride * 4;
        int warpPlace = warp * WarpOutBytes, wide = TensorTile.Wide(target, bias, outputStride);
        TensorTile.AimStage(warpPlace, lane);
        CudaAsm.Emit(TensorText.Stage32);
        TensorTile.WriteOut(target, bias, warpPlace, lane, token + warpToken, tokens, 32, row + warpRow, rows, outputStride, accumulate, wide);
    }
}

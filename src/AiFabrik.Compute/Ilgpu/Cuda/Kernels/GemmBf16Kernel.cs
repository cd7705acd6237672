using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// out[t, n] (+)= Σ_k x[t, k]·W[n, k] + bias[n] on tensor cores, for prefill: bf16 in, fp32 accumulate (mma.sync m16n8k16).
/// </summary>
/// <remarks>
/// <para>Shapes: out fp32 [tokens, rows], row stride <c>outputStride</c> floats; x bf16 [tokens, cols] and W bf16 [rows, cols], row strides in values,
/// each a multiple of 8, bases aligned to 16 bytes; bias fp32 [rows] or 0. Any tokens, rows, cols ≥ 1.</para>
/// <para>Bytes: 2·rows·cols + 2·tokens·cols + 4·tokens·rows. Operations: 2·tokens·rows·cols; from about 300 tokens on they bind.</para>
/// <para>A group of 4 warps makes 128 tokens × 128 rows, a warp 64 × 64: 128 accumulators a thread, 32 HMMA for 8 LDSM. Three stages of 32 values come by
/// <c>cp.async</c>; one barrier a stage. 48 KiB of shared memory and at most 255 registers leave two groups on a multiprocessor.</para>
/// <para>Measured share: none yet (no device); see docs/cuda-audit.md. Reference: <c>CudaReference.MatMul</c> in the tests; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class GemmBf16Kernel
{
    public const int TileTokens = 128;
    public const int TileRows = 128;
    public const int Threads = 128;
    private const int StageBytes = (TileTokens + TileRows) * TensorTile.StageRowBytes;
    private const int WeightsAt = TileTokens * TensorTile.StageRowBytes;
    private const int WarpOutBytes = 64 * 160;

    /// <summary>One group for each tile; token tiles vary fastest, so that groups that run together share weights in the L2 cache.</summary>
    public static LaunchShape Launch(int tokens, int rows) => new(LaunchShape.Tiles(tokens, TileTokens), LaunchShape.Tiles(rows, TileRows), 1, Threads);

    public static void Run(long output, long activations, long weights, long bias, int tokens, int rows, int cols, int outputStride, int activationStride, int weightStride, int accumulate)
    {
        CudaAsm.Emit(TensorText.Declare64);
        int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;
        int token = Grid.IdxX * TileTokens, row = Grid.IdxY * TileRows;
        int copyRow = thread >> 2, chunk = thread & 3;
        CudaAsm.Emit("mov.b64 pa0, %0;", TensorTile.Chunk(activations, token + copyRow, tokens, activationStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pa1, %0;", TensorTile.Chunk(activations, token + copyRow + 32, tokens, activationStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pa2, %0;", TensorTile.Chunk(activations, token + copyRow + 64, tokens, activationStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pa3, %0;", TensorTile.Chunk(activations, token + copyRow + 96, tokens, activationStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pb0, %0;", TensorTile.Chunk(weights, row + copyRow, rows, weightStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pb1, %0;", TensorTile.Chunk(weights, row + copyRow + 32, rows, weightStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pb2, %0;", TensorTile.Chunk(weights, row + copyRow + 64, rows, weightStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pb3, %0;", TensorTile.Chunk(weights, row + copyRow + 96, rows, weightStride, 0, chunk));

        int place = TensorTile.Place(copyRow, chunk);
        int bytesLeft = cols * 2 - chunk * 16;
        TensorTile.AimCopy(place, bytesLeft);
        CudaAsm.Emit(TensorText.Copy64);
        TensorTile.AimCopy(place + StageBytes, bytesLeft - TensorTile.StageRowBytes);
        CudaAsm.Emit(TensorText.Copy64);
        bytesLeft -= 2 * TensorTile.StageRowBytes;

        int warpToken = (warp & 1) * 64, warpRow = (warp >> 1) * 64;
        int loadActivations = warpToken * TensorTile.StageRowBytes + TensorTile.ActivationPlace(lane);
        int loadWeights = WeightsAt + warpRow * TensorTile.StageRowBytes + TensorTile.WeightPlace(lane);
        int read = 0, write = 2 * StageBytes;
        for (int col = 0; col < cols; col += TensorTile.StageCols)
        {
            // All but the newest copy have arrived; behind the barrier that holds for every thread's, and the stage read last round is free.
            CudaAsm.Emit("cp.async.wait_group 1;");
            Group.Barrier();
            TensorTile.AimCopy(place + write, bytesLeft);
            CudaAsm.Emit(TensorText.Copy64);
            bytesLeft -= TensorTile.StageRowBytes;
            TensorTile.AimLoad(loadActivations + read, loadWeights + read);
            CudaAsm.Emit(TensorText.Load64);
            CudaAsm.Emit(TensorText.Multiply64);
            TensorTile.SecondHalf();
            CudaAsm.Emit(TensorText.Load64);
            CudaAsm.Emit(TensorText.Multiply64);
            read = read == 2 * StageBytes ? 0 : read + StageBytes;
            write = write == 2 * StageBytes ? 0 : write + StageBytes;
        }
        CudaAsm.Emit("cp.async.wait_group 0;");
        Group.Barrier();

        int warpPlace = warp * WarpOutBytes, wide = TensorTile.Wide(output, bias, outputStride);
        TensorTile.AimStage(warpPlace, lane);
        CudaAsm.Emit(TensorText.Stage64Left);
        TensorTile.WriteOut(output, bias, warpPlace, lane, token + warpToken, tokens, 64, row + warpRow, rows, outputStride, accumulate, wide);
        CudaAsm.Emit(TensorText.Stage64Right);
        TensorTile.WriteOut(output, bias, warpPlace, lane, token + warpToken, tokens, 64, row + warpRow + 32, rows, outputStride, accumulate, wide);
    }
}

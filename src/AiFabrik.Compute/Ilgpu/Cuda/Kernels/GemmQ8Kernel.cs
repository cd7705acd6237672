using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// out[t, n] (+)= Σ_k x[t, k]·W[n, k] + bias[n] on tensor cores, W in q8_0 blocks, for prefill: each block is decoded once for 128 tokens.
/// </summary>
/// <remarks>
/// <para>Shapes: out fp32 [tokens, rows], row stride <c>outputStride</c> floats; x bf16 [tokens, cols], row stride in values a multiple of 8; W in
/// planes, as the executor packs it: quants signed bytes [rows, cols]; scales fp16 [rows, cols / 32]; bases aligned to 16 bytes. cols a multiple of 32, any tokens and rows.</para>
/// <para>Bytes: 34/32·rows·cols + 2·tokens·cols + 4·tokens·rows. Operations: 2·tokens·rows·cols and about 3 integer or float
/// instructions a weight for each tile of 128 tokens; from about 150 tokens on the tensor cores bind.</para>
/// <para>The tile of <see cref="GemmBf16Kernel"/>; a thread owns a weight row: it loads a block two rounds ahead into registers, and decodes it one round
/// ahead into one of two bf16 tiles, between the two halves of a stage's products.</para>
/// <para>Measured share: none yet (no device); see docs/cuda-audit.md. Reference: <c>CudaReference.MatMul</c> in the tests; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class GemmQ8Kernel
{
    private const int StageBytes = GemmBf16Kernel.TileTokens * TensorTile.StageRowBytes;
    private const int WeightsAt = 3 * StageBytes;
    private const int WeightTileBytes = GemmBf16Kernel.TileRows * TensorTile.StageRowBytes;
    private const int WarpOutBytes = 64 * 160;

    /// <summary>As <see cref="GemmBf16Kernel.Launch"/>.</summary>
    public static LaunchShape Launch(int tokens, int rows) => GemmBf16Kernel.Launch(tokens, rows);

    public static void Run(long output, long activations, long quants, long scales, long bias, int tokens, int rows, int cols, int outputStride, int activationStride, int accumulate)
    {
        CudaAsm.Emit(TensorText.Declare64Decoded);
        GemmQuantized.BeginQ8();
        int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;
        int token = Grid.IdxX * GemmBf16Kernel.TileTokens, row = Grid.IdxY * GemmBf16Kernel.TileRows;
        int copyRow = thread >> 2, chunk = thread & 3, blocks = cols >> 5;
        CudaAsm.Emit("mov.b64 pa0, %0;", TensorTile.Chunk(activations, token + copyRow, tokens, activationStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pa1, %0;", TensorTile.Chunk(activations, token + copyRow + 32, tokens, activationStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pa2, %0;", TensorTile.Chunk(activations, token + copyRow + 64, tokens, activationStride, 0, chunk));
        CudaAsm.Emit("mov.b64 pa3, %0;", TensorTile.Chunk(activations, token + copyRow + 96, tokens, activationStride, 0, chunk));
        int ownRow = IntrinsicMath.Min(row + thread, rows - 1);
        long ownQuants = quants + (long)ownRow * cols;
        long ownScales = scales + (long)ownRow * blocks * 2;

        int place = TensorTile.Place(copyRow, chunk), ownPlace = WeightsAt + TensorTile.Place(thread, 0);
        int bytesLeft = cols * 2 - chunk * 16;
        LoadBlock(ownQuants, ownScales, 0);
        TensorTile.AimCopy(place, bytesLeft);
        CudaAsm.Emit(TensorText.Copy64Activations);
        TensorTile.AimCopy(place + StageBytes, bytesLeft - TensorTile.StageRowBytes);
        CudaAsm.Emit(TensorText.Copy64Activations);
        bytesLeft -= 2 * TensorTile.StageRowBytes;
        DecodeBlock(ownPlace);
        LoadBlock(ownQuants, ownScales, IntrinsicMath.Min(1, blocks - 1));

        int warpToken = (warp & 1) * 64, warpRow = (warp >> 1) * 64;
        int loadActivations = warpToken * TensorTile.StageRowBytes + TensorTile.ActivationPlace(lane);
        int loadWeights = WeightsAt + warpRow * TensorTile.StageRowBytes + TensorTile.WeightPlace(lane);
        int read = 0, write = 2 * StageBytes, tile = 0;
        for (int block = 0; block < blocks; block++)
        {
            // Behind the barrier: everybody's activations of this stage and decoded weights are there, and last round's are no longer read.
            CudaAsm.Emit("cp.async.wait_group 1;");
            Group.Barrier();
            TensorTile.AimCopy(place + write, bytesLeft);
            CudaAsm.Emit(TensorText.Copy64Activations);
            bytesLeft -= TensorTile.StageRowBytes;
            TensorTile.AimLoad(loadActivations + read, loadWeights + tile);
            CudaAsm.Emit(TensorText.Load64);
            CudaAsm.Emit(TensorText.Multiply64);
            tile ^= WeightTileBytes;
            // Past the last block the last one is decoded again, into a tile that nobody reads.
            DecodeBlock(ownPlace + tile);
            LoadBlock(ownQuants, ownScales, IntrinsicMath.Min(block + 2, blocks - 1));
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadBlock(long quants, long scales, int block)
    {
        CudaAsm.Emit("ld.global.nc.v4.b32 {w0, w1, w2, w3}, [%0];\nld.global.nc.v4.b32 {w4, w5, w6, w7}, [%0+16];", quants + (long)block * 32);
        GemmQuantized.LoadScale(scales, block);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DecodeBlock(int place)
    {
        GemmQuantized.ScaleQ8();
        CudaAsm.Emit(TensorText.Bytes8);
        CudaAsm.Emit("mov.u32 to, tile;");
        CudaAsm.Emit("add.s32 to, to, %0;", place);
        CudaAsm.Emit(TensorText.Decode32);
    }
}

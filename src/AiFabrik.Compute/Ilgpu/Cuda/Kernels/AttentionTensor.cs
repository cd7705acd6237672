using System.Runtime.CompilerServices;
using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// What <see cref="AttentionPrefillKernel"/> computes, on tensor cores: out[t, h, :] = Σ_j softmax_j(cap(Scale · q[t, h]·K[j, h'])) V[j, h'] over the positions that the
/// token sees, for tiles of tokens of one sequence, by an online softmax over stages of keys (FlashAttention-2, Dao 2023, arXiv:2307.08691).
/// </summary>
/// <remarks>
/// <para>Shapes: qkv fp32 [T, QStride] and out fp32 [T, OutStride], strides even, bases aligned to 8 bytes; cache of a layer: blocks [2][BlockSize][NKvHeads][HeadStride] IEEE half,
/// keys before values, aligned to 16 bytes; tiles [grid x, 2] first row and rows (at most <see cref="TileTokens"/>); positions and sequences [T]; block tables
/// [sequences, MaxBlocks], of which only entries that a tile sees are read; sinks fp32 [NHeads] or 0. <see cref="Supports"/> says which heads and blocks.</para>
/// <para>A group has 4 warps, a warp 16 tokens of one query head, all of one key/value head: 4 heads × 16 tokens, 2 × 32 or 1 × 64, as heads share keys. Keys and values come
/// by <c>cp.async</c>, 16 KiB a stage, three stages, one barrier a stage; chunk c of key r stands at c ^ (r % 8), so that <c>ldmatrix</c> is free of conflicts (<see cref="AttentionCopy"/>). Queries stay in
/// registers as fragments; scores become the left operand of the second product in registers. Sums are rescaled only where some row's maximum has grown. Stages that no
/// token of a warp sees are skipped, and only those on an edge are masked.</para>
/// <para>Bytes: 4·HeadStride a key for 64 rows (from the second-level cache where groups share a head); operations: 4·HeadDim a key, token and head, which bind. An m16n8k16
/// takes half an <c>ldmatrix.x4</c>: 256 bytes of shared memory.</para>
/// <para>Exactness: class float16. Scale·log2 e·q, keys, values and probabilities (at most 1) are IEEE half, maxima and sums fp32. f16 and not bf16 for q, since it has three bits
/// more and the error of a score is absolute; a scaled query beyond ±65504 would overflow and is held there: keys in the cache have the same limit.</para>
/// <para>Measured share: none yet (no device); see docs/cuda-audit.md. Reference: Reference/AttentionOps.cs, and in the tests <c>AttentionCase</c>, which has the rows.</para>
/// </remarks>
internal static class AttentionTensor
{
    public const int Threads = AttentionCopy.Threads;

    /// <summary>Dimensions of a head at most.</summary>
    public const int HeadDimMax = 256;

    private const int Warps = 4, WarpTokens = 16;
    private const float Log2E = 1.44269504f;

    /// <summary>
    /// Whether a head and a cache can be served: dimensions in chunks of 16 bytes; blocks of a power of two of positions, at least 16. The portable kernel serves the others.
    /// </summary>
    public static bool Supports(int headDim, int blockSize) =>
        headDim is > 0 and <= HeadDimMax && headDim % 8 == 0 && blockSize >= AttentionCopy.BlockSizeMin && (blockSize & (blockSize - 1)) == 0;

    /// <summary>log2 of the query heads of a group: they share loads of keys as long as no warp goes without a head.</summary>
    public static int HeadsShift(int nHeads, int nKvHeads) => (nHeads / nKvHeads) switch { var ratio when ratio % 4 == 0 => 2, var ratio when ratio % 2 == 0 => 1, _ => 0 };

    /// <summary>Tokens of a tile.</summary>
    public static int TileTokens(int nHeads, int nKvHeads) => Warps * WarpTokens >> HeadsShift(nHeads, nKvHeads);

    /// <summary>What queries are multiplied by, and the cap in the units of exp2; without a cap scores are in these units at once.</summary>
    public static (float QueryScale, float Cap) Scales(float scale, float softcap) => softcap > 0f ? (scale / softcap * 2f * Log2E, softcap * Log2E) : (scale * Log2E, 0f);

    /// <summary>One group for each tile and group of heads; tiles vary fastest, so that groups that run together share keys in the second-level cache.</summary>
    public static LaunchShape Launch(in AttentionShape shape, int tiles) => new(tiles, shape.NHeads >> HeadsShift(shape.NHeads, shape.NKvHeads), 1, Threads);

    /// <summary>The kernel of a head's size; that of small heads copies 32 positions of a block at once.</summary>
    public static CudaKernelId KernelFor(int headDim, int blockSize) => headDim switch
    {
        <= 64 when blockSize >= 32 => CudaKernelId.AttentionTensor64,
        <= 96 => CudaKernelId.AttentionTensor96,
        <= 128 => CudaKernelId.AttentionTensor128,
        _ => CudaKernelId.AttentionTensor256,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<THead>(
        long output, long qkv, long cache, ArrayView<int> tiles, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks, AttentionShape shape,
        int headsShift, float queryScale, float cap)
        where THead : struct, IAttentionHead
    {
        default(THead).Declare();
        int keys = default(THead).Keys, chunkShift = default(THead).ChunkShift;
        int lane = Group.IdxX & 31, warp = Group.IdxX >> 5;
        // The last tiles of a sequence see most keys: they start first.
        int tile = Grid.DimX - 1 - Grid.IdxX;
        int tileRow = tiles[tile * 2], tileCount = tiles[tile * 2 + 1], tilePosition = positions[tileRow];
        int warpToken = TokenOf(warp, headsShift), head = HeadOf(warp, headsShift), kvHead = (Grid.IdxY << headsShift) / (shape.NHeads / shape.NKvHeads);
        // A warp without a token sees nothing.
        int count = tileCount - warpToken, position = count > 0 ? tilePosition + warpToken : -WarpTokens;
        int start = shape.Window > 0 ? IntrinsicMath.Max(tilePosition - shape.Window + 1, 0) : 0, end = tilePosition + tileCount;

        var copy = AttentionCopy.For(tables.SubView(sequences[tileRow] * shape.MaxBlocks, shape.MaxBlocks), cache, end, kvHead, chunkShift, default(THead).OddPass, shape);
        // The rows of two passes lie in one block, so that no block that a window has left behind is asked for.
        int first = start & -IntrinsicMath.Max(2 * copy.PassRows, AttentionCopy.BlockSizeMin);
        AttentionCopy.Begin(copy, AttentionCopy.Blocks(copy, first), first, keys, 0);
        AttentionCopy.Begin(copy, AttentionCopy.Blocks(copy, first + keys), first + keys, keys, AttentionCopy.StageBytes);
        var blocks = AttentionCopy.Blocks(copy, first + 2 * keys);

        AimRows(qkv, tileRow + warpToken, shape.QStride, head * shape.HeadDim, lane, count);
        default(THead).Query(shape.HeadDim, queryScale);

        int keyPlace = KeyPlace(lane, chunkShift), valuePlace = ValuePlace(lane, chunkShift);
        int read = 0;
        for (int key = first; key < end; key += keys)
        {
            // All but the newest copy have arrived; behind the barrier that holds for every thread's, and the stage read last round is free.
            CudaAsm.Emit("cp.async.wait_group 1;");
            Group.Barrier();
            AttentionCopy.Begin(copy, blocks, key + 2 * keys, keys, read == 0 ? 2 * AttentionCopy.StageBytes : read - AttentionCopy.StageBytes);
            blocks = AttentionCopy.Blocks(copy, key + 3 * keys);
            if (key < position + WarpTokens && (shape.Window == 0 || key + keys > position - shape.Window + 1))
            {
                Stage<THead>(keyPlace + read, valuePlace + read, key, position, shape.Window, cap);
            }
            read = read == 2 * AttentionCopy.StageBytes ? 0 : read + AttentionCopy.StageBytes;
        }
        CudaAsm.Emit("cp.async.wait_group 0;");
        Group.Barrier();

        // Asked for again, and the lane by another name: else they would take registers through the loop, or local memory.
        warp = Group.IdxX >> 5;
        warpToken = TokenOf(warp, headsShift);
        head = HeadOf(warp, headsShift);
        tile = Grid.DimX - 1 - Grid.IdxX;
        Normalise(sinks, head);
        AimRows(output, tiles[tile * 2] + warpToken, shape.OutStride, head * shape.HeadDim, Warp.LaneIdx, tiles[tile * 2 + 1] - warpToken);
        default(THead).Write(shape.HeadDim);
    }

    /// <summary>Adds a stage to a warp's sums: <paramref name="key"/> is its first, <paramref name="position"/> the warp's first query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stage<THead>(int keys, int values, int key, int position, int window, float cap)
        where THead : struct, IAttentionHead
    {
        AimStage(keys, values);
        default(THead).Scores();
        if (cap > 0f)
        {
            default(THead).Cap(cap);
        }
        if (key + default(THead).Keys - 1 > position)
        {
            default(THead).MaskAhead(Lane(position - key));
        }
        if (window > 0 && key < position + WarpTokens - window)
        {
            default(THead).MaskBehind(Lane(position - window - key));
        }
        default(THead).Softmax();
        default(THead).Values();
    }

    /// <summary>Where a lane's <c>ldmatrix</c> reads in a stage: keys, and values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int KeyPlace(int lane, int chunkShift) => AttentionCopy.PlaceOf(((lane >> 4) << 3) + (lane & 7), (lane >> 3) & 1, chunkShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ValuePlace(int lane, int chunkShift) => AttentionCopy.ValuesAt + AttentionCopy.PlaceOf(lane & 15, lane >> 4, chunkShift);

    /// <summary>Sets the addresses of a stage that is multiplied.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AimStage(int keys, int values)
    {
        CudaAsm.Emit("mov.u32 ka, tile;");
        CudaAsm.Emit("add.s32 va, ka, %0;", values);
        CudaAsm.Emit("add.s32 ka, ka, %0;", keys);
    }

    /// <summary>A warp's first token in the group's tile; its head varies fastest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int TokenOf(int warp, int headsShift) => (warp >> headsShift) * WarpTokens;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int HeadOf(int warp, int headsShift) => (Grid.IdxY << headsShift) + (warp & ((1 << headsShift) - 1));

    /// <summary>From the first query of a warp, counted from a stage's first key, to this lane's first query and key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Lane(int query) => query + (Warp.LaneIdx >> 2) - ((Warp.LaneIdx & 3) << 1);

    /// <summary>Sets the addresses of this lane's two rows at its first dimension, and whether they exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AimRows(long matrix, int row, int stride, int column, int lane, int count)
    {
        long own = matrix + ((long)(row + (lane >> 2)) * stride + column + ((lane & 3) << 1)) * 4;
        CudaAsm.Emit("mov.b64 qa, %0;", own);
        CudaAsm.Emit("mov.b64 qb, %0;", own + (long)stride * 32);
        CudaAsm.Emit("setp.lt.s32 r0, %0, %1;", lane >> 2, count);
        CudaAsm.Emit("setp.lt.s32 r1, %0, %1;", (lane >> 2) + 8, count);
    }

    /// <summary>z = 1 / (sum + exp(sink − maximum)), rescaled should the sink be the largest of all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Normalise(long sinks, int head)
    {
        CudaAsm.Emit(SumRows);
        if (sinks != 0)
        {
            CudaAsm.Emit("ld.global.nc.f32 x0, [%0];", sinks + (long)head * 4);
            CudaAsm.Emit(AddSink);
        }
        CudaAsm.Emit("rcp.approx.ftz.f32 x2, l0; rcp.approx.ftz.f32 x3, l1; mul.f32 z0, z0, x2; mul.f32 z1, z1, x3;");
    }

    /// <summary>l = sums over a row's four lanes, z = 1.</summary>
    public const string SumRows = """
        shfl.sync.bfly.b32 x0, l0, 1, 31, 0xffffffff; shfl.sync.bfly.b32 x1, l1, 1, 31, 0xffffffff; add.f32 l0, l0, x0; add.f32 l1, l1, x1;
        shfl.sync.bfly.b32 x0, l0, 2, 31, 0xffffffff; shfl.sync.bfly.b32 x1, l1, 2, 31, 0xffffffff; add.f32 l0, l0, x0; add.f32 l1, l1, x1;
        mov.f32 z0, 0f3F800000; mov.f32 z1, z0;
        """;

    /// <summary>0x3FB8AA3B is log2 e.</summary>
    private const string AddSink = """
        mul.f32 x0, x0, 0f3FB8AA3B; max.f32 x2, m0, x0; max.f32 x3, m1, x0;
        sub.f32 z0, m0, x2; sub.f32 z1, m1, x3; ex2.approx.ftz.f32 z0, z0; ex2.approx.ftz.f32 z1, z1;
        sub.f32 x4, x0, x2; sub.f32 x5, x0, x3; ex2.approx.ftz.f32 x4, x4; ex2.approx.ftz.f32 x5, x5;
        fma.rn.f32 l0, l0, z0, x4; fma.rn.f32 l1, l1, z1, x5;
        """;
}

using System.Numerics;
using System.Runtime.CompilerServices;
using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// What <see cref="AttentionKernel"/> computes, on tensor cores and with copies on the way: single tokens, each against its own sequence, the context split over groups. A row at
/// position −1 reads neither table nor cache and gives 0.
/// </summary>
/// <remarks>
/// <para>Shapes: as of <see cref="AttentionTensor"/>, with list [Rows] the rows that the launch serves in place of tiles. With one split outputs go to out; with more, maximum (in
/// natural units), sum of exponentials and unnormalised sums go to partials [Rows, NHeads, Splits, 2 + HeadStride] fp32 for <see cref="AttentionCombineKernel"/>.</para>
/// <para>A group is a token, a key/value head and a split: grid (Rows, NKvHeads · 2^<see cref="BlocksShift"/>, Splits). A warp has up to eight query heads of it, the first eight rows of an
/// m16n8k16's left operand, so that each key and value leaves the memory once for 32 heads. Four warps copy, by three stages of 16 KiB as in prefill; those without a head
/// do nothing else: two stages are on the way while the third is multiplied. Splits begin where the window does, so that none lies wholly behind it for a long sequence.</para>
/// <para>Bytes: 4·HeadStride a position and key/value head, which bind; operations 4·HeadDim a position and head.</para>
/// <para>Exactness: class float16, as <see cref="AttentionTensor"/>. Measured share: none yet (no device); see docs/cuda-audit.md. Reference: Reference/AttentionOps.cs, and in the
/// tests <c>AttentionCase</c>, which has the rows.</para>
/// </remarks>
internal static class AttentionDecode
{
    public const int Threads = AttentionCopy.Threads;

    /// <summary>Bytes of keys and values that a group has asked for and not yet used: two of three stages.</summary>
    public const int BytesInFlight = 2 * AttentionCopy.StageBytes;

    /// <summary>Query heads of a warp and of a group at most.</summary>
    private const int WarpHeads = 8, GroupHeads = 32;

    /// <summary>log2 of the groups for the query heads of one key/value head: a power of two, so that no kernel divides.</summary>
    public static int BlocksShift(int nHeads, int nKvHeads) => BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)LaunchShape.Tiles(nHeads / nKvHeads, GroupHeads)));

    /// <summary>Chooses how to split what a token may see of a context of at most <paramref name="longest"/> positions.</summary>
    public static void Split(ref AttentionShape shape, int longest) =>
        AttentionKernel.Split(ref shape, shape.Window > 0 ? (int)Math.Min(longest, (long)shape.Window + StartAlignMax - 1) : longest);

    /// <summary>A group for each row, key/value head and split.</summary>
    public static LaunchShape Launch(in AttentionShape shape) => new(shape.Rows, shape.NKvHeads << BlocksShift(shape.NHeads, shape.NKvHeads), shape.Splits, Threads);

    /// <summary>The kernel of a head's size.</summary>
    public static CudaKernelId KernelFor(int headDim, int blockSize) => AttentionTensor.KernelFor(headDim, blockSize) - CudaKernelId.AttentionTensor64 + CudaKernelId.AttentionDecode64;

    /// <summary>The first stage begins at a multiple of this at most (<see cref="StartAlign"/>).</summary>
    private const int StartAlignMax = 32;

    /// <summary>What the first position of a stage is a multiple of: two passes of a copy lie in one block.</summary>
    private static int StartAlign(int chunkShift) => IntrinsicMath.Max(2 * (Threads >> chunkShift), AttentionCopy.BlockSizeMin);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<THead>(
        long output, long partials, long qkv, long cache, ArrayView<int> list, ArrayView<int> positions, ArrayView<int> sequences, ArrayView<int> tables, long sinks,
        AttentionShape shape, int ratio, int blocksShift, float queryScale, float cap)
        where THead : struct, IAttentionHead
    {
        default(THead).Declare();
        int keys = default(THead).Keys, chunkShift = default(THead).ChunkShift, lane = Group.IdxX & 31, t = list[Grid.IdxX], position = positions[t];
        int windowFirst = shape.Window > 0 ? IntrinsicMath.Max(position - shape.Window + 1, 0) : 0;
        int first = (windowFirst & -StartAlign(chunkShift)) + Grid.IdxZ * shape.SplitLength, end = IntrinsicMath.Min(position + 1, first + shape.SplitLength);
        int heads = HeadsOf(ratio, blocksShift), firstHead = FirstHead(ratio, blocksShift);
        AttentionTensor.AimRows(qkv + (long)t * shape.QStride * 4, firstHead, shape.HeadDim, 0, lane, heads);
        default(THead).Query(shape.HeadDim, queryScale);
        var copy = AttentionCopy.For(tables.SubView(sequences[t] * shape.MaxBlocks, shape.MaxBlocks), cache, end, Grid.IdxY >> blocksShift, chunkShift, default(THead).OddPass, shape);
        // Nothing is asked for where there is nothing to see: an inert row, or a split past the end of a shorter sequence.
        if (first < end)
        {
            AttentionCopy.Begin(copy, AttentionCopy.Blocks(copy, first), first, keys, 0);
            AttentionCopy.Begin(copy, AttentionCopy.Blocks(copy, first + keys), first + keys, keys, AttentionCopy.StageBytes);
            var blocks = AttentionCopy.Blocks(copy, first + 2 * keys);
            // The last position that the window has left behind, if any is; and a warp without a head has no place.
            int behind = shape.Window > 0 ? position - shape.Window : -1, keyPlace = heads > 0 ? AttentionTensor.KeyPlace(lane, chunkShift) : -1;
            int valuePlace = AttentionTensor.ValuePlace(lane, chunkShift), read = 0;
            for (int key = first; key < end; key += keys)
            {
                // As in prefill: all but the newest copy have arrived, and behind the barrier the stage read last round is free.
                CudaAsm.Emit("cp.async.wait_group 1;");
                Group.Barrier();
                AttentionCopy.Begin(copy, blocks, key + 2 * keys, keys, read == 0 ? 2 * AttentionCopy.StageBytes : read - AttentionCopy.StageBytes);
                blocks = AttentionCopy.Blocks(copy, key + 3 * keys);
                if (keyPlace >= 0)
                {
                    Stage<THead>(keyPlace + read, valuePlace + read, key, end, behind, cap);
                }
                read = read == 2 * AttentionCopy.StageBytes ? 0 : read + AttentionCopy.StageBytes;
            }
            CudaAsm.Emit("cp.async.wait_group 0;");
        }
        Finish<THead>(output, partials, list[Grid.IdxX], sinks, shape, ratio, blocksShift);
    }

    /// <summary>Adds a stage to a warp's sums. All its rows are one token; a split that the token's position does not end ends with a stage.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stage<THead>(int keys, int values, int key, int end, int behind, float cap)
        where THead : struct, IAttentionHead
    {
        AttentionTensor.AimStage(keys, values);
        default(THead).Scores();
        if (cap > 0f)
        {
            default(THead).Cap(cap);
        }
        // The masks take rows 8 to 15 for later tokens; these rows are empty here, and never written.
        if (key + default(THead).Keys > end)
        {
            default(THead).MaskAhead(Lane(end - 1 - key));
        }
        if (key <= behind)
        {
            default(THead).MaskBehind(Lane(behind - key));
        }
        default(THead).Softmax();
        default(THead).Values();
    }

    /// <summary>Writes what a warp has, as an output or as a partial one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<THead>(long output, long partials, int t, long sinks, AttentionShape shape, int ratio, int blocksShift)
        where THead : struct, IAttentionHead
    {
        int heads = HeadsOf(ratio, blocksShift), firstHead = FirstHead(ratio, blocksShift), row = Warp.LaneIdx >> 2;
        if (shape.Splits > 1)
        {
            int stride = 2 + shape.HeadStride;
            long own = partials + (((long)Grid.IdxX * shape.NHeads + firstHead) * shape.Splits + Grid.IdxZ) * stride * 4;
            CudaAsm.Emit(AttentionTensor.SumRows);
            if ((Warp.LaneIdx & 3) == 0 && row < heads)
            {
                // Maxima are in units of exp2; 0x3F317218 is ln 2.
                CudaAsm.Emit("mul.f32 x0, m0, 0f3F317218; st.global.v2.f32 [%0], {x0, l0};", own + (long)row * shape.Splits * stride * 4);
            }
            AttentionTensor.AimRows(own + 8, 0, shape.Splits * stride, 0, Warp.LaneIdx, heads);
        }
        else
        {
            AttentionTensor.Normalise(sinks, IntrinsicMath.Min(firstHead + row, shape.NHeads - 1));
            // Where nothing was seen the sum may be 0.
            CudaAsm.Emit("setp.eq.f32 g0, m0, ninf; selp.f32 z0, 0f00000000, z0, g0;");
            AttentionTensor.AimRows(output + (long)t * shape.OutStride * 4, firstHead, shape.HeadDim, 0, Warp.LaneIdx, heads);
        }
        default(THead).Write(shape.HeadDim);
    }

    /// <summary>The first of the warp's heads, counted from that of its key/value head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Within(int blocksShift) => (Grid.IdxY & ((1 << blocksShift) - 1)) * GroupHeads + (Group.IdxX >> 5) * WarpHeads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FirstHead(int ratio, int blocksShift) => (Grid.IdxY >> blocksShift) * ratio + Within(blocksShift);

    /// <summary>Heads of the warp; none or fewer where the key/value head has no more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int HeadsOf(int ratio, int blocksShift) => IntrinsicMath.Min(ratio - Within(blocksShift), WarpHeads);

    /// <summary>From the token, counted from a stage's first key, to this lane's first key; the same in each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Lane(int query) => query - ((Warp.LaneIdx & 3) << 1);
}

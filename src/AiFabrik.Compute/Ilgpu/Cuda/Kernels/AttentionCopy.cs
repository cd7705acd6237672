using System.Runtime.CompilerServices;
using AiFabrik.Compute.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// A thread's part of the copies of <see cref="AttentionTensor"/> from the paged cache into stages: a 16-byte chunk of one key and value in each of four passes. Two passes
/// lie in one block, so that a stage has two: <see cref="AttentionBlocks"/>, looked up a round ahead.
/// </summary>
/// <remarks>Passed by value and never changed, so that its fields are registers.</remarks>
internal struct AttentionCopy
{
    public const int StageBytes = 16_384, ValuesAt = 8192, Threads = 128;

    /// <summary>Positions of a block at least: a short stage lies in one.</summary>
    public const int BlockSizeMin = 16;

    /// <summary>The sequence's block table.</summary>
    public ArrayView<int> Table;

    /// <summary>This thread's chunk in the first pass over the layer's first block.</summary>
    public long Own;

    /// <summary>The first position that no token of the group sees.</summary>
    public int End;

    /// <summary>Bytes of a position.</summary>
    public int RowBytes;

    /// <summary>This thread's row of a pass, and the rows of a pass.</summary>
    public int Row, PassRows;

    /// <summary>Positions of a block, a power of two, and what divides by it.</summary>
    public int BlockSize, BlockMask, BlockShift;

    /// <summary>Where the chunk goes in a stage, and how that changes in every other pass.</summary>
    public int Place, OddPass;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static AttentionCopy For(ArrayView<int> table, long cache, int end, int kvHead, int chunkShift, int oddPass, AttentionShape shape)
    {
        int row = Group.IdxX >> chunkShift, chunk = Group.IdxX & ((1 << chunkShift) - 1), rowBytes = shape.NKvHeads * shape.HeadStride * 2, passRows = Threads >> chunkShift;
        CudaAsm.Emit(".reg .b64 pk; .reg .b64 pv; .reg .b32 to; .reg .b32 odd;");
        // Where a head has fewer chunks than there is room for, its last one is repeated: queries are 0 there, and outputs are not written.
        int ownChunk = IntrinsicMath.Min(chunk, (shape.HeadStride >> 3) - 1);
        return new AttentionCopy
        {
            Table = table, Own = cache + (long)row * rowBytes + (long)(kvHead * shape.HeadStride * 2 + ownChunk * 16), End = end, RowBytes = rowBytes, Row = row, PassRows = passRows,
            BlockSize = shape.BlockSize, BlockMask = shape.BlockSize - 1, BlockShift = IntrinsicMath.PopCount(shape.BlockSize - 1), Place = PlaceOf(row, chunk, chunkShift),
            OddPass = oddPass,
        };
    }

    /// <summary>Where a chunk of a key lies in a stage, in bytes: chunk c of row r at c ^ (r % 8), so that eight rows that are read at once touch all banks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PlaceOf(int row, int chunk, int chunkShift) => (row << (chunkShift + 4)) + ((chunk ^ (row & 7)) << 4);

    /// <summary>The blocks of the stage whose first key is <paramref name="first"/>; past the end those of the last key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static AttentionBlocks Blocks(AttentionCopy c, int first)
    {
        int a = c.Table[IntrinsicMath.Min(first, c.End - 1) >> c.BlockShift];
        return new() { A = a, B = 4 * c.PassRows <= BlockSizeMin ? a : c.Table[IntrinsicMath.Min(first + 2 * c.PassRows, c.End - 1) >> c.BlockShift] };
    }

    /// <summary>Starts the copy of a stage to <paramref name="write"/>; keys and values past the end become 0, and a stage past it is left as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Begin(AttentionCopy c, AttentionBlocks blocks, int first, int keys, int write)
    {
        if (first + keys <= c.End)
        {
            AimStage(c, write);
            AimBlock(c, blocks.A, first);
            CudaAsm.Emit(CopyFirst);
            NextPass(c);
            CudaAsm.Emit(CopySecond);
            AimBlock(c, blocks.B, first + 2 * c.PassRows);
            CudaAsm.Emit(CopyThird);
            NextPass(c);
            CudaAsm.Emit(CopyFourth);
        }
        else if (first < c.End)
        {
            int row = first + c.Row;
            AimStage(c, write);
            AimBlock(c, blocks.A, first);
            CudaAsm.Emit(CopyFirstOrZero, Size(c, row));
            NextPass(c);
            CudaAsm.Emit(CopySecondOrZero, Size(c, row + c.PassRows));
            AimBlock(c, blocks.B, first + 2 * c.PassRows);
            CudaAsm.Emit(CopyThirdOrZero, Size(c, row + 2 * c.PassRows));
            NextPass(c);
            CudaAsm.Emit(CopyFourthOrZero, Size(c, row + 3 * c.PassRows));
        }
        CudaAsm.Emit("cp.async.commit_group;");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Size(AttentionCopy c, int row) => row < c.End ? 16 : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AimStage(AttentionCopy c, int write)
    {
        CudaAsm.Emit("mov.u32 to, tile;");
        CudaAsm.Emit("add.s32 to, to, %0;", c.Place + write);
        CudaAsm.Emit("xor.b32 odd, to, %0;", c.OddPass);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AimBlock(AttentionCopy c, int block, int first)
    {
        CudaAsm.Emit("mad.wide.s32 pk, %0, %1, %2;", (block << 1 << c.BlockShift) | (first & c.BlockMask), c.RowBytes, c.Own);
        CudaAsm.Emit("mad.wide.s32 pv, %0, %1, pk;", c.BlockSize, c.RowBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NextPass(AttentionCopy c) => CudaAsm.Emit("mad.wide.s32 pk, %0, %1, pk;\nmad.wide.s32 pv, %0, %1, pv;", c.PassRows, c.RowBytes);

    private const string CopyFirst = "cp.async.cg.shared.global.L2::128B [to], [pk], 16;\ncp.async.cg.shared.global.L2::128B [to+8192], [pv], 16;";

    private const string CopySecond = "cp.async.cg.shared.global.L2::128B [odd+2048], [pk], 16;\ncp.async.cg.shared.global.L2::128B [odd+10240], [pv], 16;";

    private const string CopyThird = "cp.async.cg.shared.global.L2::128B [to+4096], [pk], 16;\ncp.async.cg.shared.global.L2::128B [to+12288], [pv], 16;";

    private const string CopyFourth = "cp.async.cg.shared.global.L2::128B [odd+6144], [pk], 16;\ncp.async.cg.shared.global.L2::128B [odd+14336], [pv], 16;";

    private const string CopyFirstOrZero = "cp.async.cg.shared.global.L2::128B [to], [pk], 16, %0;\ncp.async.cg.shared.global.L2::128B [to+8192], [pv], 16, %0;";

    private const string CopySecondOrZero = "cp.async.cg.shared.global.L2::128B [odd+2048], [pk], 16, %0;\ncp.async.cg.shared.global.L2::128B [odd+10240], [pv], 16, %0;";

    private const string CopyThirdOrZero = "cp.async.cg.shared.global.L2::128B [to+4096], [pk], 16, %0;\ncp.async.cg.shared.global.L2::128B [to+12288], [pv], 16, %0;";

    private const string CopyFourthOrZero = "cp.async.cg.shared.global.L2::128B [odd+6144], [pk], 16, %0;\ncp.async.cg.shared.global.L2::128B [odd+14336], [pv], 16, %0;";
}

/// <summary>Blocks of the cache that a stage comes from, one for each two passes of its copy.</summary>
internal struct AttentionBlocks
{
    public int A, B;
}

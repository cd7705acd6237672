using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Native;

// The structures of native/include/aifabrik.h, field by field. Op itself is af_op.

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeWeight
{
    public int Type, Rows, Cols, Experts;
    public nint Data;
    public long RowStrideBytes, ExpertStrideBytes;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeBuffer
{
    public int Rows, Cols;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeKvLayer
{
    public int NKvHeads, HeadDim, Group;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeRopeTable
{
    public int Variants, Frequencies;
    public float* InverseFrequencies;
    public float* AttentionFactors;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeProgram
{
    public Op* Ops;
    public NativeWeight* Weights;
    public NativeBuffer* Buffers;
    public NativeRopeTable* RopeTables;
    public NativeKvLayer* KvLayers;
    public int OpCount, WeightCount, BufferCount, RopeTableCount, KvLayerCount, KvGroupCount;
    public int VocabSize, TopK, LogitsBuffer;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeLimits
{
    public int* BlocksPerGroup;
    public int MaxTokens, MaxSequences, MaxLogitRows, BlockSize, MaxBlocksPerSequence;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeOptionsBlock
{
    public int Threads, PinThreads;
    public long* Progress;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeModelInfo
{
    public long PackedBytes, KvBytes, ActivationBytes, UnlockedBytes;
    public int Threads, ActivationsAreInt8, ActivationsAreBFloat16;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeBatch
{
    public int* Tokens, Positions, Slots, QueryStart, ContextLen, RopeVariant, BlockTables, LogitRows;
    public int TokenCount, SequenceCount, LogitRowCount;
}

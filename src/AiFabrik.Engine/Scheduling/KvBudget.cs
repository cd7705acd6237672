using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Scheduling;

/// <summary>How many KV blocks each group gets of the memory that there is.</summary>
internal static class KvBudget
{
    /// <summary>Bytes of one block of a group: keys and values of all its layers.</summary>
    public static long BlockBytes(TransformerProgram program, int group, int blockSize, int elementBytes)
    {
        long bytes = 0;
        foreach (var layer in program.KvLayers)
            if (layer.Group == group) bytes += 2L * layer.NKvHeads * layer.HeadDim * blockSize * elementBytes;
        return bytes;
    }

    /// <summary>
    /// Blocks that a sequence of <paramref name="contextLen"/> tokens holds at most: with a window, those of the window and of one step's tokens,
    /// and one more at either end where they are not aligned.
    /// </summary>
    public static int BlocksPerSequence(int window, int contextLen, int tokensPerStep, int blockSize)
    {
        var all = BlocksFor(contextLen, blockSize);
        return window == 0 ? all : Math.Min(all, BlocksFor(window + Math.Min(tokensPerStep, contextLen), blockSize) + 1);
    }

    public static int BlocksFor(int tokens, int blockSize) => (int)(((long)tokens + blockSize - 1) / blockSize);

    public static EngineOptions Derive(EngineOptions options, TransformerProgram program, long kvMemoryBytes, int elementBytes)
    {
        var context = options.ContextLen > 0 ? Math.Min(options.ContextLen, program.ContextLen) : program.ContextLen;
        while (Bytes(options, program, context, 1.0, elementBytes) > kvMemoryBytes && context > options.BlockSize)
            context = Math.Max(options.BlockSize, context - Math.Max(options.BlockSize, context / 16 / options.BlockSize * options.BlockSize));

        // The share of MaxSequences full contexts that fits: the same for every group, so that no group runs out long before the others.
        var low = 1.0;
        var high = (double)options.MaxSequences;
        if (Bytes(options, program, context, high, elementBytes) <= kvMemoryBytes) low = high;
        for (var i = 0; i < 40 && low < high; i++)
        {
            var middle = (low + high) / 2;
            if (Bytes(options, program, context, middle, elementBytes) <= kvMemoryBytes) low = middle;
            else high = middle;
        }

        var blocks = new int[program.KvGroups.Count];
        for (var g = 0; g < blocks.Length; g++) blocks[g] = GroupBlocks(options, program, g, context, low);
        return options with { ContextLen = context, BlocksPerGroup = blocks };
    }

    private static int GroupBlocks(EngineOptions options, TransformerProgram program, int group, int context, double sequences) =>
        (int)(BlocksPerSequence(program.KvGroups[group].Window, context, options.MaxTokensPerStep, options.BlockSize) * sequences);

    private static long Bytes(EngineOptions options, TransformerProgram program, int context, double sequences, int elementBytes)
    {
        long bytes = 0;
        for (var g = 0; g < program.KvGroups.Count; g++)
            bytes += GroupBlocks(options, program, g, context, sequences) * BlockBytes(program, g, options.BlockSize, elementBytes);
        return bytes;
    }
}

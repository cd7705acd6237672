using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>Working memory of merging. Pinned, so that it can be wiped.</summary>
internal sealed class BpeScratch
{
    /// <summary>Symbols of the piece at hand and, for each, where its text starts.</summary>
    internal int[] Symbols = [], Starts = [];

    /// <summary>The small merger's state: symbols, ranks of the pair that starts there, indexes of the first symbol, what the pair becomes, links.</summary>
    internal int[] Small = [], SmallRanks = [], SmallFirst = [], SmallMerged = [], SmallNext = [];

    /// <summary>Tokens found so far in a long piece, and the index of each one's first symbol.</summary>
    internal int[] Tokens = [], TokenFirst = [];

    /// <summary>What chunks of the piece at hand gave, for text that repeats itself.</summary>
    internal ChunkMemory Chunks { get; } = new();

    /// <summary>The heap merger's links and queue.</summary>
    internal int[] Next = [], Before = [];
    internal ulong[] Heap = [];

    /// <summary>Work done since the scratch was made: symbols looked at, eight ranks compared, an entry of the heap. For tests.</summary>
    internal long Work;

    /// <summary>The small merger's last merge.</summary>
    internal int LastLeft, LastRight;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void EnsureSymbols(int count)
    {
        Ensure(ref Symbols, count);
        Ensure(ref Starts, count + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void EnsureSmall(int count)
    {
        if (Small.Length >= count) return;
        Ensure(ref Small, count);
        Ensure(ref SmallRanks, count);
        Ensure(ref SmallFirst, count);
        Ensure(ref SmallMerged, count);
        Ensure(ref SmallNext, count);
    }

    internal void EnsureTokens(int count)
    {
        Ensure(ref Tokens, count);
        Ensure(ref TokenFirst, count + 1);
    }

    internal void EnsureHeap(int count)
    {
        Ensure(ref Next, count);
        Ensure(ref Before, count);
        Ensure(ref Heap, count * 3);
    }

    internal void Clear()
    {
        (LastLeft, LastRight) = (0, 0);
        Array.Clear(Symbols);
        Array.Clear(Starts);
        Array.Clear(Small);
        Array.Clear(SmallRanks);
        Array.Clear(SmallFirst);
        Array.Clear(SmallMerged);
        Array.Clear(SmallNext);
        Array.Clear(Tokens);
        Array.Clear(TokenFirst);
        Chunks.Clear();
        Array.Clear(Next);
        Array.Clear(Before);
        Array.Clear(Heap);
    }

    /// <summary>Grows by doubling; what was there is wiped, not kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Ensure<T>(ref T[] array, int count) where T : unmanaged
    {
        if (array.Length >= count) return;
        Array.Clear(array);
        array = GC.AllocateArray<T>(Math.Max(256, (int)Math.Min(Array.MaxLength, count + (long)count / 2)), pinned: true);
    }
}

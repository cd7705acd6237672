using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>The merges as a file lists them: pairs of symbols and what they become; -1 throughout where a merge can't come up.</summary>
internal sealed class MergeRules(int count)
{
    internal int[] Left { get; } = new int[count];
    internal int[] Right { get; } = new int[count];
    internal int[] Symbol { get; } = new int[count];

    /// <summary>The rank of each, if that is not its place in the list; several may have the same.</summary>
    internal int[]? Ranks { get; init; }

    internal int Count => Left.Length;

    /// <summary>All of them; the last of equal pairs counts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal MergeTable ToTable()
    {
        var table = new MergeTable(Count);
        for (var i = 0; i < Count; i++)
        {
            if (Left[i] >= 0) table.Set(Left[i], Right[i], Ranks?[i] ?? i, Symbol[i]);
        }

        return table;
    }
}

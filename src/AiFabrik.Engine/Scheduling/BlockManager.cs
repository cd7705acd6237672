using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// Which KV blocks are free, for each KV group. A block may be held by several choices of one request (their common prompt) and is given
/// back with the last of them: cleared by the executor before anybody else can get it.
/// </summary>
internal sealed class BlockManager
{
    private readonly IExecutor _executor;
    private readonly int[][] _free;
    private readonly int[] _freeCount;
    private readonly int[][] _holders;
    private readonly int[] _released;

    public BlockManager(IExecutor executor)
    {
        _executor = executor;
        var groups = executor.Limits.BlocksPerGroup;
        _free = new int[groups.Length][];
        _holders = new int[groups.Length][];
        _freeCount = new int[groups.Length];
        var most = 0;
        for (var g = 0; g < groups.Length; g++)
        {
            _free[g] = new int[groups[g]];
            _holders[g] = new int[groups[g]];
            _freeCount[g] = groups[g];
            for (var b = 0; b < groups[g]; b++) _free[g][b] = groups[g] - 1 - b;
            most = Math.Max(most, groups[g]);
            Total += groups[g];
        }
        _released = new int[most];
    }

    public int Groups => _free.Length;

    /// <summary>Blocks of all groups.</summary>
    public int Total { get; }

    public int Used
    {
        get
        {
            var used = Total;
            foreach (var count in _freeCount) used -= count;
            return used;
        }
    }

    /// <summary>The executor may throw whatever it likes; nobody will get a block any more.</summary>
    public bool ExecutorFailed { get; set; }

    public int Free(int group) => _freeCount[group];

    /// <summary>Takes a block; the caller has looked at <see cref="Free"/>.</summary>
    public int Take(int group)
    {
        var block = _free[group][--_freeCount[group]];
        _holders[group][block] = 1;
        return block;
    }

    /// <summary>One more sequence holds the block.</summary>
    public void Share(int group, int block) => _holders[group][block]++;

    /// <summary>Lets go of the blocks in <paramref name="table"/> (entries −1 are none), which become −1.</summary>
    public void Release(int group, Span<int> table)
    {
        var count = 0;
        foreach (ref var block in table)
        {
            if (block < 0) continue;
            if (--_holders[group][block] == 0) _released[count++] = block;
            block = -1;
        }
        if (count == 0) return;
        Clear(group, _released.AsSpan(0, count));
        _released.AsSpan(0, count).CopyTo(_free[group].AsSpan(_freeCount[group]));
        _freeCount[group] += count;
    }

    private void Clear(int group, ReadOnlySpan<int> blocks)
    {
        try
        {
            _executor.ClearBlocks(group, blocks);
        }
#pragma warning disable CA1031 // After a failure this is the last attempt; nothing else may go wrong because of it.
        catch (Exception) when (ExecutorFailed)
#pragma warning restore CA1031
        {
        }
    }
}

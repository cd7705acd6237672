using System.Numerics;

namespace AiFabrik.Ptx;

internal enum BarrierReduction : byte { None, Popc, And, Or }

/// <summary>One of a block's sixteen barriers (PTX ISA, "bar, barrier"): counts arrivals, releases those who wait, orders all before and after.</summary>
internal sealed class BlockBarrier(Block block)
{
    private readonly List<(Warp Warp, uint Lanes)> _waiting = [];
    private int[]? _joined;
    private int _arrived;
    private int _expected;
    private int _true;
    private int _voters;

    public void Reset()
    {
        _waiting.Clear();
        _joined = null;
        _arrived = _expected = _true = _voters = 0;
    }

    /// <summary>Lanes arrive; those that wait stay in their warp's waiting state until the barrier completes.</summary>
    /// <param name="expected">Threads to wait for; 0 stands for every thread of the block that has not exited.</param>
    /// <param name="counted">Threads that this arrival counts for: a whole warp where the barrier is aligned and counts warps.</param>
    public void Arrive(Warp warp, uint lanes, int expected, int counted, bool waits, uint predicates)
    {
        _joined ??= new int[block.Threads];
        Block.Release(_joined, warp, lanes);
        warp.Time++;
        _arrived += counted;
        _expected = expected;
        _true += BitOperations.PopCount(predicates & lanes);
        _voters += BitOperations.PopCount(lanes);
        if (waits)
        {
            _waiting.Add((warp, lanes));
        }
        TryComplete();
    }

    public void TryComplete()
    {
        int wanted = _expected == 0 ? block.LiveThreads : _expected;
        if (_arrived == 0 || _arrived < wanted)
        {
            return;
        }
        foreach ((Warp warp, uint lanes) in _waiting)
        {
            Block.Acquire(warp, lanes, _joined!);
            warp.Release(lanes, _true, _voters);
        }
        Reset();
    }
}

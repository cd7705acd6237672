using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>What all blocks of a launch share that one thread runs.</summary>
internal sealed record Launch
{
    public required ModuleCompiler Module { get; init; }
    public required Instruction[] Code { get; init; }
    public required Function Entry { get; init; }
    public required DeviceMemory Memory { get; init; }
    public required Dim3 Grid { get; init; }
    public required Dim3 BlockShape { get; init; }
    public required byte[] Parameters { get; init; }
    public required Dictionary<Variable, ulong> Addresses { get; init; }
    public required byte[] Constants { get; init; }
    public required int SharedBytes { get; init; }
    public required int DynamicBytes { get; init; }
    public required PtxMachineOptions Options { get; init; }
    public int Warps => (int)((BlockShape.Count + 31) / 32);
    /// <summary>The number of the thread that runs the blocks.</summary>
    public int Worker { get; init; }
    public int Clock { get; set; }
    public long WarpInstructions { get; set; }
    public long ThreadInstructions { get; set; }
    /// <summary>Where atomics synchronise: address to the joined clock of those that touched it. Only if the module has fences.</summary>
    public Dictionary<(PtxBuffer?, int), int[]> AtomicClocks { get; init; } = [];
}

/// <summary>One block: its shared memory, its warps and its barriers. Warps run one after another, each until it must wait.</summary>
internal sealed class Block
{
    /// <summary>Barriers that programs name by number; one more stands for the cluster's.</summary>
    public const int BarrierCount = 16, ClusterBarrier = 16;
    /// <summary>Instructions that a warp runs before the next one gets its turn, so that spinning warps let others on.</summary>
    private const int Quantum = 4096;

    private readonly BlockBarrier[] _barriers;

    public Block(Launch launch)
    {
        Launch = launch;
        Shared = new byte[launch.SharedBytes];
        SharedShadow = new Shadow(launch.SharedBytes, launch.Module.SharedGranuleShift, launch.Warps, isShared: true);
        int threads = (int)launch.BlockShape.Count;
        Threads = threads;
        Warps = new Warp[launch.Warps];
        for (int w = 0; w < Warps.Length; w++)
        {
            int lanes = Math.Min(32, threads - w * 32);
            Warps[w] = new Warp(this, w, lanes == 32 ? uint.MaxValue : (1u << lanes) - 1);
        }
        _barriers = new BlockBarrier[BarrierCount + 1];
        for (int i = 0; i < _barriers.Length; i++)
        {
            _barriers[i] = new BlockBarrier(this);
        }
    }

    public Launch Launch { get; }
    public Dim3 Index { get; private set; }
    public int Threads { get; }
    public int LiveThreads { get; private set; }
    public byte[] Shared { get; }
    public Shadow SharedShadow { get; }
    public Warp[] Warps { get; }
    public int StartTime { get; private set; }
    public Dictionary<int, Mbarrier> Mbarriers { get; } = [];

    public BlockBarrier Barrier(int index) => _barriers[index];

    public void Run(Dim3 index)
    {
        Index = index;
        StartTime = Launch.Clock + 1;
        LiveThreads = Threads;
        Array.Fill(Shared, (byte)0xCD);
        SharedShadow.ClearPending();
        Mbarriers.Clear();
        Launch.AtomicClocks.Clear();
        int[] known = new int[Threads];
        Array.Fill(known, Launch.Clock);
        foreach (BlockBarrier barrier in _barriers)
        {
            barrier.Reset();
        }
        foreach (Warp warp in Warps)
        {
            warp.Start(StartTime, known);
        }
        while (LiveThreads > 0)
        {
            long before = Launch.WarpInstructions;
            foreach (Warp warp in Warps)
            {
                warp.Run(Quantum);
            }
            if (Launch.WarpInstructions == before && LiveThreads > 0)
            {
                throw Deadlock();
            }
        }
        Launch.Clock = Warps.Max(w => w.Time) + 1;
    }

    /// <summary>Nothing can go on: name a thread that waits, one in a warp-wide wait first.</summary>
    private PtxFaultException Deadlock()
    {
        foreach (Warp warp in Warps.OrderBy(w => w.IsWaitingInside ? 0 : 1))
        {
            if (warp.Waiting(out int lane, out Instruction? instruction))
            {
                return warp.Fault(PtxFaultKind.DivergentBarrier, lane, instruction!, detail: "waits for threads that never come");
            }
        }
        throw new InvalidOperationException("A block stopped with nothing waiting.");
    }

    public void Exited(int threads)
    {
        LiveThreads -= threads;
        foreach (BlockBarrier barrier in _barriers)
        {
            barrier.TryComplete();
        }
    }

    /// <summary>Joins what lanes know, and what they did until now, into one clock.</summary>
    public static void Release(int[] joined, Warp warp, uint lanes)
    {
        int[]? last = null;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            int[] clock = warp.Clocks[lane];
            if (!ReferenceEquals(clock, last))
            {
                last = clock;
                Join(joined, clock);
            }
            joined[warp.FirstThread + lane] = Math.Max(joined[warp.FirstThread + lane], warp.Time);
        }
    }

    public static void Join(int[] into, int[] from)
    {
        for (int i = 0; i < into.Length; i++)
        {
            into[i] = Math.Max(into[i], from[i]);
        }
    }

    private static bool IsBehind(int[] clock, int[] other)
    {
        for (int i = 0; i < clock.Length; i++)
        {
            if (clock[i] < other[i])
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Lanes learn what a clock knows. Lanes with the same clock keep sharing one.</summary>
    public static void Acquire(Warp warp, uint lanes, int[] joined)
    {
        int[]? before = null;
        int[]? after = null;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            int[] clock = warp.Clocks[lane];
            if (!ReferenceEquals(clock, before))
            {
                before = clock;
                after = clock;
                if (IsBehind(clock, joined))
                {
                    after = (int[])clock.Clone();
                    Join(after, joined);
                }
            }
            warp.Clocks[lane] = after!;
        }
    }
}

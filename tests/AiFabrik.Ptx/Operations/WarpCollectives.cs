using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Decodes shuffles, votes, matches and reductions within a warp.</summary>
internal static class CollectiveBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["shfl"] = Shuffle;
        table["vote"] = Vote;
        table["match"] = Match;
        table["redux"] = Reduce;
        table["elect"] = Elect;
    }

    private static void Sync(OperationContext c)
    {
        if (!c.Take("sync"))
        {
            throw c.Refuse("without .sync is not known here");
        }
        c.I.Flow = Flow.Collective;
    }

    private static void Shuffle(OperationContext c)
    {
        Sync(c);
        string mode = c.TakeAny("up", "down", "bfly", "idx") ?? throw c.Refuse("has no mode");
        c.Type();
        c.ExpectOperands(5, 5);
        c.Destination(allowSecond: true);
        c.I.A = c.Source(1, PtxType.B32);
        c.I.B = c.Source(2, PtxType.B32);
        c.I.C = c.Source(3, PtxType.B32);
        c.I.E = c.Source(4, PtxType.B32);
        c.I.Data = new Shuffle(mode);
    }

    private static void Vote(OperationContext c)
    {
        Sync(c);
        string mode = c.TakeAny("all", "any", "uni", "ballot") ?? throw c.Refuse("has no mode");
        c.Type();
        c.ExpectOperands(3, 3);
        c.Destination();
        c.I.A = c.Predicate(1, out bool not);
        c.I.Not = not;
        c.I.E = c.Source(2, PtxType.B32);
        c.I.Data = new Vote(mode);
    }

    private static void Match(OperationContext c)
    {
        bool all = c.Take("all");
        if (!all && !c.Take("any"))
        {
            throw c.Refuse("has no mode");
        }
        Sync(c);
        PtxType type = c.Type();
        c.ExpectOperands(3, 3);
        c.Destination(allowSecond: all);
        c.I.A = c.Source(1, type);
        c.I.E = c.Source(2, PtxType.B32);
        c.I.Data = new Match(all, OperationContext.WidthMask(type.Size()));
    }

    private static void Reduce(OperationContext c)
    {
        Sync(c);
        string operation = c.TakeAny("add", "min", "max", "and", "or", "xor") ?? throw c.Refuse("has no operation");
        PtxType type = c.Type();
        c.ExpectOperands(3, 3);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.E = c.Source(2, PtxType.B32);
        c.I.Data = new Reduction(operation, type.IsSigned());
    }

    private static void Elect(OperationContext c)
    {
        Sync(c);
        c.ExpectOperands(2, 2);
        c.Destination(allowSecond: true);
        c.I.E = c.Source(1, PtxType.B32);
        c.I.Data = new Election();
    }
}

/// <summary>Collectives with at most three sources and results in one register and one predicate.</summary>
internal abstract class SimpleCollective : Collective
{
    public override void Gather(Warp warp, Instruction instruction, uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            warp.X[lane] = instruction.A < 0 ? 0 : warp.Slot(instruction.A)[lane];
            warp.Y[lane] = instruction.B < 0 ? 0 : warp.Slot(instruction.B)[lane];
            warp.Z[lane] = instruction.C < 0 ? 0 : warp.Slot(instruction.C)[lane];
        }
    }

    public override void Scatter(Warp warp, Instruction instruction, uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            if (instruction.D >= 0)
            {
                warp.Slot(instruction.D)[lane] = warp.Result[lane];
            }
            if (instruction.D2 >= 0)
            {
                warp.Slot(instruction.D2)[lane] = warp.Predicate[lane];
            }
        }
    }

    protected static void All(Warp warp, uint members, ulong result)
    {
        for (; members != 0; members &= members - 1)
        {
            warp.Result[BitOperations.TrailingZeroCount(members)] = result;
        }
    }
}

/// <summary><c>bar.warp.sync</c>: orders the members' accesses to memory.</summary>
internal sealed class WarpBarrier : Collective
{
    public override void Compute(Warp warp, Instruction instruction, uint members)
    {
        int[] joined = new int[warp.Block.Threads];
        Block.Release(joined, warp, members);
        warp.Time++;
        for (; members != 0; members &= members - 1)
        {
            warp.Clocks[BitOperations.TrailingZeroCount(members)] = joined;
        }
    }
}

/// <summary>
/// <c>shfl.sync</c>: X the value, Y the lane or distance, Z the clamp (bits 0 to 4) and the segment mask (bits 8 to 12). A source lane that is
/// out of range, or no member, leaves the lane its own value.
/// </summary>
internal sealed class Shuffle(string mode) : SimpleCollective
{
    public override void Compute(Warp warp, Instruction instruction, uint members)
    {
        for (uint rest = members; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            int distance = (int)warp.Y[lane] & 31;
            int clamp = (int)warp.Z[lane] & 31, segment = (int)warp.Z[lane] >> 8 & 31;
            int most = (lane & segment) | (clamp & ~segment);
            int least = lane & segment;
            (int source, bool inRange) = mode switch
            {
                "up" => (lane - distance, lane - distance >= most),
                "down" => (lane + distance, lane + distance <= most),
                "bfly" => (lane ^ distance, (lane ^ distance) <= most),
                _ => (least | (distance & ~segment), (least | (distance & ~segment)) <= most),
            };
            source = inRange ? source : lane;
            // Reading a lane that takes no part is undefined; it gives what the lane last had here.
            warp.Result[lane] = (uint)warp.X[source & 31];
            warp.Predicate[lane] = inRange ? 1UL : 0;
        }
    }
}

internal sealed class Vote(string mode) : SimpleCollective
{
    public override void Compute(Warp warp, Instruction instruction, uint members)
    {
        uint ballot = 0;
        for (uint rest = members; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ballot |= (uint)((warp.X[lane] & 1) ^ (instruction.Not ? 1u : 0)) << lane;
        }
        All(warp, members, mode switch
        {
            "ballot" => ballot,
            "all" => ballot == members ? 1UL : 0,
            "any" => ballot != 0 ? 1UL : 0,
            _ => ballot == members || ballot == 0 ? 1UL : 0,
        });
    }
}

internal sealed class Match(bool all, ulong bits) : SimpleCollective
{
    public override void Compute(Warp warp, Instruction instruction, uint members)
    {
        for (uint rest = members; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            uint equal = 0;
            for (uint others = members; others != 0; others &= others - 1)
            {
                int other = BitOperations.TrailingZeroCount(others);
                equal |= ((warp.X[lane] ^ warp.X[other]) & bits) == 0 ? 1u << other : 0;
            }
            warp.Result[lane] = !all || equal == members ? equal : 0;
            warp.Predicate[lane] = equal == members ? 1UL : 0;
        }
    }
}

internal sealed class Reduction(string operation, bool signed) : SimpleCollective
{
    public override void Compute(Warp warp, Instruction instruction, uint members)
    {
        uint result = (uint)warp.X[BitOperations.TrailingZeroCount(members)];
        for (uint rest = members & (members - 1); rest != 0; rest &= rest - 1)
        {
            uint value = (uint)warp.X[BitOperations.TrailingZeroCount(rest)];
            result = operation switch
            {
                "add" => result + value,
                "and" => result & value,
                "or" => result | value,
                "xor" => result ^ value,
                "min" => signed ? (uint)Math.Min((int)result, (int)value) : Math.Min(result, value),
                _ => signed ? (uint)Math.Max((int)result, (int)value) : Math.Max(result, value),
            };
        }
        All(warp, members, result);
    }
}

/// <summary><c>elect.sync</c>: the lowest member is the leader.</summary>
internal sealed class Election : SimpleCollective
{
    public override void Compute(Warp warp, Instruction instruction, uint members)
    {
        int leader = BitOperations.TrailingZeroCount(members);
        All(warp, members, (ulong)leader);
        for (uint rest = members; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            warp.Predicate[lane] = lane == leader ? 1UL : 0;
        }
    }
}

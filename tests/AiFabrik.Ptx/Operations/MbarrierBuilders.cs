using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Decodes the operations on mbarrier objects in the block's own shared memory.</summary>
internal static class MbarrierBuilders
{
    public static void Build(OperationContext c)
    {
        string operation = c.TakeAny("init", "inval", "arrive", "arrive_drop", "expect_tx", "complete_tx", "test_wait", "try_wait")
            ?? throw c.Refuse("is not known here");
        c.TakeAny("acquire", "release", "relaxed");
        c.TakeAny("cta", "cluster");
        bool expects = c.Take("expect_tx");
        c.Take("noComplete");
        bool parity = c.Take("parity");
        c.I.Space = MemoryBuilders.TakeSpace(c);
        if (c.I.Space is not (Space.Shared or Space.Generic) || c.Type() != PtxType.B64)
        {
            throw c.Refuse("has a form that is not known here");
        }
        c.I.Size = 8;
        switch (operation)
        {
            case "init":
                Operands(c, 0, 2, 2);
                Each(c, Initialise);
                break;
            case "inval":
                Operands(c, 0, 1, 1);
                Each(c, (warp, i, lane) => warp.Block.Mbarriers.Remove(Offset(warp, i, lane)));
                break;
            case "expect_tx" or "complete_tx":
                Operands(c, 0, 2, 2);
                int sign = operation == "expect_tx" ? 1 : -1;
                Each(c, (warp, i, lane) => Find(warp, i, lane).ExpectBytes(sign * (long)(uint)warp.Slot(i.B)[lane]));
                break;
            case "arrive" or "arrive_drop":
                bool hasState = c.Operand(0).Kind != OperandKind.Address;
                Operands(c, hasState ? 1 : 0, hasState ? 2 : 1, hasState ? 3 : 2);
                c.I.Flag = expects;
                c.I.Not = operation == "arrive_drop";
                Each(c, Arrive);
                break;
            default:
                Operands(c, 1, 3, 4);
                c.I.Flag = parity;
                Each(c, Test);
                break;
        }
    }

    /// <summary>The address, and the operand behind it if there is one.</summary>
    private static void Operands(OperationContext c, int address, int least, int most)
    {
        c.ExpectOperands(least, most);
        if (address == 1)
        {
            c.Destination();
        }
        c.I.A = c.Address(address, out c.I.Imm);
        c.I.B = c.OperandCount > address + 1 ? c.Source(address + 1, PtxType.B64) : -1;
    }

    private static void Each(OperationContext c, Action<Warp, Instruction, int> action) => c.I.Run = (warp, i, mask) =>
    {
        for (; mask != 0; mask &= mask - 1)
        {
            action(warp, i, BitOperations.TrailingZeroCount(mask));
        }
    };

    /// <summary>The lane's earlier <c>cp.async</c> land, and it arrives; without <c>.noinc</c> the arrival was added to the count just before.</summary>
    public static void ArriveAfterCopies(OperationContext c)
    {
        bool counts = c.Take("noinc");
        c.I.Space = MemoryBuilders.TakeSpace(c);
        c.Type();
        Operands(c, 0, 1, 1);
        Each(c, (warp, i, lane) =>
        {
            warp.WaitCopies(lane, -1);
            Find(warp, i, lane).Arrive(warp, lane, counts ? 1 : 0);
            warp.Time++;
        });
    }

    private static int Offset(Warp warp, Instruction i, int lane)
    {
        Located located = warp.Locate(i.Space, lane, warp.Slot(i.A)[lane] + (ulong)i.Imm, 8, PtxAccess.Atomic, i);
        return located.Buffer is null ? located.Offset : throw warp.Fault(PtxFaultKind.InvalidOperation, lane, i, detail: "an mbarrier lies in shared memory");
    }

    private static void Initialise(Warp warp, Instruction i, int lane)
    {
        int count = (int)warp.Slot(i.B)[lane];
        if (count is < 1 or > (1 << 20) - 1)
        {
            throw warp.Fault(PtxFaultKind.InvalidOperation, lane, i, detail: $"a count of {count}");
        }
        int offset = Offset(warp, i, lane);
        warp.Block.SharedShadow.Write(warp, lane, offset, 8, i, strong: false, sameValue: false);
        warp.Block.Mbarriers[offset] = new Mbarrier(count, warp.Block.Threads);
    }

    private static Mbarrier Find(Warp warp, Instruction i, int lane) =>
        Find(warp, i, lane, i.Space, warp.Slot(i.A)[lane] + (ulong)i.Imm);

    public static Mbarrier Find(Warp warp, Instruction i, int lane, Space space, ulong address)
    {
        Located located = warp.Locate(space, lane, address, 8, PtxAccess.Atomic, i);
        located.Shadow?.Read(warp, lane, located.Offset, 8, i, strong: true);
        return located.Buffer is null && warp.Block.Mbarriers.TryGetValue(located.Offset, out Mbarrier? barrier) ? barrier
            : throw warp.Fault(PtxFaultKind.InvalidOperation, lane, i, PtxSpace.Shared, located.Offset, 8, PtxAccess.Atomic, detail: "no mbarrier was initialised there");
    }

    private static void Arrive(Warp warp, Instruction i, int lane)
    {
        Mbarrier barrier = Find(warp, i, lane);
        if (i.D >= 0)
        {
            warp.Slot(i.D)[lane] = (ulong)barrier.Phase;
        }
        long operand = i.B < 0 ? 1 : (uint)warp.Slot(i.B)[lane];
        if (i.Flag)
        {
            barrier.ExpectBytes(operand);
        }
        if (i.Not)
        {
            barrier.Drop(i.Flag ? 1 : (int)operand);
        }
        barrier.Arrive(warp, lane, i.Flag ? 1 : (int)operand);
        warp.Time++;
    }

    /// <summary>Whether the phase that the state (or the parity) names has completed; if so, what happened before it is known.</summary>
    private static void Test(Warp warp, Instruction i, int lane)
    {
        Mbarrier barrier = Find(warp, i, lane);
        warp.Land(barrier);
        ulong asked = warp.Slot(i.B)[lane];
        bool done = i.Flag ? ((uint)barrier.Phase & 1) != (asked & 1) : (int)asked < barrier.Phase;
        warp.Slot(i.D)[lane] = done ? 1UL : 0;
        if (!done)
        {
            warp.Yield();
        }
        else if (barrier.Completed is not null)
        {
            Block.Acquire(warp, 1u << lane, barrier.Completed);
        }
    }
}

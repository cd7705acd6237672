using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Decodes asynchronous copies and mbarriers (PTX ISA, "Data Movement … Asynchronous copy", "mbarrier").</summary>
internal static class AsyncBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["cp"] = Copy;
        table["mbarrier"] = MbarrierBuilders.Build;
    }

    private static void ForEachLane(OperationContext c, Action<Warp, Instruction, int> action) => c.I.Run = (warp, i, mask) =>
    {
        for (; mask != 0; mask &= mask - 1)
        {
            action(warp, i, BitOperations.TrailingZeroCount(mask));
        }
    };

    private static void Copy(OperationContext c)
    {
        if (!c.Take("async"))
        {
            throw c.Refuse("is not known here");
        }
        if (c.Take("bulk"))
        {
            Bulk(c);
        }
        else if (c.Take("commit_group"))
        {
            ForEachLane(c, (warp, _, lane) => warp.CommitCopies(lane));
        }
        else if (c.Take("wait_group"))
        {
            int newest = (int)Math.Clamp(c.Constant(0), 0, int.MaxValue);
            ForEachLane(c, (warp, _, lane) => warp.WaitCopies(lane, newest));
        }
        else if (c.Take("wait_all"))
        {
            ForEachLane(c, (warp, _, lane) => warp.WaitCopies(lane, -1));
        }
        else if (c.Take("mbarrier::arrive") || (c.Take("mbarrier") && c.Take("arrive")))
        {
            MbarrierBuilders.ArriveAfterCopies(c);
        }
        else
        {
            CopyAsync(c);
        }
    }

    /// <summary><c>cp.async [shared], [global], bytes {, source bytes or predicate}</c></summary>
    private static void CopyAsync(OperationContext c)
    {
        Instruction i = c.I;
        bool known = c.TakeAny("ca", "cg") is not null;
        known &= c.TakeAny("shared", "shared::cta") is not null;
        known &= c.Take("global");
        c.TakePrefix("L2::");
        c.ExpectOperands(3, 5);
        i.A = c.Address(0, out i.Imm);
        i.B = c.Address(1, out i.Imm2);
        i.Size = (int)c.Constant(2);
        if (!known || i.Size is not (4 or 8 or 16))
        {
            throw c.Refuse("has a form that is not known here");
        }
        if (c.OperandCount > 3)
        {
            Operand last = c.Operand(3);
            bool isPredicate = last.Kind == OperandKind.Name
                && c.Compiler.TryRegister(c.Statement.Scope, last.Name, c.Statement.Line)?.Type == PtxType.Pred;
            i.Flag = isPredicate;
            i.Not = last.Not;
            i.C = c.Source(3, isPredicate ? PtxType.Pred : PtxType.U32);
        }
        c.Compiler.Module.NoteAccess(Space.Shared, i.Size);
        ForEachLane(c, CopyLane);
    }

    private static void CopyLane(Warp warp, Instruction i, int lane)
    {
        int sourceBytes = i.Size;
        if (i.C >= 0)
        {
            ulong value = warp.Slot(i.C)[lane];
            sourceBytes = !i.Flag ? (int)Math.Min((uint)value, (uint)i.Size) : (value & 1) != 0 != i.Not ? 0 : i.Size;
        }
        Located target = warp.Locate(Space.Shared, lane, warp.Slot(i.A)[lane] + (ulong)i.Imm, i.Size, PtxAccess.Write, i);
        ulong address = warp.Slot(i.B)[lane] + (ulong)i.Imm2;
        byte[] source = [];
        int offset = 0;
        if (sourceBytes > 0)
        {
            if ((address & (ulong)(i.Size - 1)) != 0)
            {
                warp.Locate(Space.Global, lane, address, i.Size, PtxAccess.Read, i);
            }
            // Only the source bytes are read, so only they must exist.
            Located from = warp.LocateRange(Space.Global, lane, address, sourceBytes, 1, PtxAccess.Read, i);
            from.Shadow?.Read(warp, lane, from.Offset, sourceBytes, i, false);
            (source, offset) = (from.Buffer!.Data, from.Offset);
        }
        warp.BeginCopy(lane, i, target.Offset, source, offset, sourceBytes, i.Size);
    }

    private static void Bulk(OperationContext c)
    {
        if (c.Take("commit_group"))
        {
            ForEachLane(c, (warp, _, lane) => warp.CommitReads(lane));
            return;
        }
        if (c.Take("wait_group"))
        {
            c.Take("read");
            int newest = (int)Math.Clamp(c.Constant(0), 0, int.MaxValue);
            ForEachLane(c, (warp, _, lane) => warp.WaitReads(lane, newest));
            return;
        }
        // The destination's space comes first.
        string opcode = c.Statement.Opcode;
        bool toShared = opcode.StartsWith("cp.async.bulk.shared::", StringComparison.Ordinal);
        bool known = c.TakeAny("shared::cluster", "shared::cta") is not null;
        known &= c.Take("global");
        known &= toShared ? c.Take("mbarrier::complete_tx::bytes") : c.Take("bulk_group") && opcode.StartsWith("cp.async.bulk.global.shared::cta", StringComparison.Ordinal);
        c.TakePrefix("L2::");
        if (!known)
        {
            throw c.Refuse("has a form that is not known here");
        }
        c.ExpectOperands(toShared ? 4 : 3, toShared ? 5 : 4);
        Instruction i = c.I;
        i.A = c.Address(0, out i.Imm);
        i.B = c.Address(1, out i.Imm2);
        i.C = c.Source(2, PtxType.U32);
        if (toShared)
        {
            i.E = c.Address(3, out long offset);
            i.Data = offset;
        }
        ForEachLane(c, toShared ? BulkLoad : BulkStore);
    }

    private static int BulkBytes(Warp warp, Instruction i, int lane)
    {
        uint bytes = (uint)warp.Slot(i.C)[lane];
        return bytes % 16 == 0 && bytes is > 0 and < 1 << 20 ? (int)bytes
            : throw warp.Fault(PtxFaultKind.InvalidOperation, lane, i, detail: $"a bulk copy of {bytes} bytes");
    }

    private static void BulkLoad(Warp warp, Instruction i, int lane)
    {
        int bytes = BulkBytes(warp, i, lane);
        Located target = warp.LocateRange(Space.Shared, lane, warp.Slot(i.A)[lane] + (ulong)i.Imm, bytes, 16, PtxAccess.Write, i);
        Located source = warp.LocateRange(Space.Global, lane, warp.Slot(i.B)[lane] + (ulong)i.Imm2, bytes, 16, PtxAccess.Read, i);
        source.Shadow?.Read(warp, lane, source.Offset, bytes, i, false);
        target.Shadow!.Write(warp, lane, target.Offset, bytes, i, strong: false, sameValue: false);
        target.Shadow.Begin(target.Offset, bytes, write: true);
        Mbarrier barrier = MbarrierBuilders.Find(warp, i, lane, Space.Shared, warp.Slot(i.E)[lane] + (ulong)(long)i.Data!);
        barrier.Copies.Add(new BulkCopy(warp, lane, target.Offset, source.Buffer!.Data, source.Offset, bytes));
    }

    private static void BulkStore(Warp warp, Instruction i, int lane)
    {
        int bytes = BulkBytes(warp, i, lane);
        Located target = warp.LocateRange(Space.Global, lane, warp.Slot(i.A)[lane] + (ulong)i.Imm, bytes, 16, PtxAccess.Write, i);
        Located source = warp.LocateRange(Space.Shared, lane, warp.Slot(i.B)[lane] + (ulong)i.Imm2, bytes, 16, PtxAccess.Read, i);
        source.Shadow!.Read(warp, lane, source.Offset, bytes, i, false);
        target.Shadow?.Write(warp, lane, target.Offset, bytes, i, strong: false, sameValue: false);
        warp.Block.Shared.AsSpan(source.Offset, bytes).CopyTo(target.Buffer!.Data.AsSpan(target.Offset));
        warp.BeginRead(lane, source.Offset, bytes);
    }
}

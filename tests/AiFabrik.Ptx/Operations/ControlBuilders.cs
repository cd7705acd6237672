namespace AiFabrik.Ptx;

/// <summary>Decodes branches, calls, barriers and fences (PTX ISA, "Control Flow Instructions", "Parallel Synchronization…").</summary>
internal static class ControlBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["bra"] = Branch;
        table["brx"] = IndexedBranch;
        table["call"] = Call;
        table["ret"] = c => Simple(c, Flow.Return);
        table["exit"] = c => Simple(c, Flow.Exit);
        table["trap"] = c => Simple(c, Flow.Trap);
        table["brkpt"] = c => Simple(c, Flow.Trap);
        table["bar"] = c => Barrier(c);
        table["barrier"] = c => Barrier(c);
        table["membar"] = Fence;
        table["fence"] = Fence;
    }

    private static void Simple(OperationContext c, Flow flow)
    {
        c.Take("uni");
        c.ExpectOperands(0, 0);
        c.I.Flow = flow;
    }

    private static void Branch(OperationContext c)
    {
        c.Take("uni");
        c.ExpectOperands(1, 1);
        c.I.Flow = Flow.Branch;
        c.I.Target = c.Compiler.FindLabel(c.Statement.Scope, c.Operand(0).Name, c.Statement.Line);
    }

    private static void IndexedBranch(OperationContext c)
    {
        c.Take("idx");
        c.Take("uni");
        c.ExpectOperands(2, 2);
        c.I.Flow = Flow.IndexedBranch;
        c.I.A = c.Source(0, PtxType.U32);
        for (Scope? s = c.Statement.Scope; s is not null; s = s.Parent)
        {
            if (s.BranchTargets.TryGetValue(c.Operand(1).Name, out List<string>? targets))
            {
                c.I.List = [.. targets.Select(t => c.Compiler.FindLabel(c.Statement.Scope, t, c.Statement.Line))];
                return;
            }
        }
        throw c.Refuse("names no .branchtargets");
    }

    /// <summary><c>call (returns), function, (arguments)</c>; returns and arguments may be absent; a prototype follows a register.</summary>
    private static void Call(OperationContext c)
    {
        c.Take("uni");
        List<Operand> operands = c.Statement.Operands;
        int at = 0;
        List<Operand> returns = operands.Count > 0 && operands[0].Kind == OperandKind.List ? operands[at++].Items : [];
        Operand target = c.Operand(at++);
        List<Operand> arguments = at < operands.Count && operands[at].Kind == OperandKind.List ? operands[at++].Items : [];
        Function? callee = c.Compiler.TryRegister(c.Statement.Scope, target.Name, c.Statement.Line) is null ? c.Compiler.Module.FindFunction(target.Name) : null;
        if (callee is null)
        {
            c.I.A = c.Source(target, PtxType.B64);
            c.ExpectOperands(at, at + 1);
        }
        else if (!callee.Syntax.HasBody)
        {
            throw c.Refuse($"calls '{target.Name}', which has no body here");
        }
        else if (callee.Syntax.IsEntry || callee.Syntax.Parameters.Count != arguments.Count || callee.Syntax.Returns.Count != returns.Count)
        {
            throw c.Refuse($"does not fit '{target.Name}'");
        }
        if (callee is not null)
        {
            c.Compiler.Function.Callees.Add(callee);
        }
        c.I.Flow = Flow.Call;
        c.I.Data = new CallSite
        {
            Caller = c.Compiler.Function,
            Callee = callee,
            Arguments = [.. arguments.Select(a => Pass(c, a))],
            Returns = [.. returns.Select(r => Pass(c, r))],
        };
    }

    private static Passing Pass(OperationContext c, Operand operand)
    {
        Variable? variable = operand.Kind == OperandKind.Name ? FunctionCompiler.FindVariable(c.Statement.Scope, operand.Name) : null;
        if (variable is { Space: Space.Param } && (!c.Compiler.Function.Syntax.IsEntry || c.Compiler.Function.Syntax.Locals.Contains(variable)))
        {
            return new Passing(-1, variable.Offset, (int)variable.SizeBytes);
        }
        return new Passing(c.Source(operand, PtxType.B64), -1, 8);
    }

    private static void Barrier(OperationContext c)
    {
        if (c.Take("warp"))
        {
            c.Take("sync");
            c.ExpectOperands(1, 1);
            c.I.Flow = Flow.Collective;
            c.I.E = c.Source(0, PtxType.B32);
            c.I.Data = new WarpBarrier();
            return;
        }
        Instruction i = c.I;
        if (c.Take("cluster"))
        {
            ClusterBarrier(c);
            return;
        }
        c.Take("cta");
        string? action = c.TakeAny("sync", "arrive", "red");
        string? reduction = action == "red" ? c.TakeAny("popc", "and", "or") : null;
        bool aligned = c.Take("aligned") || c.Name == "bar";
        c.TakeAny("u32", "pred");
        i.Flow = Flow.Barrier;
        i.Flag = !aligned;
        i.Kind = action == "arrive" ? -1 : (int)(reduction switch
        {
            "popc" => BarrierReduction.Popc, "and" => BarrierReduction.And, "or" => BarrierReduction.Or, _ => BarrierReduction.None,
        });
        int first = 0;
        if (reduction is not null)
        {
            c.Destination();
            first = 1;
        }
        int count = c.OperandCount - first - (reduction is null ? 0 : 1);
        if (action is null || count is < 1 or > 2 || (action == "arrive" && count != 2))
        {
            throw c.Refuse("has a wrong number of operands");
        }
        i.A = c.Source(first, PtxType.U32);
        i.B = count == 2 ? c.Source(first + 1, PtxType.U32) : -1;
        if (reduction is not null)
        {
            i.C = c.Predicate(c.OperandCount - 1, out bool not);
            i.Not = not;
        }
    }

    /// <summary>A block is its own cluster: arriving does nothing, and waiting is a block barrier of its own.</summary>
    private static void ClusterBarrier(OperationContext c)
    {
        bool waits = c.Take("wait");
        if (!waits && !c.Take("arrive"))
        {
            throw c.Refuse("is not known here");
        }
        c.TakeAny("acquire", "release", "relaxed");
        bool aligned = c.Take("aligned");
        c.ExpectOperands(0, 0);
        if (!waits)
        {
            c.I.Run = (_, _, _) => { };
            return;
        }
        c.I.Flow = Flow.Barrier;
        c.I.Flag = !aligned;
        c.I.Kind = (int)BarrierReduction.None;
        c.I.A = c.Compiler.ConstantSlot(Block.ClusterBarrier, c.Statement.Line);
    }

    private static void Fence(OperationContext c)
    {
        c.TakePrefix("");
        c.Compiler.Module.HasFences = true;
        c.I.Run = (_, _, _) => { };
    }
}

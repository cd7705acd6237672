using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Branches, calls, returns, and waiting.</summary>
internal sealed partial class Warp
{
    private void Control(Instruction instruction, uint lanes)
    {
        switch (instruction.Flow)
        {
            case Flow.Branch:
                Add(_mask & ~lanes, _pc + 1, _frame, SplitState.Runnable);
                _mask = lanes;
                _pc = instruction.Target;
                break;
            case Flow.IndexedBranch:
                IndexedBranch(instruction, lanes);
                break;
            case Flow.Call:
                Call(instruction, lanes);
                break;
            case Flow.Return:
                Return(lanes);
                break;
            case Flow.Exit:
                Leave(lanes, _pc + 1);
                Exit(lanes);
                break;
            case Flow.Trap:
                throw Fault(PtxFaultKind.Trap, BitOperations.TrailingZeroCount(lanes), instruction);
            default:
                WaitInside(instruction, lanes);
                break;
        }
    }

    /// <summary>Takes lanes out of the running split; the others go on at <paramref name="pc"/>.</summary>
    private void Leave(uint lanes, int pc)
    {
        _mask &= ~lanes;
        _pc = pc;
    }

    private void IndexedBranch(Instruction instruction, uint lanes)
    {
        Span<ulong> index = Slot(instruction.A);
        int next = _pc + 1;
        for (uint rest = lanes; rest != 0;)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            uint value = (uint)index[first];
            if (value >= (uint)instruction.List.Length)
            {
                throw Fault(PtxFaultKind.InvalidOperation, first, instruction, detail: $"index {value} has no target");
            }
            uint same = Same(index, rest, value, uint.MaxValue);
            Add(same, instruction.List[value], _frame, SplitState.Runnable);
            rest &= ~same;
        }
        Leave(lanes, next);
    }

    private static uint Same(Span<ulong> values, uint lanes, ulong value, ulong bits)
    {
        uint same = 0;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            same |= (values[lane] & bits) == (value & bits) ? 1u << lane : 0;
        }
        return same;
    }

    private void Call(Instruction instruction, uint lanes)
    {
        var site = (CallSite)instruction.Data!;
        if (site.Callee is not null)
        {
            Enter(site, site.Callee, lanes);
            return;
        }
        Span<ulong> target = Slot(instruction.A);
        int first = BitOperations.TrailingZeroCount(lanes);
        ulong index = target[first] - (DeviceMemory.FunctionWindow << DeviceMemory.WindowShift);
        Function[] functions = Block.Launch.Module.Functions;
        if (index >= (ulong)functions.Length || functions[index].Start < 0 || !Matches(site, functions[index]))
        {
            throw Fault(PtxFaultKind.InvalidOperation, first, instruction, detail: "the called address is no function of this kind");
        }
        uint same = Same(target, lanes, target[first], ulong.MaxValue);
        // The other targets' lanes come back to this instruction on their own.
        Add(lanes & ~same, _pc, _frame, SplitState.Runnable);
        _mask &= same | ~lanes;
        Enter(site, functions[index], same);
    }

    private static bool Matches(CallSite site, Function callee) =>
        site.Arguments.Length == callee.Syntax.Parameters.Count && site.Returns.Length == callee.Syntax.Returns.Count && !callee.Syntax.IsEntry;

    private void Enter(CallSite site, Function callee, uint lanes)
    {
        int caller = _frame;
        int frame = caller + site.Caller.FrameLength;
        int needed = frame + callee.FrameLength;
        if (needed > RegistersMax)
        {
            throw Fault(PtxFaultKind.OutOfBounds, BitOperations.TrailingZeroCount(lanes), _code[_pc], PtxSpace.Local, detail: "calls are nested too deeply");
        }
        if (needed > Registers.Length)
        {
            ulong[] larger = new ulong[Math.Max(needed, Registers.Length * 2)];
            Registers.CopyTo(larger, 0);
            Registers = larger;
        }
        Add(_mask & ~lanes, _pc + 1, caller, SplitState.Runnable);
        _mask = lanes;
        _frame = frame;
        // Lanes of one frame may have come here by ways of different depth; each keeps its own local base.
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            int local = (int)Registers[caller + Function.LocalTopSlot + lane];
            MakeFrame(callee, 1u << lane, _pc + 1, caller, local);
            for (int i = 0; i < site.Arguments.Length; i++)
            {
                Move(lane, caller, site.Arguments[i], frame, PassingOf(callee.Syntax.Parameters[i], callee));
            }
        }
        _pc = callee.Start;
    }

    private static Passing PassingOf(Variable variable, Function function) => variable.Space == Space.Reg
        ? new Passing(function.Syntax.Body.Registers[variable.Name].Slot, -1, variable.Type.Size())
        : new Passing(-1, variable.Offset, (int)variable.SizeBytes);

    private void Move(int lane, int fromFrame, Passing from, int toFrame, Passing to)
    {
        byte[] local = Local[lane];
        int size = Math.Min(from.Size, to.Size);
        int source = from.LocalOffset + (int)Registers[fromFrame + Function.LocalBaseSlot + lane];
        int target = to.LocalOffset + (int)Registers[toFrame + Function.LocalBaseSlot + lane];
        if (from.Slot < 0 && to.Slot < 0)
        {
            local.AsSpan(source, size).CopyTo(local.AsSpan(target, size));
            return;
        }
        ulong value = from.Slot >= 0 ? Registers[fromFrame + from.Slot + lane] : 0;
        if (from.Slot < 0)
        {
            for (int i = Math.Min(size, 8) - 1; i >= 0; i--)
            {
                value = value << 8 | local[source + i];
            }
        }
        if (to.Slot >= 0)
        {
            Registers[toFrame + to.Slot + lane] = value & OperationContext.WidthMask(to.Size);
            return;
        }
        for (int i = 0; i < Math.Min(size, 8); i++)
        {
            local[target + i] = (byte)(value >> (8 * i));
        }
    }

    private void Return(uint lanes)
    {
        Span<ulong> address = Slot(Function.ReturnSlot);
        int next = _pc + 1;
        int frame = _frame;
        Leave(lanes, next);
        for (uint rest = lanes; rest != 0;)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            uint same = Same(address, rest, address[first], ulong.MaxValue)
                & Same(Slot(Function.CallerSlot), rest, Slot(Function.CallerSlot)[first], ulong.MaxValue);
            rest &= ~same;
            int pc = (int)address[first];
            if (pc < 0)
            {
                Exit(same);
                continue;
            }
            int caller = (int)Slot(Function.CallerSlot)[first];
            var site = (CallSite)_code[pc - 1].Data!;
            Function callee = FunctionAt(next - 1);
            for (uint lane = same; lane != 0; lane &= lane - 1)
            {
                int l = BitOperations.TrailingZeroCount(lane);
                for (int i = 0; i < site.Returns.Length; i++)
                {
                    Move(l, frame, PassingOf(callee.Syntax.Returns[i], callee), caller, site.Returns[i]);
                }
            }
            Add(same, pc, caller, SplitState.Runnable);
        }
    }

    private Function FunctionAt(int pc)
    {
        Function best = Block.Launch.Entry;
        foreach (Function function in Block.Launch.Module.Functions)
        {
            if (function.Start >= 0 && function.Start <= pc && (best.Start > pc || function.Start > best.Start))
            {
                best = function;
            }
        }
        return best;
    }

    private void Exit(uint lanes)
    {
        Live &= ~lanes;
        Block.Exited(BitOperations.PopCount(lanes));
        RetryWaiting();
    }

    /// <summary>Fills the hidden slots, the constants, special registers and addresses of a frame for some lanes.</summary>
    private void MakeFrame(Function function, uint lanes, int returnAddress, int caller, int localBase)
    {
        int frame = _frame;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            Registers[frame + Function.ReturnSlot + lane] = unchecked((ulong)returnAddress);
            Registers[frame + Function.CallerSlot + lane] = (ulong)caller;
            Registers[frame + Function.LocalBaseSlot + lane] = (ulong)localBase;
            Registers[frame + Function.LocalTopSlot + lane] = (ulong)(localBase + function.LocalBytes);
            Registers[frame + Function.CarrySlot + lane] = 0;
            GrowLocal(lane, localBase, function.LocalBytes);
            foreach (SlotInit init in function.Inits)
            {
                Registers[frame + init.Slot + lane] = InitialValue(init, lane, localBase);
            }
        }
    }

    private void GrowLocal(int lane, int localBase, int bytes)
    {
        int top = localBase + bytes;
        if (top > FunctionCompiler.LocalBytesMax)
        {
            throw Fault(PtxFaultKind.OutOfBounds, lane, _code[Math.Min(_pc, _code.Length - 1)], PtxSpace.Local, detail: "calls are nested too deeply");
        }
        if (Local[lane].Length < top)
        {
            byte[] larger = new byte[Math.Max(top, Local[lane].Length * 2)];
            Local[lane].CopyTo(larger, 0);
            Local[lane] = larger;
        }
        Local[lane].AsSpan(localBase, bytes).Fill(0xCD);
    }

    private ulong InitialValue(in SlotInit init, int lane, int localBase) => init.Source switch
    {
        SlotSource.Constant => init.Value,
        SlotSource.Local => (ulong)(localBase + init.Symbol!.Offset) + init.Value,
        SlotSource.Symbol => Block.Launch.Addresses.GetValueOrDefault(init.Symbol!) + init.Value,
        SlotSource.Function => (DeviceMemory.FunctionWindow << DeviceMemory.WindowShift) + init.Value,
        _ => SpecialValue((Special)init.Value, lane),
    };

    private ulong SpecialValue(Special special, int lane)
    {
        Launch launch = Block.Launch;
        Dim3 thread = launch.BlockShape.At(FirstThread + lane);
        uint bit = 1u << lane;
        return special switch
        {
            Special.TidX => (ulong)thread.X,
            Special.TidY => (ulong)thread.Y,
            Special.TidZ => (ulong)thread.Z,
            Special.NtidX => (ulong)launch.BlockShape.X,
            Special.NtidY => (ulong)launch.BlockShape.Y,
            Special.NtidZ => (ulong)launch.BlockShape.Z,
            Special.CtaidX => (ulong)Block.Index.X,
            Special.CtaidY => (ulong)Block.Index.Y,
            Special.CtaidZ => (ulong)Block.Index.Z,
            Special.NctaidX => (ulong)launch.Grid.X,
            Special.NctaidY => (ulong)launch.Grid.Y,
            Special.NctaidZ => (ulong)launch.Grid.Z,
            Special.LaneId => (ulong)lane,
            Special.WarpId => (ulong)Index,
            Special.NWarpId => (ulong)Block.Warps.Length,
            Special.LaneMaskEq => bit,
            Special.LaneMaskLt => bit - 1,
            Special.LaneMaskLe => bit | (bit - 1),
            Special.LaneMaskGe => ~(bit - 1),
            Special.LaneMaskGt => ~(bit | (bit - 1)),
            Special.DynamicSharedSize => (ulong)launch.DynamicBytes,
            Special.TotalSharedSize => (ulong)launch.SharedBytes,
            Special.One or Special.NSmId => 1,
            _ => 0,
        };
    }
}

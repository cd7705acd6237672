using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>
/// Instructions that several lanes execute together. Gather reads the operands of some lanes, Compute makes the results of all members, Scatter
/// writes the results of some lanes: so members may stand at different places with different registers, as the PTX ISA allows for
/// <c>.sync</c> instructions that are not <c>.aligned</c>.
/// </summary>
internal abstract class Collective
{
    /// <summary>Whether all lanes of the warp must be at this very instruction.</summary>
    public virtual bool IsAligned => false;
    public virtual void Gather(Warp warp, Instruction instruction, uint lanes) { }
    public abstract void Compute(Warp warp, Instruction instruction, uint members);
    public virtual void Scatter(Warp warp, Instruction instruction, uint lanes) { }
}

/// <summary>Waiting for other lanes of the warp, and for other warps at a barrier.</summary>
internal sealed partial class Warp
{
    /// <summary>Operands and results of the collective that is being executed, by lane.</summary>
    public ulong[] X { get; } = new ulong[32];
    public ulong[] Y { get; } = new ulong[32];
    public ulong[] Z { get; } = new ulong[32];
    public ulong[] Result { get; } = new ulong[32];
    public ulong[] Predicate { get; } = new ulong[32];

    private bool _retrying;

    private void WaitInside(Instruction instruction, uint lanes)
    {
        // Lanes that the guard keeps out go on.
        bool isAligned = instruction.Data is not Collective collective || collective.IsAligned;
        isAligned &= instruction.Flow != Flow.Barrier || !instruction.Flag;
        if (lanes == _mask && (isAligned ? lanes == _existing : instruction.Flow == Flow.Barrier || MembersAre(instruction, lanes)))
        {
            Execute(instruction, lanes);
            return;
        }
        if (!isAligned && instruction.Flow == Flow.Barrier)
        {
            Add(_mask & ~lanes, _pc + 1, _frame, SplitState.Runnable);
            _mask = lanes;
            Execute(instruction, lanes);
            return;
        }
        Add(_mask & ~lanes, _pc + 1, _frame, SplitState.Runnable);
        Add(lanes, _pc, _frame, SplitState.WaitingInside);
        _mask = 0;
        RetryWaiting();
    }

    /// <summary>Whether every lane of the running split names exactly these members, as far as they live.</summary>
    private bool MembersAre(Instruction instruction, uint lanes)
    {
        Span<ulong> members = Slot(instruction.E);
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            if (((uint)members[BitOperations.TrailingZeroCount(rest)] & Live) != lanes)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Executes for the whole running split.</summary>
    private void Execute(Instruction instruction, uint lanes)
    {
        if (instruction.Flow == Flow.Barrier)
        {
            ArriveAtBarrier(instruction, lanes);
            return;
        }
        var collective = (Collective)instruction.Data!;
        collective.Gather(this, instruction, lanes);
        collective.Compute(this, instruction, lanes);
        collective.Scatter(this, instruction, lanes);
        _pc++;
    }

    /// <summary>Looks whether splits that wait for each other have become complete; called when one arrives and when lanes exit.</summary>
    private void RetryWaiting()
    {
        if (_retrying)
        {
            return;
        }
        _retrying = true;
        (uint mask, int pc, int frame) = (_mask, _pc, _frame);
        bool again = true;
        while (again)
        {
            again = false;
            for (int s = 0; s < _count && !again; s++)
            {
                again = _splits[s].State == SplitState.WaitingInside && TryComplete(s);
            }
        }
        (_mask, _pc, _frame) = (mask, pc, frame);
        _retrying = false;
    }

    private bool TryComplete(int s)
    {
        Split split = _splits[s];
        Instruction instruction = _code[split.Pc];
        bool isAligned = instruction.Flow == Flow.Barrier || ((Collective)instruction.Data!).IsAligned;
        if (isAligned)
        {
            if (split.Mask == _existing)
            {
                Remove(s);
                (_mask, _pc, _frame) = (split.Mask, split.Pc, split.Frame);
                Execute(instruction, split.Mask);
                Add(_mask, _pc, _frame, SplitState.Runnable);
                return true;
            }
            if ((split.Mask | (_existing & ~Live)) == _existing)
            {
                throw Fault(PtxFaultKind.DivergentBarrier, BitOperations.TrailingZeroCount(split.Mask), instruction,
                    detail: "the other lanes of the warp have exited");
            }
            return false;
        }
        return TryCompleteMembers(s, instruction);
    }

    private bool TryCompleteMembers(int s, Instruction instruction)
    {
        _frame = _splits[s].Frame;
        int first = BitOperations.TrailingZeroCount(_splits[s].Mask);
        uint named = (uint)Slot(instruction.E)[first];
        uint wanted = (named | 1u << first) & Live;
        uint present = 0;
        for (int t = 0; t < _count; t++)
        {
            present |= Parts(t, instruction, named);
        }
        if ((present & wanted) != wanted)
        {
            return false;
        }
        var collective = (Collective)instruction.Data!;
        for (int t = 0; t < _count; t++)
        {
            uint part = Parts(t, instruction, named);
            if (part != 0)
            {
                collective.Gather(this, _code[_splits[t].Pc], part);
            }
        }
        collective.Compute(this, instruction, wanted);
        for (int t = _count - 1; t >= 0; t--)
        {
            uint part = Parts(t, instruction, named);
            if (part == 0)
            {
                continue;
            }
            Split split = _splits[t];
            collective.Scatter(this, _code[split.Pc], part);
            Remove(t);
            Add(split.Mask & ~part, split.Pc, split.Frame, SplitState.WaitingInside);
            Add(part, split.Pc + 1, split.Frame, SplitState.Runnable);
        }
        return true;
    }

    /// <summary>The lanes of a waiting split that execute this instruction with these members; its frame becomes the current one.</summary>
    private uint Parts(int s, Instruction instruction, uint named)
    {
        ref Split split = ref _splits[s];
        if (split.State != SplitState.WaitingInside || _code[split.Pc].Opcode != instruction.Opcode)
        {
            return 0;
        }
        _frame = split.Frame;
        return Same(Slot(_code[split.Pc].E), split.Mask, named, uint.MaxValue);
    }

    private void ArriveAtBarrier(Instruction instruction, uint lanes)
    {
        int first = BitOperations.TrailingZeroCount(lanes);
        int index = (int)Slot(instruction.A)[first];
        int expected = instruction.B < 0 ? 0 : (int)Slot(instruction.B)[first];
        bool badCount = instruction.B >= 0 && (expected <= 0 || expected % 32 != 0 && !instruction.Flag);
        if ((uint)index > Block.ClusterBarrier || badCount)
        {
            throw Fault(PtxFaultKind.InvalidOperation, first, instruction, detail: $"barrier {index} with {expected} threads");
        }
        uint predicates = 0;
        if (instruction.C >= 0)
        {
            Span<ulong> source = Slot(instruction.C);
            for (int lane = 0; lane < 32; lane++)
            {
                predicates |= (uint)((source[lane] & 1) ^ (instruction.Not ? 1u : 0u)) << lane;
            }
        }
        int counted = instruction.B >= 0 && !instruction.Flag ? 32 : BitOperations.PopCount(lanes);
        bool waits = instruction.Kind >= 0;
        if (waits)
        {
            Add(lanes, _pc, _frame, SplitState.WaitingAtBarrier);
            _mask &= ~lanes;
        }
        _pc++;
        Block.Barrier(index).Arrive(this, lanes, expected, counted, waits, predicates);
    }

    /// <summary>The barrier is complete: lanes that waited go on, with the result of its reduction.</summary>
    public void Release(uint lanes, int trueCount, int voters)
    {
        for (int s = _count - 1; s >= 0; s--)
        {
            Split split = _splits[s];
            if (split.State != SplitState.WaitingAtBarrier || (split.Mask & lanes) == 0)
            {
                continue;
            }
            Remove(s);
            Instruction instruction = _code[split.Pc];
            var reduction = (BarrierReduction)instruction.Kind;
            if (reduction != BarrierReduction.None)
            {
                ulong result = reduction switch
                {
                    BarrierReduction.Popc => (ulong)trueCount,
                    BarrierReduction.And => trueCount == voters ? 1UL : 0,
                    _ => trueCount != 0 ? 1UL : 0,
                };
                for (uint rest = split.Mask; rest != 0; rest &= rest - 1)
                {
                    Registers[split.Frame + instruction.D + BitOperations.TrailingZeroCount(rest)] = result;
                }
            }
            Add(split.Mask, split.Pc + 1, split.Frame, SplitState.Runnable);
        }
    }
}

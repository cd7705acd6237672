using System.Numerics;
using System.Runtime.InteropServices;

namespace AiFabrik.Ptx;

internal enum SplitState : byte { Runnable, WaitingInside, WaitingAtBarrier }

/// <summary>Lanes of a warp that share a program counter and a frame.</summary>
internal struct Split
{
    public uint Mask;
    public int Pc;
    public int Frame;
    public SplitState State;
    public int LastRun;
}

/// <summary>
/// A warp: registers, clocks, and the splits that its lanes have formed. The deepest frame with the lowest program counter runs first and joins
/// others where they meet, which reconverges structured code at the end of a branch (Collange 2011, "Stack-less SIMT reconvergence at low
/// cost"); since a split that runs long yields, lanes that wait for each other get on, as on Volta and later.
/// </summary>
internal sealed partial class Warp
{
    /// <summary>Instructions that one split may run while another of its warp could.</summary>
    private const int SplitQuantum = 128;
    /// <summary>Frames of recursion times their length; 8 bytes each.</summary>
    private const int RegistersMax = 1 << 24;

    private readonly Split[] _splits = new Split[33];
    private readonly Instruction[] _code;
    private readonly uint _existing;
    private int _count;
    private int _turn;
    private bool _yield;

    /// <summary>The running split.</summary>
    private uint _mask;
    private int _pc;
    private int _frame;

    public Warp(Block block, int index, uint existing)
    {
        Block = block;
        Index = index;
        _existing = existing;
        _code = block.Launch.Code;
        Registers = new ulong[block.Launch.Entry.FrameLength];
        Clocks = new int[32][];
        Local = new byte[32][];
        Array.Fill(Local, []);
    }

    public Block Block { get; }
    public int Index { get; }
    public int FirstThread => Index * 32;
    public ulong[] Registers { get; private set; }
    public byte[][] Local { get; }
    /// <summary>Per lane: up to which time it knows what every thread of the block has done. Shared between lanes that know the same.</summary>
    public int[][] Clocks { get; }
    /// <summary>Counts the warp's releases; accesses carry it.</summary>
    public int Time { get; set; }
    public uint Existing => _existing;
    public uint Live { get; private set; }
    public bool IsWaitingInside
    {
        get
        {
            for (int s = 0; s < _count; s++)
            {
                if (_splits[s].State == SplitState.WaitingInside)
                {
                    return true;
                }
            }
            return false;
        }
    }

    public Span<ulong> Slot(int slot) => MemoryMarshal.CreateSpan(ref Registers[_frame + slot], 32);

    public void Start(int time, int[] known)
    {
        Time = time;
        Array.Fill(Clocks, known);
        Live = _existing;
        _count = 1;
        _splits[0] = new Split { Mask = _existing, Pc = Block.Launch.Entry.Start, State = SplitState.Runnable };
        ResetAsync();
        _frame = 0;
        Registers.AsSpan().Fill(0xCDCD_CDCD_CDCD_CDCD);
        MakeFrame(Block.Launch.Entry, _existing, -1, 0, 0);
    }

    /// <summary>Runs until every split waits or has exited, or the quantum is spent.</summary>
    public void Run(int quantum)
    {
        long end = Block.Launch.WarpInstructions + quantum;
        _yield = false;
        while (!_yield && Block.Launch.WarpInstructions < end)
        {
            int split = Pick(out bool urgent);
            if (split < 0)
            {
                return;
            }
            RunSplit(split, urgent);
        }
    }

    /// <summary>The split to run, or -1. Urgent: it has waited so long that it may run on without joining others.</summary>
    private int Pick(out bool urgent)
    {
        int best = -1;
        bool starving = false;
        for (int s = 0; s < _count; s++)
        {
            ref Split split = ref _splits[s];
            if (split.State != SplitState.Runnable)
            {
                continue;
            }
            starving |= _turn - split.LastRun > SplitQuantum * 4;
            if (best < 0 || Before(split, _splits[best]))
            {
                best = s;
            }
        }
        if (starving)
        {
            for (int s = 0; s < _count; s++)
            {
                if (_splits[s].State == SplitState.Runnable && _splits[s].LastRun - _splits[best].LastRun < 0)
                {
                    best = s;
                }
            }
        }
        urgent = starving;
        return best;
    }

    private static bool Before(in Split a, in Split b) => a.Frame != b.Frame ? a.Frame > b.Frame : a.Pc < b.Pc;

    private void RunSplit(int s, bool urgent)
    {
        Launch launch = Block.Launch;
        ref Split split = ref _splits[s];
        _mask = split.Mask;
        _pc = split.Pc;
        _frame = split.Frame;
        Remove(s);
        int budget = SplitQuantum;
        int meet = urgent ? int.MaxValue : Meeting();
        long most = launch.Options.WarpInstructionsMax;
        while (true)
        {
            Instruction instruction = _code[_pc];
            uint lanes = instruction.Guard < 0 ? _mask : GuardMask(instruction);
            if (++launch.WarpInstructions > most)
            {
                throw Fault(PtxFaultKind.StepLimit, BitOperations.TrailingZeroCount(_mask), instruction);
            }
            launch.ThreadInstructions += BitOperations.PopCount(_mask);
            _turn++;
            if (instruction.Flow == Flow.Plain)
            {
                if (lanes != 0)
                {
                    instruction.Run!(this, instruction, lanes);
                }
                _pc++;
            }
            else if (lanes == 0)
            {
                _pc++;
            }
            else
            {
                Control(instruction, lanes);
                if (_mask == 0)
                {
                    return;
                }
                meet = urgent ? int.MaxValue : Meeting();
            }
            if (_pc >= meet || --budget < 0 || _yield)
            {
                Add(_mask, _pc, _frame, SplitState.Runnable);
                return;
            }
        }
    }

    /// <summary>The lowest program counter of another runnable split of this frame: where the running one may meet it.</summary>
    private int Meeting()
    {
        int meet = int.MaxValue;
        for (int s = 0; s < _count; s++)
        {
            ref Split other = ref _splits[s];
            if (other.State == SplitState.Runnable && other.Frame >= _frame)
            {
                meet = other.Frame > _frame ? -1 : Math.Min(meet, other.Pc);
            }
        }
        return meet;
    }

    private uint GuardMask(Instruction instruction)
    {
        Span<ulong> predicate = Slot(instruction.Guard);
        uint mask = 0;
        for (int lane = 0; lane < 32; lane++)
        {
            mask |= (uint)(predicate[lane] & 1) << lane;
        }
        return (instruction.GuardNot ? ~mask : mask) & _mask;
    }

    private void Remove(int s)
    {
        _count--;
        _splits[s] = _splits[_count];
    }

    /// <summary>Adds lanes to the split that stands at the same place in the same state, or makes a new one.</summary>
    private void Add(uint mask, int pc, int frame, SplitState state)
    {
        if (mask == 0)
        {
            return;
        }
        for (int s = 0; s < _count; s++)
        {
            ref Split other = ref _splits[s];
            if (other.Pc == pc && other.Frame == frame && other.State == state && state != SplitState.WaitingAtBarrier)
            {
                other.Mask |= mask;
                return;
            }
        }
        _splits[_count++] = new Split { Mask = mask, Pc = pc, Frame = frame, State = state, LastRun = _turn };
    }

    /// <summary>Some lane that waits, and for what.</summary>
    public bool Waiting(out int lane, out Instruction? instruction)
    {
        for (int s = 0; s < _count; s++)
        {
            if (_splits[s].State != SplitState.Runnable)
            {
                lane = BitOperations.TrailingZeroCount(_splits[s].Mask);
                instruction = _code[_splits[s].Pc];
                return true;
            }
        }
        lane = 0;
        instruction = null;
        return false;
    }

    /// <summary>Lets other warps run before this one goes on: it waits for what only they can do.</summary>
    public void Yield() => _yield = true;
}

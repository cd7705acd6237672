namespace AiFabrik.Ptx;

/// <summary>Executes one instruction for the lanes of <paramref name="mask"/>.</summary>
internal delegate void WarpOperation(Warp warp, Instruction instruction, uint mask);

/// <summary>How an instruction moves the program counter or makes lanes wait.</summary>
internal enum Flow : byte { Plain, Branch, IndexedBranch, Call, Return, Exit, Collective, Barrier, Trap }

/// <summary>
/// A decoded instruction. Operands are slots: offsets of 32 consecutive lanes in a warp's register file, relative to the frame.
/// Constants, special registers and symbol addresses have slots too, filled when the frame is made, so that every operation sees only slots.
/// </summary>
internal sealed class Instruction
{
    public WarpOperation? Run;
    public Flow Flow;
    public int Guard = -1;
    public bool GuardNot;
    public int D = -1, D2 = -1, A = -1, B = -1, C = -1, E = -1;
    /// <summary>Bits of a register beyond the destination's width are cut off by this mask.</summary>
    public ulong DMask = ulong.MaxValue;
    public long Imm, Imm2;
    public PtxType Type, SourceType;
    public Space Space, Space2;
    public int Size, Count = 1;
    public FloatOperation Float;
    public Rounding Rounding;
    public bool Ftz, Sat, NaN, Relu, Flag, Strong, Not;
    public int Kind;
    public int[] List = [], List2 = [], List3 = [], List4 = [];
    public object? Data;
    public int Target = -1;
    public required int Line;
    public required string Opcode;
}

internal enum SlotSource : byte { Constant, Special, Symbol, Local, Function }

internal enum Special : byte
{
    TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ,
    LaneId, WarpId, NWarpId, SmId, NSmId, GridId, LaneMaskEq, LaneMaskLe, LaneMaskLt, LaneMaskGe, LaneMaskGt,
    DynamicSharedSize, TotalSharedSize, Zero, One, Clock,
}

/// <summary>A slot that is filled when a frame is made.</summary>
internal readonly record struct SlotInit(int Slot, SlotSource Source, ulong Value, Variable? Symbol = null);

/// <summary>A compiled function: where its code starts, and what its frame holds.</summary>
internal sealed class Function
{
    /// <summary>Slots that every frame starts with: return address, caller's frame, local memory's base and top, carry flag.</summary>
    public const int ReturnSlot = 0, CallerSlot = 32, LocalBaseSlot = 64, LocalTopSlot = 96, CarrySlot = 128, FirstFreeSlot = 160;

    public required FunctionSyntax Syntax { get; init; }
    public required int Index { get; init; }
    public int Start { get; set; } = -1;
    /// <summary>Length of the frame in register file elements (slots times 32).</summary>
    public int FrameLength { get; set; } = FirstFreeSlot;
    /// <summary>Bytes of local memory: variables, parameters, and arguments of calls.</summary>
    public int LocalBytes { get; set; }
    public List<SlotInit> Inits { get; } = [];
    public HashSet<Variable> Shared { get; } = [];
    public HashSet<Function> Callees { get; } = [];
    public int ParameterBytes { get; set; }
}

/// <summary>Where a parameter is passed: in a register's slot, or in local memory of the frame.</summary>
internal readonly record struct Passing(int Slot, int LocalOffset, int Size);

internal sealed class CallSite
{
    public required Function Caller { get; init; }
    public Function? Callee { get; set; }
    public required Passing[] Arguments { get; init; }
    public required Passing[] Returns { get; init; }
}

namespace AiFabrik.Ptx;

/// <summary>What a run stopped with.</summary>
public enum PtxFaultKind
{
    /// <summary>An access outside every allocation, or outside the block's shared or the thread's local memory.</summary>
    OutOfBounds,
    /// <summary>An address that is no multiple of the access's size.</summary>
    Misaligned,
    /// <summary>A read of shared memory that nobody has written in this block.</summary>
    UninitialisedShared,
    /// <summary>Two accesses, one of them a write, that no barrier orders.</summary>
    Race,
    /// <summary>A barrier or a warp-wide instruction that some of its threads can never reach.</summary>
    DivergentBarrier,
    /// <summary>An operation that the PTX ISA leaves undefined: writing constants, calling what is no function, a bad descriptor.</summary>
    InvalidOperation,
    /// <summary>The kernel executed <c>trap</c>.</summary>
    Trap,
    /// <summary>More instructions than <see cref="PtxMachineOptions.WarpInstructionsMax"/>.</summary>
    StepLimit,
}

/// <summary>State spaces that a fault may name.</summary>
public enum PtxSpace { None, Global, Shared, Local, Constant, Parameter }

/// <summary>How memory was accessed.</summary>
public enum PtxAccess { None, Read, Write, Atomic }

/// <summary>Three extents or indices, x varying fastest.</summary>
public readonly record struct Dim3(int X, int Y = 1, int Z = 1)
{
    /// <summary>The number of elements.</summary>
    public long Count => (long)X * Y * Z;

    /// <inheritdoc/>
    public override string ToString() => $"({X},{Y},{Z})";

    /// <summary>The index with linear number <paramref name="linear"/>.</summary>
    public Dim3 At(int linear) => new(linear % X, linear / X % Y, linear / X / Y);
}

/// <summary>Why a launch stopped, and where.</summary>
public sealed record PtxFault
{
    /// <summary>The kind of fault.</summary>
    public required PtxFaultKind Kind { get; init; }
    /// <summary>The state space of the access, if there was one.</summary>
    public PtxSpace Space { get; init; }
    /// <summary>The thread at fault, in its block.</summary>
    public Dim3 Thread { get; init; }
    /// <summary>The other thread of a race.</summary>
    public Dim3? OtherThread { get; init; }
    /// <summary>The block at fault.</summary>
    public Dim3 Block { get; init; }
    /// <summary>The nearest allocation of a global access.</summary>
    public PtxBuffer? Buffer { get; init; }
    /// <summary>Offset in the buffer, in the block's shared memory, or in the thread's local memory.</summary>
    public long ByteOffset { get; init; }
    /// <summary>Bytes of the whole access, a vector counted as one.</summary>
    public int SizeBytes { get; init; }
    /// <summary>How memory was accessed.</summary>
    public PtxAccess Access { get; init; }
    /// <summary>The line of the instruction in the PTX text.</summary>
    public int Line { get; init; }
    /// <summary>The instruction's opcode with its modifiers.</summary>
    public string Instruction { get; init; } = "";
    /// <summary>What is not said by the other members.</summary>
    public string Detail { get; init; } = "";

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Kind} {Access} of {SizeBytes} bytes at {Space}{(Buffer is null ? "" : $" '{Buffer.Name}'")}+{ByteOffset} by thread {Thread}"
        + $"{(OtherThread is { } o ? $" against {o}" : "")} of block {Block}, line {Line}: {Instruction} {Detail}".TrimEnd();
}

/// <summary>Carries a fault out of the machine's inner loops; caught in <see cref="PtxMachine.Launch"/>.</summary>
internal sealed class PtxFaultException(PtxFault fault) : Exception(fault.ToString())
{
    public PtxFault Fault { get; } = fault;
}

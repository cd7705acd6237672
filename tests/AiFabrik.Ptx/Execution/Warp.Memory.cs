using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AiFabrik.Ptx;

/// <summary>Where an access landed: its bytes, and the shadow that watches them, if any.</summary>
internal ref struct Located
{
    public ref byte Bytes;
    public Shadow? Shadow;
    public PtxBuffer? Buffer;
    public int Offset;
}

/// <summary>Addresses to bytes, with every check.</summary>
internal sealed partial class Warp
{
    public Located Locate(Space space, int lane, ulong address, int size, PtxAccess access, Instruction instruction)
    {
        if (space == Space.Generic)
        {
            (space, address) = Resolve(address);
        }
        bool misaligned = (address & (ulong)(size - 1)) != 0;
        switch (space)
        {
            case Space.Shared:
                address &= 0xFF_FFFF_FFFF;
                if (misaligned || address + (ulong)size > (ulong)Block.Shared.Length)
                {
                    throw Fault(misaligned ? PtxFaultKind.Misaligned : PtxFaultKind.OutOfBounds, lane, instruction, PtxSpace.Shared, (long)address, size, access);
                }
                return new Located { Bytes = ref At(Block.Shared, (int)address), Shadow = Block.SharedShadow, Offset = (int)address };
            case Space.Global:
                return LocateGlobal(lane, address, size, access, instruction, misaligned);
            case Space.Local:
                ulong top = Slot(Function.LocalTopSlot)[lane];
                return Plain(Local[lane], top, lane, address, size, access, instruction, PtxSpace.Local, misaligned);
            case Space.Const:
                byte[] constants = Block.Launch.Constants;
                return Plain(constants, (ulong)constants.Length, lane, address, size, access, instruction, PtxSpace.Constant, misaligned);
            default:
                byte[] parameters = Block.Launch.Parameters;
                return Plain(parameters, (ulong)parameters.Length, lane, address, size, access, instruction, PtxSpace.Parameter, misaligned);
        }
    }

    private static ref byte At(byte[] bytes, int offset) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(bytes), offset);

    public static (Space, ulong) Resolve(ulong address)
    {
        ulong offset = address & ((1UL << DeviceMemory.WindowShift) - 1);
        return (address >> DeviceMemory.WindowShift) switch
        {
            DeviceMemory.SharedWindow => (Space.Shared, offset),
            DeviceMemory.LocalWindow => (Space.Local, offset),
            DeviceMemory.ConstWindow => (Space.Const, offset),
            DeviceMemory.ParamWindow => (Space.Param, offset),
            _ => (Space.Global, address),
        };
    }

    private Located LocateGlobal(int lane, ulong address, int size, PtxAccess access, Instruction instruction, bool misaligned)
    {
        DeviceMemory memory = Block.Launch.Memory;
        PtxBuffer? buffer = memory.Find(address, size);
        if (buffer is null || misaligned)
        {
            buffer ??= memory.Nearest(address);
            long offset = (long)(address - (buffer?.Address ?? 0));
            throw Fault(misaligned ? PtxFaultKind.Misaligned : PtxFaultKind.OutOfBounds, lane, instruction, PtxSpace.Global, offset, size, access, buffer: buffer);
        }
        PtxMachineOptions options = Block.Launch.Options;
        bool watched = options.FindGlobalRaces && buffer.Data.Length <= options.GlobalRaceBytesMax;
        ref Shadow? shadow = ref buffer.Shadows[Block.Launch.Worker];
        if (watched && (shadow is null || !shadow.Fits(2, Block.Warps.Length)))
        {
            shadow = new Shadow(buffer.Data.Length, 2, Block.Warps.Length, isShared: false);
        }
        int at = (int)(address - buffer.Address);
        return new Located { Bytes = ref At(buffer.Data, at), Shadow = watched ? shadow : null, Buffer = buffer, Offset = at };
    }

    private Located Plain(byte[] bytes, ulong length, int lane, ulong address, int size, PtxAccess access, Instruction instruction, PtxSpace space, bool misaligned)
    {
        if (misaligned || address > length || address + (ulong)size > length)
        {
            throw Fault(misaligned ? PtxFaultKind.Misaligned : PtxFaultKind.OutOfBounds, lane, instruction, space, (long)address, size, access);
        }
        if (access != PtxAccess.Read && space is PtxSpace.Constant or PtxSpace.Parameter)
        {
            throw Fault(PtxFaultKind.InvalidOperation, lane, instruction, space, (long)address, size, access, detail: "this memory is only for reading");
        }
        return new Located { Bytes = ref At(bytes, (int)address), Offset = (int)address };
    }

    /// <summary>Atomics order threads where the module has fences to make use of it: what was known to those before becomes known.</summary>
    public void SynchroniseThrough(in Located located, int lane, bool acquire, bool release)
    {
        if (!Block.Launch.Module.HasFences)
        {
            return;
        }
        Dictionary<(PtxBuffer?, int), int[]> clocks = Block.Launch.AtomicClocks;
        (PtxBuffer?, int) key = (located.Buffer, located.Offset);
        if (acquire && clocks.TryGetValue(key, out int[]? known))
        {
            Block.Acquire(this, 1u << lane, known);
        }
        if (release)
        {
            if (!clocks.TryGetValue(key, out int[]? joined))
            {
                clocks[key] = joined = new int[Block.Threads];
            }
            Block.Release(joined, this, 1u << lane);
            Time++;
        }
    }

    public PtxFaultException Fault(PtxFaultKind kind, int lane, Instruction instruction, PtxSpace space = PtxSpace.None, long offset = 0, int size = 0,
        PtxAccess access = PtxAccess.None, int other = -1, PtxBuffer? buffer = null, Shadow? shadow = null, string detail = "")
    {
        if (buffer is null && shadow is not null && space == PtxSpace.Global)
        {
            buffer = Block.Launch.Memory.WithShadow(shadow);
        }
        return new PtxFaultException(new PtxFault
        {
            Kind = kind, Space = space, Thread = Block.Launch.BlockShape.At(FirstThread + lane), Block = Block.Index,
            OtherThread = other < 0 ? null : Block.Launch.BlockShape.At(other),
            Buffer = buffer, ByteOffset = offset, SizeBytes = size, Access = access, Line = instruction.Line, Instruction = instruction.Opcode,
            Detail = detail,
        });
    }
}

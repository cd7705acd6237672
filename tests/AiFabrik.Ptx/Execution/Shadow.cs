using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>
/// Finds races by happens-before (vector clocks in the manner of FastTrack, Flanagan and Freund 2009). Per granule of memory: the last write
/// (thread and its warp's time) and, for each warp, the lanes that read since, with their time. A thread knows of another's accesses up to
/// the time in its clock (<see cref="Warp.Clocks"/>), which barriers join.
/// </summary>
internal sealed class Shadow
{
    private const byte Atomic = 1, PendingWrite = 2, PendingRead = 4;

    private readonly int _shift;
    private readonly int _warps;
    private readonly bool _isShared;
    private readonly int[] _writeTime;
    private readonly ushort[] _writeThread;
    private readonly byte[] _writeBytes;
    private readonly byte[] _flags;
    private readonly int[] _readTime;
    private readonly uint[] _readLanes;

    /// <param name="bytes">Length of the memory.</param>
    /// <param name="shift">Granule as a power of two. In shared memory no access is narrower.</param>
    /// <param name="warps">Warps of a block.</param>
    /// <param name="isShared">Shared memory also tells reads of what nobody wrote.</param>
    public Shadow(int bytes, int shift, int warps, bool isShared)
    {
        _shift = shift;
        _warps = warps;
        _isShared = isShared;
        int granules = (bytes >> shift) + 1;
        _writeTime = new int[granules];
        _writeThread = new ushort[granules];
        _writeBytes = new byte[granules];
        _flags = new byte[granules];
        _readTime = new int[granules * warps];
        _readLanes = new uint[granules * warps];
    }

    /// <summary>Whether the shadow fits a launch; else a new one is made.</summary>
    public bool Fits(int shift, int warps) => _shift == shift && _warps == warps;

    private byte ByteMask(int granule, int offset, int size)
    {
        if (_shift != 2)
        {
            return 0xF;
        }
        int first = Math.Max(offset - (granule << 2), 0);
        int last = Math.Min(offset + size - (granule << 2), 4);
        return (byte)((1 << last) - (1 << first));
    }

    public void Read(Warp warp, int lane, int offset, int size, Instruction instruction, bool strong)
    {
        int thread = warp.FirstThread + lane;
        int[] clock = warp.Clocks[lane];
        int end = (offset + size - 1) >> _shift;
        for (int g = offset >> _shift; g <= end; g++)
        {
            int written = _writeTime[g];
            if (written < warp.Block.StartTime)
            {
                if (_isShared)
                {
                    throw warp.Fault(PtxFaultKind.UninitialisedShared, lane, instruction, PtxSpace.Shared, offset, size, PtxAccess.Read);
                }
            }
            else
            {
                int writer = _writeThread[g];
                byte mask = ByteMask(g, offset, size);
                bool ordered = (writer == thread || clock[writer] >= written
                        || ((strong || warp.Block.Launch.Module.HasCompareAndSwap) && (_flags[g] & Atomic) != 0))
                    && (_flags[g] & PendingWrite) == 0;
                if (!ordered && (mask & _writeBytes[g]) != 0)
                {
                    throw Race(warp, lane, writer, offset, size, instruction, PtxAccess.Read);
                }
            }
            // A read of a part of a word in global memory is not recorded: its neighbours may be written meanwhile.
            if (!strong && ByteMask(g, offset, size) == 0xF)
            {
                Record(warp, lane, g);
            }
        }
    }

    private void Record(Warp warp, int lane, int g)
    {
        int slot = g * _warps + warp.Index;
        if (_readTime[slot] == warp.Time)
        {
            _readLanes[slot] |= 1u << lane;
        }
        else
        {
            _readTime[slot] = warp.Time;
            _readLanes[slot] = 1u << lane;
        }
    }

    /// <param name="sameValue">The bytes already have this value, so that two unordered writes agree.</param>
    public void Write(Warp warp, int lane, int offset, int size, Instruction instruction, bool strong, bool sameValue)
    {
        int thread = warp.FirstThread + lane;
        int[] clock = warp.Clocks[lane];
        int end = (offset + size - 1) >> _shift;
        PtxAccess access = strong ? PtxAccess.Atomic : PtxAccess.Write;
        for (int g = offset >> _shift; g <= end; g++)
        {
            byte mask = ByteMask(g, offset, size);
            if (_writeTime[g] >= warp.Block.StartTime)
            {
                int writer = _writeThread[g];
                bool ordered = writer == thread || clock[writer] >= _writeTime[g] || sameValue || (strong && (_flags[g] & Atomic) != 0);
                bool pending = (_flags[g] & (PendingWrite | PendingRead)) != 0;
                if (pending || (!ordered && (mask & _writeBytes[g]) != 0))
                {
                    throw Race(warp, lane, writer, offset, size, instruction, access);
                }
            }
            CheckReaders(warp, lane, g, offset, size, instruction, access);
            _writeTime[g] = warp.Time;
            _writeThread[g] = (ushort)thread;
            _writeBytes[g] = mask;
            _flags[g] = strong ? Atomic : (byte)0;
        }
    }

    private void CheckReaders(Warp warp, int lane, int g, int offset, int size, Instruction instruction, PtxAccess access)
    {
        if (access == PtxAccess.Atomic && warp.Block.Launch.Module.HasCompareAndSwap)
        {
            return;
        }
        int thread = warp.FirstThread + lane;
        int[] clock = warp.Clocks[lane];
        for (int w = 0; w < _warps; w++)
        {
            int slot = g * _warps + w;
            int time = _readTime[slot];
            if (time < warp.Block.StartTime)
            {
                continue;
            }
            for (uint lanes = _readLanes[slot]; lanes != 0; lanes &= lanes - 1)
            {
                int reader = w * 32 + BitOperations.TrailingZeroCount(lanes);
                if (reader != thread && clock[reader] < time)
                {
                    throw Race(warp, lane, reader, offset, size, instruction, access);
                }
            }
            _readTime[slot] = 0;
            _readLanes[slot] = 0;
        }
    }

    /// <summary>Marks bytes that an asynchronous copy will write (or read); until it has landed nobody may touch (or write) them.</summary>
    public void Begin(int offset, int size, bool write)
    {
        for (int g = offset >> _shift; g <= (offset + size - 1) >> _shift; g++)
        {
            _flags[g] |= write ? PendingWrite : PendingRead;
        }
    }

    /// <summary>Ends a copy that was begun; its writes count as the issuing thread's, now.</summary>
    public void End(Warp warp, int lane, int offset, int size, bool write)
    {
        for (int g = offset >> _shift; g <= (offset + size - 1) >> _shift; g++)
        {
            _flags[g] &= (byte)~(write ? PendingWrite : PendingRead);
            if (write)
            {
                _writeTime[g] = warp.Time;
                _writeThread[g] = (ushort)(warp.FirstThread + lane);
                _writeBytes[g] = 0xF;
            }
        }
    }

    /// <summary>Forgets copies that a block left unfinished.</summary>
    public void ClearPending() => Array.Clear(_flags);

    private PtxFaultException Race(Warp warp, int lane, int other, int offset, int size, Instruction instruction, PtxAccess access) =>
        warp.Fault(PtxFaultKind.Race, lane, instruction, _isShared ? PtxSpace.Shared : PtxSpace.Global, offset, size, access, other, shadow: this);
}

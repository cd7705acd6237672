using System.Runtime.InteropServices;

namespace AiFabrik.Ptx;

/// <summary>A context. What belongs to it dies with it.</summary>
internal sealed class StandinContext
{
    /// <summary>The error of a kernel that failed: the driver gives it to every later call of the context.</summary>
    public CuResult Failure { get; set; }
    public List<PtxBuffer> Buffers { get; } = [];
    public List<nint> Handles { get; } = [];
    public StandinStream Legacy { get; } = new(isBlocking: true);
    public HashSet<StandinStream> Streams { get; } = [];
}

/// <summary>Work that is queued and not yet done, and the capture that takes the work instead, if one is under way.</summary>
internal sealed class StandinStream(bool isBlocking)
{
    /// <summary>Waits for the legacy stream, and it for this one.</summary>
    public bool IsBlocking { get; } = isBlocking;
    public Queue<StandinWork> Pending { get; } = [];
    public StandinCapture? Capture { get; set; }
}

/// <summary>A capture under way.</summary>
/// <param name="Mode">0 global, 1 thread-local, 2 relaxed (<c>CUstreamCaptureMode</c>).</param>
/// <param name="Thread">Where it began.</param>
internal sealed record StandinCapture(int Mode, int Thread)
{
    public List<StandinWork> Nodes { get; } = [];
    public bool IsInvalid { get; set; }
}

/// <summary>An event: where it was last recorded, and when that was reached.</summary>
internal sealed class StandinEvent(bool hasTime)
{
    public bool HasTime { get; } = hasTime;
    public StandinStream? Recorded { get; set; }
    public bool IsCaptured { get; set; }
    public bool IsReached { get; set; }
    /// <summary>Ticks of the system's clock.</summary>
    public long Ticks { get; set; }
}

/// <summary>A loaded module and its text.</summary>
internal sealed record StandinModule(PtxModule Ptx, string Text)
{
    public Dictionary<string, nint> Functions { get; } = [];
}

/// <summary>A kernel of a module, with what was set for it.</summary>
internal sealed class StandinFunction(StandinModule module, string name, int threadsMax)
{
    /// <summary>Shared memory of a block that needs no asking for.</summary>
    public const int SharedBytesDefault = 48 << 10;

    public StandinModule Module { get; } = module;
    public string Name { get; } = name;
    public int ThreadsMax { get; } = threadsMax;
    public int DynamicSharedBytesMax { get; set; } = SharedBytesDefault;
    public Function Code => Module.Ptx.Compiled.FindFunction(Name)!;
    public int SharedBytes => Module.Ptx.Compiled.Reachable(Code).SelectMany(f => f.Shared.Concat(f.Syntax.Locals.Where(v => v.Space == Space.Shared))).Distinct().Sum(v => (int)v.SizeBytes);
}

/// <summary>What was captured, in that order.</summary>
internal sealed record StandinGraph(StandinWork[] Nodes);

/// <summary>A graph that can be launched, and that a newer one can change.</summary>
internal sealed class StandinExecutable(StandinWork[] nodes)
{
    public StandinWork[] Nodes { get; set; } = nodes;
}

/// <summary>Handles to objects; numbers are never given out again.</summary>
internal sealed class StandinHandles
{
    private const nint First = 0x5000_0000, Step = 0x40;
    private readonly Dictionary<nint, object> _objects = [];
    private nint _next = First;

    public nint Add(object item)
    {
        _objects.Add(_next += Step, item);
        return _next;
    }

    public bool TryGet<T>(nint handle, out T item) where T : class
    {
        item = (_objects.GetValueOrDefault(handle) as T)!;
        return item is not null;
    }

    public bool Remove(nint handle) => _objects.Remove(handle);
}

/// <summary>Page-locked host memory by address.</summary>
internal sealed class StandinHostMemory
{
    private readonly SortedList<ulong, (ulong Bytes, bool IsOurs)> _ranges = [];

    public bool IsLocked(ulong address, ulong bytes) => _ranges.Any(r => address >= r.Key && address + bytes <= r.Key + r.Value.Bytes);

    public unsafe nint Allocate(nuint bytes)
    {
        void* memory = NativeMemory.AlignedAlloc(bytes, 4096);
        new Span<byte>(memory, checked((int)bytes)).Fill(0xFF);
        _ranges.Add((ulong)memory, (bytes, true));
        return (nint)memory;
    }

    public unsafe bool Free(nint memory)
    {
        if (!_ranges.TryGetValue((ulong)memory, out (ulong, bool IsOurs) range) || !range.IsOurs)
        {
            return false;
        }
        _ranges.Remove((ulong)memory);
        NativeMemory.AlignedFree((void*)memory);
        return true;
    }

    public bool Register(nint memory, nuint bytes)
    {
        ulong start = (ulong)memory;
        if (_ranges.Any(r => start < r.Key + r.Value.Bytes && r.Key < start + bytes))
        {
            return false;
        }
        _ranges.Add(start, (bytes, false));
        return true;
    }

    public bool Unregister(nint memory) => _ranges.TryGetValue((ulong)memory, out (ulong, bool IsOurs) range) && !range.IsOurs && _ranges.Remove((ulong)memory);
}

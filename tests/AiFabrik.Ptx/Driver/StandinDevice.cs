namespace AiFabrik.Ptx;

/// <summary>What the stand-in says that it is, and how it behaves.</summary>
public sealed record StandinOptions
{
    /// <summary>1000 · major + 10 · minor of the CUDA version.</summary>
    public int DriverVersion { get; init; } = 12_040;
    /// <summary>10 · major + minor of the compute capability.</summary>
    public int Capability { get; init; } = 80;
    /// <summary>How many devices there are, 0 or 1.</summary>
    public int Devices { get; init; } = 1;
    public int Multiprocessors { get; init; } = 4;
    /// <summary>Memory that allocations share. Its multiple of 256 is what can be had.</summary>
    public long MemoryBytes { get; init; } = 1L << 30;
    /// <summary>What of it cannot be had although it is reported as free, as if others took it in the meantime.</summary>
    public long HiddenBytes { get; init; }
    /// <summary>The launch, counted from when the options were set, that fails as a trap would; 0: none does.</summary>
    public int FailingLaunch { get; init; }
    /// <summary>Products of a step have many blocks: two threads take half the time.</summary>
    public PtxMachineOptions Machine { get; init; } = new() { Workers = Math.Min(Environment.ProcessorCount, 4) };
}

/// <summary>
/// The driver's state. Work that is queued is done as late as the interface allows, when something waits for it: what the host writes too early,
/// or reads too early, is then always wrong. New memory is full of NaN, and addresses are never used twice.
/// </summary>
internal sealed class StandinDevice(StandinOptions options)
{
    private const byte Garbage = 0xFF;

    private readonly PtxMachine _machine = new(options.Machine);
    private readonly Dictionary<ulong, (PtxBuffer Buffer, StandinContext Owner)> _buffers = [];
    private int _allocations, _launches;
    private StandinOptions _options = options;

    public StandinOptions Options
    {
        get => _options;
        set => (_options, _launches) = (value, 0);
    }

    public Lock Gate { get; } = new();
    public bool IsInitialized { get; set; }
    public StandinHandles Handles { get; } = new();
    public StandinHostMemory Host { get; } = new();
    public List<StandinContext> Contexts { get; } = [];
    public List<string> Faults { get; } = [];
    public Dictionary<string, int> Launches { get; } = [];
    public long UsedBytes { get; private set; }

    // Memory.

    public CuResult Allocate(StandinContext context, long bytes, out ulong address)
    {
        address = 0;
        if (bytes <= 0)
        {
            return CuResult.InvalidValue;
        }
        if (bytes > Options.MemoryBytes - Options.HiddenBytes - UsedBytes || bytes > Array.MaxLength)
        {
            return CuResult.OutOfMemory;
        }
        PtxBuffer buffer = _machine.Allocate($"allocation {++_allocations} of {bytes} bytes", (int)bytes);
        buffer.Bytes.Fill(Garbage);
        UsedBytes += bytes;
        address = buffer.Address;
        _buffers.Add(address, (buffer, context));
        context.Buffers.Add(buffer);
        return CuResult.Success;
    }

    public CuResult Free(ulong address)
    {
        if (!_buffers.Remove(address, out (PtxBuffer Buffer, StandinContext Owner) found))
        {
            return CuResult.InvalidValue;
        }
        UsedBytes -= found.Buffer.Bytes.Length;
        found.Owner.Buffers.Remove(found.Buffer);
        _machine.Free(found.Buffer);
        return CuResult.Success;
    }

    public bool IsDevice(ulong address) => _machine.Find(address, 1) is not null;

    /// <summary>Whether a range can be copied to or from: all of it in one allocation, or all of it not the device's.</summary>
    public bool IsValid(ulong address, ulong bytes) => bytes <= int.MaxValue && (IsDevice(address) ? _machine.Find(address, (int)bytes) is not null : address > 0xFFFF && !IsNearDevice(address));

    /// <summary>Addresses that the device has given out or may give out.</summary>
    private static bool IsNearDevice(ulong address) => address is >= 0x7_0000_0000 and < 0xFF_0000_0000;

    public unsafe Span<byte> Bytes(ulong address, int bytes)
    {
        if (_machine.Find(address, bytes) is { } buffer)
        {
            return buffer.Bytes.Slice((int)(address - buffer.Address), bytes);
        }
        return IsNearDevice(address) ? throw new InvalidOperationException("Queued work reaches for memory that has been freed.") : new Span<byte>((void*)address, bytes);
    }

    // Streams.

    /// <summary>Queues work, or records it where the stream is being captured.</summary>
    public CuResult Enqueue(StandinContext context, StandinStream stream, StandinWork work)
    {
        if (stream.Capture is { } capture)
        {
            capture.Nodes.Add(work);
            return capture.IsInvalid ? CuResult.StreamCaptureInvalidated : CuResult.Success;
        }
        CuResult result = stream == context.Legacy ? UseLegacy(context) : stream.IsBlocking ? Drain(context.Legacy) : CuResult.Success;
        if (result != CuResult.StreamCaptureImplicit)
        {
            stream.Pending.Enqueue(work);
        }
        // What failed before is told by whatever waits for it, as long as nothing has.
        return result == CuResult.StreamCaptureImplicit ? result : CuResult.Success;
    }

    /// <summary>The legacy stream waits for all blocking ones; none of them may be under capture.</summary>
    public CuResult UseLegacy(StandinContext context)
    {
        foreach (StandinStream other in context.Streams.Where(s => s.IsBlocking))
        {
            if (other.Capture is { } capture)
            {
                capture.IsInvalid = true;
                return CuResult.StreamCaptureImplicit;
            }
            Drain(other);
        }
        return context.Failure;
    }

    /// <summary>Does all that a stream has queued. After a failure nothing more is done.</summary>
    public CuResult Drain(StandinStream stream)
    {
        StandinContext context = Contexts.First(c => c.Legacy == stream || c.Streams.Contains(stream));
        while (stream.Pending.TryDequeue(out StandinWork? work))
        {
            if (context.Failure == CuResult.Success)
            {
                context.Failure = work.Run(this);
            }
        }
        return context.Failure;
    }

    /// <summary>Waits for the whole context. What is under capture cannot be waited for.</summary>
    public CuResult DrainAll(StandinContext context)
    {
        foreach (StandinStream stream in context.Streams)
        {
            Drain(stream);
        }
        return Drain(context.Legacy);
    }

    /// <summary>Does what comes before an event.</summary>
    public CuResult Reach(StandinEvent item)
    {
        if (item.Recorded is not { } stream || item.IsReached)
        {
            return CuResult.Success;
        }
        StandinContext context = Contexts.First(c => c.Legacy == stream || c.Streams.Contains(stream));
        while (!item.IsReached && stream.Pending.TryDequeue(out StandinWork? work))
        {
            context.Failure = work.Run(this);
            if (context.Failure != CuResult.Success)
            {
                return context.Failure;
            }
        }
        return context.Failure;
    }

    // Kernels.

    public CuResult Execute(StandinFunction function, Dim3 grid, Dim3 block, int sharedBytes, byte[] parameters)
    {
        Launches[function.Name] = Launches.GetValueOrDefault(function.Name) + 1;
        if (++_launches == Options.FailingLaunch)
        {
            return CuResult.LaunchFailed;
        }
        var arguments = new PtxArguments();
        foreach (Variable parameter in function.Code.Syntax.Parameters)
        {
            arguments.AddBytes(parameters.AsSpan(parameter.Offset, (int)parameter.SizeBytes));
        }
        PtxResult result = _machine.Launch(function.Module.Ptx, function.Name, grid, block, sharedBytes, arguments);
        if (result.Fault is null)
        {
            return CuResult.Success;
        }
        Faults.Add($"{function.Name}: {result.Fault}");
        return result.Fault.Kind switch
        {
            PtxFaultKind.OutOfBounds => CuResult.IllegalAddress,
            PtxFaultKind.Misaligned => CuResult.MisalignedAddress,
            PtxFaultKind.InvalidOperation => CuResult.IllegalInstruction,
            _ => CuResult.LaunchFailed,
        };
    }

    public void Unload(StandinModule module) => _machine.Unload(module.Ptx);
}

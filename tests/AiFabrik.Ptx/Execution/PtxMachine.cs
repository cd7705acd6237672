using System.Buffers.Binary;

namespace AiFabrik.Ptx;

/// <summary>Limits and switches of a <see cref="PtxMachine"/>.</summary>
public sealed record PtxMachineOptions
{
    /// <summary>Warp instructions of one launch, after which it stops with <see cref="PtxFaultKind.StepLimit"/>.</summary>
    public long WarpInstructionsMax { get; init; } = 1L << 28;
    /// <summary>Also look for races in global memory between threads of one block.</summary>
    public bool FindGlobalRaces { get; init; } = true;
    /// <summary>Allocations above this size are not watched for races.</summary>
    public int GlobalRaceBytesMax { get; init; } = 16 << 20;
    /// <summary>Shared memory that a block may have, static and dynamic (H100: 227 KiB).</summary>
    public int SharedBytesMax { get; init; } = 227 << 10;
    /// <summary>Threads that run the blocks of a launch. Results are the same with any number, for kernels whose blocks don't write what others of the launch use.</summary>
    public int Workers { get; init; } = 1;
}

/// <summary>What a launch came to.</summary>
/// <param name="Fault">Why it stopped early, or null.</param>
/// <param name="ThreadInstructions">Instructions executed, each counted once for every thread that took part.</param>
/// <param name="WarpInstructions">Instructions executed, each counted once for a group of threads that ran it together.</param>
public sealed record PtxResult(PtxFault? Fault, long ThreadInstructions, long WarpInstructions);

/// <summary>
/// A device that executes PTX text as the PTX ISA defines it, for tests: every access is checked. Blocks run one after another unless the options say otherwise.
/// Use one machine from one thread at a time; modules may be shared between machines.
/// </summary>
public sealed class PtxMachine(PtxMachineOptions? options = null)
{
    private readonly PtxMachineOptions _options = options ?? new PtxMachineOptions();
    private readonly DeviceMemory _memory = new(options?.Workers ?? 1);
    private readonly Dictionary<PtxModule, LoadedModule> _loaded = [];

    /// <summary>Makes an allocation of zero bytes, aligned to 256 and with a gap behind it.</summary>
    public PtxBuffer Allocate(string name, int sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        return _memory.Allocate(name, sizeBytes);
    }

    /// <summary>Gives an allocation back; kernels that still access it get a fault.</summary>
    public void Free(PtxBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        _memory.Free(buffer);
    }

    /// <summary>The allocation that holds all of a range of addresses, or null.</summary>
    public PtxBuffer? Find(ulong address, int sizeBytes) => _memory.Find(address, sizeBytes);

    /// <summary>Gives a module's global variables back.</summary>
    public void Unload(PtxModule module)
    {
        ArgumentNullException.ThrowIfNull(module);
        if (!_loaded.Remove(module, out LoadedModule? loaded))
        {
            return;
        }
        foreach ((Variable variable, ulong address) in loaded.Addresses)
        {
            if (variable.Space == Space.Global && _memory.Find(address, 1) is { } buffer)
            {
                _memory.Free(buffer);
            }
        }
    }

    /// <summary>Runs a kernel over a whole grid.</summary>
    /// <param name="module">A module that holds the kernel. Its global variables keep their values between launches on this machine.</param>
    /// <param name="entry">The kernel's name.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads of a block, 1024 at most.</param>
    /// <param name="dynamicSharedBytes">Length of the dynamic shared memory.</param>
    /// <param name="arguments">The parameters, in order; their sizes must be those that the kernel declares.</param>
    /// <exception cref="ArgumentException">No such kernel, or arguments or shapes that no launch can have.</exception>
    public PtxResult Launch(PtxModule module, string entry, Dim3 grid, Dim3 block, int dynamicSharedBytes, PtxArguments arguments)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(arguments);
        Function function = module.Compiled.FindFunction(entry) is { Syntax: { IsEntry: true, HasBody: true } } found
            ? found
            : throw new ArgumentException($"The module has no kernel '{entry}'.", nameof(entry));
        if (block.X < 1 || block.Y < 1 || block.Z < 1 || block.Count > 1024 || grid.X < 1 || grid.Y < 1 || grid.Z < 1 || dynamicSharedBytes < 0)
        {
            throw new ArgumentException("A block has 1 to 1024 threads, and a grid at least one block.");
        }
        LoadedModule loaded = Load(module);
        var addresses = new Dictionary<Variable, ulong>(loaded.Addresses);
        int sharedBytes = LayOutShared(module, function, addresses, dynamicSharedBytes);
        if (sharedBytes > _options.SharedBytesMax)
        {
            throw new ArgumentException($"The kernel needs {sharedBytes} bytes of shared memory.");
        }
        var launch = new Launch
        {
            Module = module.Compiled, Code = module.Compiled.Code, Entry = function, Memory = _memory, Grid = grid, BlockShape = block,
            Parameters = arguments.Pack(function), Addresses = addresses, SharedBytes = sharedBytes, DynamicBytes = dynamicSharedBytes,
            Options = _options, Clock = _clock, Constants = loaded.Constants,
        };
        var run = new GridRun(launch, _options.Workers);
        PtxFault? fault = run.Go();
        // Times never run backwards on one machine, so that shadows of global memory need no clearing between launches.
        _clock = run.Clock + (1 << 8) + (int)Math.Min(run.WarpInstructions, 1 << 22);
        return new PtxResult(fault, run.ThreadInstructions, run.WarpInstructions);
    }

    private int _clock = 1;

    /// <summary>Places the shared variables that the kernel reaches, in the order of declaration; the dynamic part comes last.</summary>
    private static int LayOutShared(PtxModule module, Function entry, Dictionary<Variable, ulong> addresses, int dynamicBytes)
    {
        var used = new HashSet<Variable>();
        foreach (Function function in module.Compiled.Reachable(entry))
        {
            used.UnionWith(function.Shared);
            used.UnionWith(function.Syntax.Locals.Where(v => v.Space == Space.Shared));
        }
        int end = 0;
        foreach (Variable variable in used.Where(v => !v.IsDynamic).OrderBy(v => v.Line))
        {
            end = FunctionCompiler.Align(end, variable.Align);
            addresses[variable] = (ulong)end;
            end = checked(end + (int)variable.SizeBytes);
        }
        int start = end;
        foreach (Variable variable in used.Where(v => v.IsDynamic))
        {
            start = Math.Max(start, FunctionCompiler.Align(end, variable.Align));
        }
        foreach (Variable variable in used.Where(v => v.IsDynamic))
        {
            addresses[variable] = (ulong)start;
        }
        return dynamicBytes > 0 ? checked(start + dynamicBytes) : end;
    }

    /// <summary>Gives a module's global and constant variables their memory and their initial values, once.</summary>
    private LoadedModule Load(PtxModule module)
    {
        if (_loaded.TryGetValue(module, out LoadedModule? loaded))
        {
            return loaded;
        }
        List<Variable> variables = module.Compiled.Syntax.Variables;
        var addresses = new Dictionary<Variable, ulong>();
        var buffers = new Dictionary<Variable, byte[]>();
        // Constant memory is one bank with small addresses, since kernels may keep them in 32 bits.
        int constantEnd = 0;
        foreach (Variable variable in variables.Where(v => v.Space == Space.Const))
        {
            constantEnd = FunctionCompiler.Align(constantEnd, variable.Align);
            addresses[variable] = (ulong)constantEnd;
            constantEnd += (int)variable.SizeBytes;
        }
        byte[] constants = new byte[constantEnd];
        foreach (Variable variable in variables.Where(v => v.Space == Space.Global))
        {
            PtxBuffer buffer = _memory.Allocate(variable.Name, (int)variable.SizeBytes);
            addresses[variable] = buffer.Address;
            buffers[variable] = buffer.Data;
        }
        foreach (Variable variable in variables.Where(v => v.Space is Space.Global or Space.Const))
        {
            Span<byte> target = variable.Space == Space.Const ? constants.AsSpan((int)addresses[variable]) : buffers[variable];
            foreach (InitialValue value in variable.Initial)
            {
                Write(target, variable.Type, Evaluate(module, addresses, value, variable));
                target = target[variable.Type.Size()..];
            }
        }
        return _loaded[module] = new LoadedModule(addresses, constants);
    }

    private static ulong Evaluate(PtxModule module, Dictionary<Variable, ulong> addresses, InitialValue value, Variable variable)
    {
        if (value.Symbol is null)
        {
            Literals.TryBits(value.Literal, value.Negative, variable.Type, out ulong bits);
            return bits;
        }
        if (module.Compiled.FindFunction(value.Symbol) is { } function)
        {
            return (DeviceMemory.FunctionWindow << DeviceMemory.WindowShift) + (ulong)function.Index;
        }
        Variable symbol = module.Compiled.Syntax.Globals.Variables[value.Symbol];
        ulong address = addresses[symbol] + (ulong)value.Offset;
        return value.Generic && symbol.Space == Space.Const ? address + (DeviceMemory.ConstWindow << DeviceMemory.WindowShift) : address;
    }

    private static void Write(Span<byte> target, PtxType type, ulong bits)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, bits);
        bytes[..Math.Min(type.Size(), 8)].CopyTo(target);
    }

    private sealed record LoadedModule(Dictionary<Variable, ulong> Addresses, byte[] Constants);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// The state of one rendering: memory, variables, output, bounds and how it failed. The nodes of a template's program
/// evaluate themselves against it. A failure does not throw: it is recorded here, what failed returns
/// <see cref="Kind.Missing"/>, and everybody who goes on after a call asks <see cref="Failed"/> first.
/// </summary>
internal sealed class Interpreter
{
    /// <summary>Arguments that may wait for their calls at the same time.</summary>
    private const int StackMax = 16 << 10;

    /// <summary>Strings and lists that grow at their ends: how many are remembered.</summary>
    private const int GrowthSlots = 4;

    private readonly Value[] _stack = GC.AllocateArray<Value>(StackMax, pinned: true);
    private readonly Growth[] _growingTexts = new Growth[GrowthSlots];
    private readonly Growth[] _growingLists = new Growth[GrowthSlots];
    private Value[] _context = [];
    private int _stackHigh;
    private int _nextGrowth;
    private long _steps;

    private struct Growth
    {
        public int Address;
        public int Length;
        public int Capacity;
    }

    public TextMemory Text { get; } = new();
    public CellMemory Cells { get; } = new();
    public TemplateLimits Limits { get; private set; } = TemplateLimits.Default;
    public TemplateProgram Program { get; private set; } = TemplateProgram.Empty;
    public DateTime Now { get; private set; }

    /// <summary>Address of the innermost scope; 0 is none.</summary>
    public int Scope { get; set; }

    /// <summary>Address of the template's own scope.</summary>
    public int RootScope { get; private set; }
    public bool Autoescape { get; set; }

    /// <summary>Levels of calls that are open.</summary>
    public int Depth { get; set; }

    /// <summary>What the running statements write to.</summary>
    public TextBuilder Out;

    public TemplateStatus Status { get; private set; }
    public TemplateError Error { get; private set; }
    public TemplateLimit Limit { get; private set; }

    /// <summary>The message of <c>raise_exception</c>.</summary>
    public Value Message { get; private set; }

    public bool Failed => Status != TemplateStatus.Ok;

    public void Begin(TemplateProgram program, in TemplateOptions options)
    {
        Program = program;
        Limits = options.Limits ?? TemplateLimits.Default;
        Now = options.Now;
        Text.SetLiterals(program.Literals, program.LiteralsTrust);
        if (_context.Length < program.Names.Length) _context = GC.AllocateArray<Value>(program.Names.Length, pinned: true);
        _steps = Limits.StepsMax;
        Reset();
    }

    /// <summary>Makes ready for another try on the same request: nothing rendered, nothing failed.</summary>
    public void Reset()
    {
        Status = TemplateStatus.Ok;
        Error = TemplateError.None;
        Limit = TemplateLimit.None;
        Message = default;
        Scope = 0;
        RootScope = 0;
        Depth = 0;
        StackTop = 0;
        Autoescape = false;
        _growingTexts.AsSpan().Clear();
        _growingLists.AsSpan().Clear();
        _context.AsSpan().Clear();
        Out = new TextBuilder(this);
    }

    /// <summary>Runs the program; what it wrote is in <see cref="Out"/>.</summary>
    public void Run()
    {
        RootScope = EnterScope(Program.RootScope);
        Statement.RunAll(Program.Body, this);
    }

    public void Clear()
    {
        Text.Clear();
        Cells.Clear();
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_stack.AsSpan(0, _stackHigh)));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_context.AsSpan()));
        _stackHigh = 0;
        Reset();
        Program = TemplateProgram.Empty;
    }

    // Failures and bounds

    public Value Fail(TemplateError error)
    {
        if (!Failed) (Status, Error) = (TemplateStatus.Failed, error);
        return default;
    }

    public Value FailLimit(TemplateLimit limit)
    {
        if (!Failed) (Status, Limit) = (TemplateStatus.LimitExceeded, limit);
        return default;
    }

    public Value Raise(Value message)
    {
        if (!Failed) (Status, Message) = (TemplateStatus.Refused, message);
        return default;
    }

    /// <summary>Forgets a failure that is to be told only if its place is reached.</summary>
    public TemplateError TakeError()
    {
        TemplateError error = Error;
        if (Status == TemplateStatus.Failed) (Status, Error) = (TemplateStatus.Ok, TemplateError.None);
        return error;
    }

    /// <summary>Pays for work; false if there is no more to pay with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Step(long cost = 1)
    {
        _steps -= cost;
        if (_steps >= 0) return !Failed;
        FailLimit(TemplateLimit.Steps);
        return false;
    }

    public bool StepBytes(long length) => Step(1 + (length / TemplateLimits.BytesPerStep));

    /// <summary>Whether one more level of anything fits the thread's stack; fails the rendering if not.</summary>
    public bool HasStack()
    {
        if (RuntimeHelpers.TryEnsureSufficientExecutionStack()) return !Failed;
        FailLimit(TemplateLimit.Depth);
        return false;
    }

    /// <summary>Opens a call; false if the calls are too deep. Every true one is closed by <c>Depth--</c>.</summary>
    public bool EnterCall()
    {
        if (Depth >= Limits.DepthMax || !HasStack())
        {
            FailLimit(TemplateLimit.Depth);
            return false;
        }

        Depth++;
        return true;
    }

    // Memory

    public bool AllocateText(int length, out int address)
    {
        if (Text.TryAllocate(length, Limits.ScratchBytesMax - Cells.AllocatedBytes, out address)) return true;
        FailLimit(TemplateLimit.ScratchBytes);
        return false;
    }

    public bool AllocateCells(int count, out int address)
    {
        if (Cells.TryAllocate(count, Limits.ScratchBytesMax - Text.AllocatedBytes, out address)) return true;
        FailLimit(TemplateLimit.ScratchBytes);
        return false;
    }

    public ReadOnlySpan<byte> Bytes(scoped in Value text) => text.Length == 0 ? [] : Text.Bytes(text.Address, text.Length);

    public ReadOnlySpan<byte> Trust(scoped in Value text) => text.Length == 0 ? [] : Text.Trust(text.Address, text.Length);

    public ReadOnlySpan<Value> Items(scoped in Value list) => list.Length == 0 ? [] : Cells.Cells(list.Address, list.Length);

    public Value NewText(ReadOnlySpan<byte> bytes, bool trusted)
    {
        var text = new TextBuilder(this);
        text.Append(bytes, trusted);
        return text.ToValue();
    }

    public Value NewTuple(in Value first, in Value second)
    {
        if (!AllocateCells(2, out int address)) return default;
        Cells[address] = first;
        Cells[address + 1] = second;
        return new Value(Kind.Tuple, address, 2);
    }

    /// <summary>
    /// One string after another. A string that the newest concatenations made grows in place, so that a template that
    /// adds to one string over and over takes memory in proportion to its length.
    /// </summary>
    public Value Concat(in Value left, in Value right)
    {
        ValueFlags flags = (left.Flags | right.Flags) & ValueFlags.Markup;
        if (right.Length == 0) return left.With(flags);
        if (left.Length == 0) return right.With(flags);
        if (!StepBytes(right.Length)) return default;
        long length = (long)left.Length + right.Length;
        if (length > TextMemory.StringBytesMax) return FailLimit(TemplateLimit.StringBytes);
        int slot = Find(_growingTexts, left.Address, left.Length);
        if (slot < 0 || _growingTexts[slot].Capacity < length)
        {
            if (!StepBytes(left.Length)) return default;
            int capacity = (int)Math.Min(TextMemory.StringBytesMax, left.Length < 256 ? length : length + (length / 2));
            if (!AllocateText(capacity, out int address)) return default;
            Text.Bytes(left.Address, left.Length).CopyTo(Text.Bytes(address, left.Length));
            Text.Trust(left.Address, left.Length).CopyTo(Text.Trust(address, left.Length));
            slot = slot < 0 ? _nextGrowth++ % GrowthSlots : slot;
            _growingTexts[slot] = new Growth { Address = address, Length = left.Length, Capacity = capacity };
        }

        ref Growth growth = ref _growingTexts[slot];
        int end = growth.Address + growth.Length;
        Text.Bytes(right.Address, right.Length).CopyTo(Text.Bytes(end, right.Length));
        Text.Trust(right.Address, right.Length).CopyTo(Text.Trust(end, right.Length));
        growth.Length = (int)length;
        return Value.Str(growth.Address, (int)length, flags);
    }

    /// <summary>One list or tuple after another; grows in place as strings do.</summary>
    public Value ConcatItems(in Value left, in Value right)
    {
        if (right.Length == 0) return left;
        if (left.Length == 0) return right;
        long length = (long)left.Length + right.Length;
        if (length > Limits.ListItemsMax) return FailLimit(TemplateLimit.ListItems);
        if (!Step(1 + (right.Length / 4))) return default;
        int slot = Find(_growingLists, left.Address, left.Length);
        if (slot < 0 || _growingLists[slot].Capacity < length)
        {
            if (!Step(1 + (left.Length / 4))) return default;
            int capacity = (int)(left.Length < 16 ? length : length + (length / 2));
            if (!AllocateCells(capacity, out int address)) return default;
            Items(left).CopyTo(Cells.Cells(address, left.Length));
            slot = slot < 0 ? _nextGrowth++ % GrowthSlots : slot;
            _growingLists[slot] = new Growth { Address = address, Length = left.Length, Capacity = capacity };
        }

        ref Growth growth = ref _growingLists[slot];
        Items(right).CopyTo(Cells.Cells(growth.Address + growth.Length, right.Length));
        growth.Length = (int)length;
        return new Value(left.Kind, growth.Address, (int)length);
    }

    private static int Find(Growth[] growths, int address, int length)
    {
        for (int i = 0; i < growths.Length; i++)
        {
            if (growths[i].Address == address && growths[i].Length == length && length > 0) return i;
        }

        return -1;
    }

    // Arguments

    public int StackTop { get; set; }

    /// <summary>The text of the filter or set block whose filters are running.</summary>
    public Value BlockText { get; set; }

    public ref Value Stack(int index) => ref _stack[index];

    public bool Push(in Value value)
    {
        if (StackTop >= StackMax)
        {
            FailLimit(TemplateLimit.Depth);
            return false;
        }

        _stack[StackTop++] = value;
        if (StackTop > _stackHigh) _stackHigh = StackTop;
        return true;
    }

    // Variables

    public void SetContext(int name, in Value value) => _context[name] = value;

    /// <summary>Makes a new innermost scope and returns its address.</summary>
    public int EnterScope(ScopeNames names)
    {
        if (!AllocateCells(names.Count + 1, out int address)) return 0;
        Cells[address] = new Value(Kind.Missing, Scope, names.Index);
        Scope = address;
        return address;
    }

    public Value Lookup(int name)
    {
        for (int scope = Scope; scope != 0;)
        {
            Value header = Cells[scope];
            int slot = Program.Scopes[header.Length].SlotOf(name);
            if (slot >= 0)
            {
                Value value = Cells[scope + 1 + slot];
                if (!value.IsMissing) return value;
            }

            scope = header.Address;
        }

        Value given = _context[name];
        if (!given.IsMissing) return given;
        int global = Program.Globals[name];
        return global >= 0 ? new Value(Kind.Global, 0, global) : Value.Undefined;
    }

    /// <summary>Sets a variable of the innermost scope.</summary>
    public void Assign(int name, in Value value)
    {
        if (Failed) return;
        int slot = Program.Scopes[Cells[Scope].Length].SlotOf(name);
        Cells[Scope + 1 + slot] = value;
    }
}

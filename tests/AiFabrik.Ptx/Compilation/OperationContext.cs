namespace AiFabrik.Ptx;

/// <summary>
/// What a builder of <see cref="OpcodeTable"/> works with: the modifiers of the opcode, each to be taken once, and the operands.
/// A modifier that no builder took is refused, so that nothing is ignored in silence.
/// </summary>
internal sealed class OperationContext
{
    private readonly string[] _modifiers;
    private readonly bool[] _taken;

    public OperationContext(FunctionCompiler compiler, Statement statement, Instruction instruction)
    {
        Compiler = compiler;
        Statement = statement;
        I = instruction;
        string[] parts = statement.Opcode.Split('.');
        Name = parts[0];
        _modifiers = parts[1..];
        _taken = new bool[_modifiers.Length];
    }

    public FunctionCompiler Compiler { get; }
    public Statement Statement { get; }
    public Instruction I { get; }
    public string Name { get; }
    public int OperandCount => Statement.Operands.Count;

    public bool Take(string modifier)
    {
        for (int i = 0; i < _modifiers.Length; i++)
        {
            if (!_taken[i] && _modifiers[i] == modifier)
            {
                return _taken[i] = true;
            }
        }
        return false;
    }

    public string? TakeAny(params ReadOnlySpan<string> choices)
    {
        foreach (string choice in choices)
        {
            if (Take(choice))
            {
                return choice;
            }
        }
        return null;
    }

    /// <summary>Takes all modifiers that begin so: cache and prefetch hints.</summary>
    public void TakePrefix(string prefix)
    {
        for (int i = 0; i < _modifiers.Length; i++)
        {
            _taken[i] |= _modifiers[i].StartsWith(prefix, StringComparison.Ordinal);
        }
    }

    public PtxType? TryType()
    {
        for (int i = 0; i < _modifiers.Length; i++)
        {
            if (!_taken[i] && PtxTypes.Parse(_modifiers[i]) is var type && type != PtxType.None)
            {
                _taken[i] = true;
                return type;
            }
        }
        return null;
    }

    public PtxType Type() => TryType() ?? throw Refuse("has no type that is known here");

    public Rounding? TakeRounding() => TakeAny("rn", "rz", "rm", "rp", "rna") switch
    {
        "rn" => Rounding.Nearest,
        "rz" => Rounding.Zero,
        "rm" => Rounding.Down,
        "rp" => Rounding.Up,
        "rna" => Rounding.NearestAway,
        _ => null,
    };

    /// <summary>Whether every modifier was taken; else the instruction is one that is not known here.</summary>
    public void ExpectAllTaken()
    {
        int left = Array.IndexOf(_taken, false);
        if (left >= 0)
        {
            throw Refuse($"has the modifier '.{_modifiers[left]}' that is not known here");
        }
    }

    public PtxSyntaxException Refuse(string why) => new(Statement.Line, $"the instruction '{Statement.Opcode}' {why}");

    public Operand Operand(int index) =>
        index < Statement.Operands.Count ? Statement.Operands[index] : throw Refuse("has too few operands");

    public void ExpectOperands(int least, int most)
    {
        if (Statement.Operands.Count < least || Statement.Operands.Count > most)
        {
            throw Refuse($"has {Statement.Operands.Count} operands");
        }
    }

    /// <summary>A source: register, literal of the given type, special register or symbol.</summary>
    public int Source(int index, PtxType type) => Source(Operand(index), type);

    public int Source(Operand operand, PtxType type)
    {
        int line = Statement.Line;
        if (operand.Kind == OperandKind.Literal)
        {
            return Literals.TryBits(operand.Name, operand.Negative, type, out ulong bits)
                ? Compiler.ConstantSlot(type == PtxType.Pred ? (bits != 0 ? 1UL : 0UL) : bits, line)
                : throw new PtxSyntaxException(line, $"'{operand.Name}' is no number");
        }
        if (operand.Kind != OperandKind.Name || operand.Second is not null)
        {
            throw Refuse("has an operand of the wrong kind");
        }
        if (operand.Offset == 0 && Compiler.TryRegister(Statement.Scope, operand.Name, line) is { } register)
        {
            return register.Slot;
        }
        return Compiler.TrySymbolSlot(Statement.Scope, operand.Name, operand.Offset, line)
            ?? throw new PtxSyntaxException(line, $"'{operand.Name}' is not declared");
    }

    /// <summary>A predicate source; <paramref name="not"/> says whether it stands with an exclamation mark.</summary>
    public int Predicate(int index, out bool not)
    {
        not = Operand(index).Not;
        return Source(index, PtxType.Pred);
    }

    /// <summary>A destination register and the mask of its width; -1 for the sink <c>_</c>.</summary>
    public int Destination(Operand operand, out ulong mask)
    {
        mask = ulong.MaxValue;
        if (operand.IsSink)
        {
            return -1;
        }
        if (operand.Kind != OperandKind.Name)
        {
            throw Refuse("has a destination that is no register");
        }
        RegisterDeclaration register = Compiler.RegisterSlot(Statement.Scope, operand.Name, Statement.Line);
        mask = WidthMask(register.Type.Size());
        return register.Slot;
    }

    /// <summary>Sets the destination from the first operand; a sink gets a slot that nobody reads.</summary>
    public void Destination(bool allowSecond = false)
    {
        Operand operand = Operand(0);
        I.D = Destination(operand, out I.DMask);
        if (I.D < 0)
        {
            I.D = SinkSlot();
        }
        if (operand.Second is not null)
        {
            if (!allowSecond)
            {
                throw Refuse("has two destinations");
            }
            I.D2 = operand.Second == "_" ? -1 : Compiler.RegisterSlot(Statement.Scope, operand.Second, Statement.Line).Slot;
        }
    }

    private int SinkSlot()
    {
        if (!Compiler.Function.Syntax.Body.Registers.TryGetValue("_", out RegisterDeclaration? sink))
        {
            sink = new RegisterDeclaration(PtxType.B64);
            Compiler.Function.Syntax.Body.Registers["_"] = sink;
        }
        return Compiler.RegisterSlot(Compiler.Function.Syntax.Body, "_", Statement.Line).Slot;
    }

    /// <summary>The slots of a vector's registers, or of one register.</summary>
    public int[] Destinations(int index)
    {
        Operand operand = Operand(index);
        IEnumerable<Operand> items = operand.Kind == OperandKind.Vector ? operand.Items : [operand];
        return [.. items.Select(o => Destination(o, out _))];
    }

    public int[] Sources(int index, PtxType type)
    {
        Operand operand = Operand(index);
        IEnumerable<Operand> items = operand.Kind == OperandKind.Vector ? operand.Items : [operand];
        return [.. items.Select(o => Source(o, type))];
    }

    /// <summary>An address: the slot of its base (a constant zero where there is none) and the offset.</summary>
    public int Address(int index, out long offset)
    {
        Operand operand = Operand(index);
        if (operand.Kind != OperandKind.Address)
        {
            throw Refuse("has no address where one belongs");
        }
        offset = operand.Offset;
        if (operand.Name.Length == 0)
        {
            return Compiler.ConstantSlot(0, Statement.Line);
        }
        return Source(new Operand { Kind = OperandKind.Name, Name = operand.Name }, PtxType.B64);
    }

    /// <summary>A constant that the instruction needs while it is decoded.</summary>
    public long Constant(int index)
    {
        Operand operand = Operand(index);
        if (operand.Kind == OperandKind.Literal && Literals.TryInteger(operand.Name, out ulong value))
        {
            return operand.Negative ? -(long)value : (long)value;
        }
        throw Refuse("has a register where a constant belongs");
    }

    public static ulong WidthMask(int bytes) => bytes >= 8 ? ulong.MaxValue : (1UL << (bytes * 8)) - 1;
}

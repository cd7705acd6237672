namespace AiFabrik.Ptx;

/// <summary>
/// Turns a function's statements into instructions: names to slots, labels to program counters, opcodes to operations
/// (<see cref="OpcodeTable"/>).
/// </summary>
internal sealed class FunctionCompiler(ModuleCompiler module, Function function)
{
    /// <summary>Slots of one frame; a warp's register file has 256 bytes per slot.</summary>
    public const int FrameSlotsMax = 1 << 16;
    public const int LocalBytesMax = 1 << 19;

    private readonly Dictionary<(SlotSource, ulong, Variable?), int> _initSlots = [];
    private readonly FunctionSyntax _syntax = function.Syntax;

    public Function Function => function;
    public ModuleCompiler Module => module;

    public void Run(List<Instruction> code)
    {
        Layout();
        function.Start = code.Count;
        var fixups = new List<(Instruction, Statement)>();
        foreach (Statement statement in _syntax.Statements)
        {
            var instruction = new Instruction { Opcode = statement.Opcode, Line = statement.Line };
            if (statement.Guard is not null)
            {
                instruction.Guard = RegisterSlot(statement.Scope, statement.Guard, statement.Line).Slot;
                instruction.GuardNot = statement.GuardNot;
            }
            OpcodeTable.Compile(new OperationContext(this, statement, instruction));
            code.Add(instruction);
        }
        // Falling off the end of a function returns.
        code.Add(new Instruction { Opcode = "ret", Line = _syntax.Statements.LastOrDefault()?.Line ?? _syntax.Line, Flow = Flow.Return });
    }

    private void Layout()
    {
        int param = 0;
        foreach (Variable variable in _syntax.Returns.Concat(_syntax.Parameters))
        {
            if (variable.Space == Space.Reg)
            {
                RegisterSlot(_syntax.Body, variable.Name, _syntax.Line);
            }
            else if (_syntax.IsEntry)
            {
                param = Align(param, variable.Align);
                variable.Offset = param;
                param += checked((int)variable.SizeBytes);
            }
            else
            {
                PlaceLocal(variable);
            }
        }
        function.ParameterBytes = param;
        foreach (Variable variable in _syntax.Locals.Where(v => v.Space != Space.Shared))
        {
            PlaceLocal(variable);
        }
        function.LocalBytes = Align(function.LocalBytes, 16);
    }

    private void PlaceLocal(Variable variable)
    {
        variable.Offset = Align(function.LocalBytes, variable.Align);
        long end = variable.Offset + variable.SizeBytes;
        if (end > LocalBytesMax)
        {
            throw new PtxSyntaxException(variable.Line, $"local memory of '{_syntax.Name}' is too large");
        }
        function.LocalBytes = (int)end;
    }

    public static int Align(int value, int alignment) => (value + alignment - 1) / alignment * alignment;

    private int NewSlot(int line)
    {
        int slot = function.FrameLength;
        if (slot >= FrameSlotsMax * 32)
        {
            throw new PtxSyntaxException(line, $"'{_syntax.Name}' uses too many registers");
        }
        function.FrameLength += 32;
        return slot;
    }

    private int InitSlot(SlotSource source, ulong value, Variable? symbol, int line)
    {
        if (!_initSlots.TryGetValue((source, value, symbol), out int slot))
        {
            slot = NewSlot(line);
            _initSlots[(source, value, symbol)] = slot;
            function.Inits.Add(new SlotInit(slot, source, value, symbol));
        }
        return slot;
    }

    public int ConstantSlot(ulong value, int line) => InitSlot(SlotSource.Constant, value, null, line);

    public RegisterDeclaration RegisterSlot(Scope scope, string name, int line) =>
        TryRegister(scope, name, line) ?? throw new PtxSyntaxException(line, $"'{name}' is not declared");

    public RegisterDeclaration? TryRegister(Scope scope, string name, int line)
    {
        for (Scope? s = scope; s is not null; s = s.Parent)
        {
            if (!s.Registers.TryGetValue(name, out RegisterDeclaration? register))
            {
                register = FromRange(s, name);
            }
            if (register is not null)
            {
                if (register.Slot < 0)
                {
                    register.Slot = NewSlot(line);
                }
                return register;
            }
        }
        return null;
    }

    /// <summary>Finds <c>%r12</c> in <c>.reg .b32 %r&lt;20&gt;</c>.</summary>
    private static RegisterDeclaration? FromRange(Scope scope, string name)
    {
        for (int cut = name.Length - 1; cut > 0 && char.IsAsciiDigit(name[cut]); cut--)
        {
            bool canonical = name[cut] != '0' || cut == name.Length - 1;
            if (canonical && scope.Ranges.TryGetValue(name[..cut], out RegisterRange range)
                && int.TryParse(name.AsSpan(cut), out int index) && index < range.Count)
            {
                return scope.Registers[name] = new RegisterDeclaration(range.Type);
            }
        }
        return null;
    }

    public static Variable? FindVariable(Scope scope, string name)
    {
        for (Scope? s = scope; s is not null; s = s.Parent)
        {
            if (s.Variables.TryGetValue(name, out Variable? variable))
            {
                return variable;
            }
        }
        return null;
    }

    public int FindLabel(Scope scope, string name, int line)
    {
        for (Scope? s = scope; s is not null; s = s.Parent)
        {
            if (s.Labels.TryGetValue(name, out int index))
            {
                return function.Start + index;
            }
        }
        throw new PtxSyntaxException(line, $"the label '{name}' is not there");
    }

    /// <summary>The slot that holds a symbol's address plus an offset, or a special register, or a function's address.</summary>
    public int? TrySymbolSlot(Scope scope, string name, long offset, int line)
    {
        if (FindVariable(scope, name) is { } variable)
        {
            if (variable.Space == Space.Shared)
            {
                function.Shared.Add(variable);
            }
            bool isFrame = variable.Space == Space.Local || (variable.Space == Space.Param && !_syntax.IsEntry)
                || (variable.Space == Space.Param && _syntax.Locals.Contains(variable));
            return variable.Space == Space.Param && !isFrame
                ? ConstantSlot((ulong)(variable.Offset + offset), line)
                : InitSlot(isFrame ? SlotSource.Local : SlotSource.Symbol, (ulong)offset, variable, line);
        }
        if (SpecialRegisters.TryParse(name, out Special special))
        {
            return InitSlot(SlotSource.Special, (ulong)special, null, line);
        }
        if (module.FindFunction(name) is { } callee)
        {
            module.AddressTaken.Add(callee);
            return InitSlot(SlotSource.Function, (ulong)callee.Index, null, line);
        }
        return null;
    }
}

internal static class SpecialRegisters
{
    private static readonly Dictionary<string, Special> s_names = new(StringComparer.Ordinal)
    {
        ["%tid.x"] = Special.TidX, ["%tid.y"] = Special.TidY, ["%tid.z"] = Special.TidZ,
        ["%ntid.x"] = Special.NtidX, ["%ntid.y"] = Special.NtidY, ["%ntid.z"] = Special.NtidZ,
        ["%ctaid.x"] = Special.CtaidX, ["%ctaid.y"] = Special.CtaidY, ["%ctaid.z"] = Special.CtaidZ,
        ["%nctaid.x"] = Special.NctaidX, ["%nctaid.y"] = Special.NctaidY, ["%nctaid.z"] = Special.NctaidZ,
        ["%laneid"] = Special.LaneId, ["%warpid"] = Special.WarpId, ["%nwarpid"] = Special.NWarpId,
        ["%smid"] = Special.SmId, ["%nsmid"] = Special.NSmId, ["%gridid"] = Special.GridId,
        ["%lanemask_eq"] = Special.LaneMaskEq, ["%lanemask_le"] = Special.LaneMaskLe, ["%lanemask_lt"] = Special.LaneMaskLt,
        ["%lanemask_ge"] = Special.LaneMaskGe, ["%lanemask_gt"] = Special.LaneMaskGt,
        ["%dynamic_smem_size"] = Special.DynamicSharedSize, ["%total_smem_size"] = Special.TotalSharedSize,
        // A block is its own cluster here.
        ["%cluster_ctarank"] = Special.Zero, ["%cluster_nctarank"] = Special.One, ["%cluster_ctaid.x"] = Special.Zero,
        ["%cluster_nctaid.x"] = Special.One, ["%is_explicit_cluster"] = Special.Zero,
        ["%clock"] = Special.Clock, ["%clock64"] = Special.Clock, ["%clock_hi"] = Special.Zero, ["%globaltimer"] = Special.Clock,
    };

    public static bool TryParse(string name, out Special special) => s_names.TryGetValue(name, out special);
}

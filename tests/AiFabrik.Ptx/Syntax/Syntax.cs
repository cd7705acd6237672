namespace AiFabrik.Ptx;

internal enum OperandKind : byte { Name, Literal, Address, Vector, List }

/// <summary>
/// One operand as written. Name: register, symbol or label, with <see cref="Offset"/> behind it. Address: <c>[name+offset]</c>, name may be absent.
/// Vector: <c>{a, b}</c>. List: <c>(a, b)</c> of a call.
/// </summary>
internal sealed class Operand
{
    public required OperandKind Kind { get; init; }
    /// <summary>The name or the literal's text; empty where an address is a bare number.</summary>
    public string Name { get; init; } = "";
    public long Offset { get; init; }
    /// <summary>A minus before a literal.</summary>
    public bool Negative { get; init; }
    /// <summary><c>!%p</c></summary>
    public bool Not { get; init; }
    /// <summary>The second destination of <c>%d|%p</c>.</summary>
    public string? Second { get; init; }
    public List<Operand> Items { get; init; } = [];

    public bool IsSink => Kind == OperandKind.Name && Name == "_";
}

/// <summary>An instruction as written, with the scope that its names belong to.</summary>
internal sealed class Statement
{
    public required string Opcode { get; init; }
    public required Scope Scope { get; init; }
    public required int Line { get; init; }
    public string? Guard { get; init; }
    public bool GuardNot { get; init; }
    public List<Operand> Operands { get; } = [];
}

internal enum Space : byte { Generic, Global, Shared, Local, Const, Param, Reg }

/// <summary>A variable in memory: its type, size and initial value.</summary>
internal sealed class Variable
{
    public required string Name { get; init; }
    public required Space Space { get; init; }
    public required PtxType Type { get; init; }
    public required int Line { get; init; }
    public int Align { get; set; } = 1;
    /// <summary>Bytes; 0 for an <c>.extern .shared</c> array whose size comes with the launch.</summary>
    public long SizeBytes { get; set; }
    public bool IsDynamic { get; set; }
    public List<InitialValue> Initial { get; } = [];
    /// <summary>Offset in its space: shared memory of the block, or the frame (local, param).</summary>
    public int Offset { get; set; } = -1;
}

/// <summary>One element of an initialiser: a number, or the address of a symbol plus an offset.</summary>
internal readonly record struct InitialValue(string? Symbol, bool Generic, string Literal, bool Negative, long Offset, int ByteMask = -1);

/// <summary>A pair of braces: registers, variables and labels declared in it hide those outside.</summary>
internal sealed class Scope(Scope? parent)
{
    public Scope? Parent { get; } = parent;
    public Dictionary<string, RegisterDeclaration> Registers { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, RegisterRange> Ranges { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, Variable> Variables { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, int> Labels { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, List<string>> BranchTargets { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, Prototype> Prototypes { get; } = new(StringComparer.Ordinal);
}

internal sealed class RegisterDeclaration(PtxType type)
{
    public PtxType Type { get; } = type;
    public int Slot { get; set; } = -1;
}

internal readonly record struct RegisterRange(PtxType Type, int Count);

internal sealed record Prototype(List<Variable> Returns, List<Variable> Parameters);

/// <summary>A function or kernel as written.</summary>
internal sealed class FunctionSyntax
{
    public required string Name { get; init; }
    public required bool IsEntry { get; init; }
    public required int Line { get; init; }
    public List<Variable> Returns { get; init; } = [];
    public List<Variable> Parameters { get; init; } = [];
    public Scope Body { get; set; } = new(null);
    public bool HasBody { get; set; }
    public List<Statement> Statements { get; } = [];
    public List<Variable> Locals { get; } = [];
}

internal sealed class ModuleSyntax
{
    public Scope Globals { get; } = new(null);
    public List<Variable> Variables { get; } = [];
    public Dictionary<string, FunctionSyntax> Functions { get; } = new(StringComparer.Ordinal);
    public string Target { get; set; } = "";
}

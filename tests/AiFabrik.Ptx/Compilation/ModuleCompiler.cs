namespace AiFabrik.Ptx;

/// <summary>Compiles the functions of a module into one array of instructions.</summary>
internal sealed class ModuleCompiler
{
    private readonly Dictionary<string, Function> _functions = new(StringComparer.Ordinal);

    public ModuleCompiler(ModuleSyntax syntax)
    {
        Syntax = syntax;
        foreach (FunctionSyntax function in syntax.Functions.Values)
        {
            _functions[function.Name] = new Function { Syntax = function, Index = _functions.Count };
        }
        var code = new List<Instruction>();
        foreach (Function function in _functions.Values.Where(f => f.Syntax.HasBody))
        {
            var compiler = new FunctionCompiler(this, function);
            compiler.Run(code);
        }
        Code = [.. code];
        HasAtomics = code.Exists(i => i.Opcode.StartsWith("atom", StringComparison.Ordinal) || i.Opcode.StartsWith("red.", StringComparison.Ordinal));
        Functions = [.. _functions.Values];
        foreach (Variable variable in syntax.Variables)
        {
            foreach (InitialValue value in variable.Initial.Where(v => v.Symbol is not null && FindFunction(v.Symbol) is not null))
            {
                AddressTaken.Add(FindFunction(value.Symbol!)!);
            }
        }
    }

    public ModuleSyntax Syntax { get; }
    public Instruction[] Code { get; }
    public Function[] Functions { get; }
    public HashSet<Function> AddressTaken { get; } = [];
    /// <summary>Whether any thread can order others through atomics: a fence, or an access with acquire or release.</summary>
    public bool HasFences { get; set; }
    /// <summary>
    /// Whether the module swaps by comparison. Such loops, ILGPU's float atomics among them, begin with a plain load of what others change by
    /// atomics; then a plain read does not race with an atomic.
    /// </summary>
    public bool HasCompareAndSwap { get; set; }
    /// <summary>Whether anything changes memory by atomics, and so may tell another block.</summary>
    public bool HasAtomics { get; }
    /// <summary>The narrowest access to memory that may be shared memory, as a power of two of bytes.</summary>
    public int SharedGranuleShift { get; private set; } = 2;

    public Function? FindFunction(string name) => _functions.GetValueOrDefault(name);

    public void NoteAccess(Space space, int elementBytes)
    {
        if (space is Space.Shared or Space.Generic && elementBytes < 1 << SharedGranuleShift)
        {
            SharedGranuleShift = elementBytes == 1 ? 0 : 1;
        }
    }

    /// <summary>The functions that a kernel can reach; an indirect call may reach every function whose address is taken.</summary>
    public HashSet<Function> Reachable(Function entry)
    {
        var seen = new HashSet<Function>();
        var open = new Stack<Function>([entry, .. AddressTaken]);
        while (open.TryPop(out Function? function))
        {
            if (seen.Add(function))
            {
                foreach (Function callee in function.Callees)
                {
                    open.Push(callee);
                }
            }
        }
        return seen;
    }
}

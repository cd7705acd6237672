namespace AiFabrik.Ptx;

/// <summary>Why a text is not accepted: the first error and its line (from 1).</summary>
public sealed record PtxError(int Line, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"line {Line}: {Message}";
}

/// <summary>
/// A PTX module, parsed and decoded. Source: PTX ISA 9.0. An instruction, type or modifier that the machine does not know is refused here,
/// with its name and line, never ignored.
/// </summary>
public sealed class PtxModule
{
    /// <summary>The longest text that is read, in characters.</summary>
    public const int TextLengthMax = 64 << 20;

    private PtxModule(ModuleCompiler compiled)
    {
        Compiled = compiled;
        Entries = [.. compiled.Functions.Where(f => f.Syntax is { IsEntry: true, HasBody: true }).Select(f => f.Syntax.Name)];
    }

    /// <summary>The names of the kernels, in the order of the text.</summary>
    public IReadOnlyList<string> Entries { get; }
    /// <summary>The architecture that the text names, such as <c>sm_80</c>.</summary>
    public string Target => Compiled.Syntax.Target;
    internal ModuleCompiler Compiled { get; }

    /// <summary>Parses and decodes a text.</summary>
    /// <returns>False, with the reason in <paramref name="error"/>, where the text is no PTX or holds what the machine does not know.</returns>
    public static bool TryParse(string text, out PtxModule? module, out PtxError? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        module = null;
        error = null;
        if (text.Length > TextLengthMax)
        {
            error = new PtxError(0, "the text is too long");
            return false;
        }
        try
        {
            ModuleSyntax syntax = new ModuleParser(new TokenReader(new Lexer(text).Run())).Run();
            SymbolCheck.Run(syntax);
            module = new PtxModule(new ModuleCompiler(syntax));
            return true;
        }
        catch (PtxSyntaxException failure)
        {
            error = new PtxError(failure.Line, failure.Message);
            return false;
        }
    }
}

/// <summary>Checks what must hold before memory is given to variables: sizes together, and initialisers that can be evaluated.</summary>
internal static class SymbolCheck
{
    public const long GlobalBytesMax = 1L << 29;
    public const long ConstantBytesMax = 10 << 16;

    public static void Run(ModuleSyntax syntax)
    {
        long global = 0, constant = 0;
        foreach (Variable variable in syntax.Variables)
        {
            global += variable.Space == Space.Global ? variable.SizeBytes : 0;
            constant += variable.Space == Space.Const ? variable.SizeBytes : 0;
            if (global > GlobalBytesMax || constant > ConstantBytesMax)
            {
                throw new PtxSyntaxException(variable.Line, $"no memory is left for '{variable.Name}'");
            }
            foreach (InitialValue value in variable.Initial)
            {
                bool known = value.Symbol is null
                    ? Literals.TryBits(value.Literal, value.Negative, variable.Type, out _)
                    : syntax.Functions.ContainsKey(value.Symbol)
                        || (syntax.Globals.Variables.TryGetValue(value.Symbol, out Variable? symbol) && symbol.Space is Space.Global or Space.Const);
                if (!known)
                {
                    throw new PtxSyntaxException(variable.Line, $"an initial value of '{variable.Name}' cannot be evaluated");
                }
            }
        }
    }
}

using System.Text;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>A compiled template: its statements, its literals and the names it uses. Nothing in it is content.</summary>
internal sealed class TemplateProgram
{
    public static TemplateProgram Empty { get; } = new ProgramBuilder().Build([], new ScopeNames(0));

    public required Statement[] Body { get; init; }

    /// <summary>All literals, UTF-8, one after another: chunk 0 of the text memory of a rendering.</summary>
    public required byte[] Literals { get; init; }

    /// <summary>Ones, as many as <see cref="Literals"/> has bytes: the template wrote all of them.</summary>
    public required byte[] LiteralsTrust { get; init; }

    /// <summary>The names of variables, attributes and keywords, as values that point into <see cref="Literals"/>.</summary>
    public required Value[] Names { get; init; }

    /// <summary>For each name the global function of that name, or -1.</summary>
    public required int[] Globals { get; init; }

    public required ScopeNames[] Scopes { get; init; }
    public required ScopeNames RootScope { get; init; }
    public required MacroNode[] Macros { get; init; }
    public required ForStatement[] Loops { get; init; }

    /// <summary>Whether some loop runs over the parts of a message's content.</summary>
    public bool HandlesContentParts { get; set; }

    public ReadOnlySpan<byte> NameBytes(int name) => Literals.AsSpan(Names[name].Address, Names[name].Length);
}

/// <summary>Collects what a <see cref="TemplateProgram"/> consists of while its source is parsed.</summary>
internal sealed class ProgramBuilder
{
    private readonly Dictionary<string, int> _literals = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private readonly List<string> _nameTexts = [];
    private readonly List<byte> _bytes = [];

    public List<ScopeNames> Scopes { get; } = [];
    public List<MacroNode> Macros { get; } = [];
    public List<ForStatement> Loops { get; } = [];

    public ScopeNames NewScope()
    {
        var scope = new ScopeNames(Scopes.Count);
        Scopes.Add(scope);
        return scope;
    }

    public int Name(string text)
    {
        if (_names.TryGetValue(text, out int name)) return name;
        _names.Add(text, _nameTexts.Count);
        _nameTexts.Add(text);
        return _nameTexts.Count - 1;
    }

    public string NameText(int name) => _nameTexts[name];

    public Value Literal(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (!_literals.TryGetValue(text, out int address))
        {
            address = _bytes.Count;
            _bytes.AddRange(bytes);
            _literals.Add(text, address);
        }

        return Value.Str(address, bytes.Length);
    }

    public string LiteralText(Value literal) =>
        Encoding.UTF8.GetString([.. _bytes.GetRange(literal.Address, literal.Length)]);

    public TemplateProgram Build(Statement[] body, ScopeNames root)
    {
        Value[] names = [.. _nameTexts.Select(Literal)];
        byte[] literals = [.. _bytes];
        byte[] trust = new byte[literals.Length];
        trust.AsSpan().Fill(1);
        return new TemplateProgram
        {
            Body = body,
            Literals = literals,
            LiteralsTrust = trust,
            Names = names,
            Globals = [.. _nameTexts.Select(GlobalFunctions.Find)],
            Scopes = [.. Scopes],
            RootScope = root,
            Macros = [.. Macros],
            Loops = [.. Loops],
        };
    }
}

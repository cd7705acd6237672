namespace AiFabrik.Ptx;

/// <summary>The outer level of a PTX module: variables, function headers, directives (PTX ISA, "Directives").</summary>
internal sealed class ModuleParser(TokenReader reader)
{
    private readonly ModuleSyntax _module = new();
    private readonly VariableParser _variables = new(reader);

    public ModuleSyntax Run()
    {
        while (!reader.AtEnd)
        {
            TopLevel();
        }
        return _module;
    }

    private void TopLevel()
    {
        bool isExtern = false;
        while (reader.Current.Text is ".visible" or ".extern" or ".weak" or ".common")
        {
            isExtern |= reader.Take().Text == ".extern";
        }
        Token token = reader.Take();
        switch (token.Text)
        {
            case ".target":
                _module.Target = reader.Current.Text;
                reader.SkipLine();
                break;
            case ".version" or ".address_size" or ".file" or ".loc":
                if (reader.Current.Line == token.Line)
                {
                    reader.SkipLine();
                }
                break;
            case ".section":
                while (!reader.AtEnd && !reader.Current.Is('{'))
                {
                    reader.Take();
                }
                reader.SkipBraces();
                break;
            case ".pragma" or ".alias":
                while (!reader.AtEnd && !reader.TakeIf(';'))
                {
                    reader.Take();
                }
                break;
            case ".global" or ".const" or ".shared":
                ModuleVariables(token.Text, isExtern);
                break;
            case ".entry" or ".func":
                Function(token.Text == ".entry", token.Line);
                break;
            default:
                throw new PtxSyntaxException(token.Line, $"'{token.Text}' is not expected outside a function");
        }
    }

    private void ModuleVariables(string space, bool isExtern)
    {
        Space where = space switch { ".global" => Space.Global, ".const" => Space.Const, _ => Space.Shared };
        foreach (Variable variable in _variables.Declarations(where, isExtern))
        {
            if (_module.Globals.Variables.TryGetValue(variable.Name, out Variable? known) && known.SizeBytes >= variable.SizeBytes && isExtern)
            {
                continue;
            }
            _module.Globals.Variables[variable.Name] = variable;
            _module.Variables.Add(variable);
        }
        reader.Expect(';');
    }

    private void Function(bool isEntry, int line)
    {
        while (reader.TakeIf(".attribute"))
        {
            _variables.SkipParentheses();
        }
        List<Variable> returns = !isEntry && reader.Current.Is('(') ? _variables.Parameters() : [];
        string name = reader.Word();
        List<Variable> parameters = reader.Current.Is('(') ? _variables.Parameters() : [];
        var function = new FunctionSyntax { Name = name, IsEntry = isEntry, Line = line, Returns = returns, Parameters = parameters };
        while (!reader.AtEnd && !reader.Current.Is('{') && !reader.Current.Is(';'))
        {
            reader.Take(); // performance directives: .maxntid 256, 1, 1 and the like
        }
        if (reader.TakeIf(';'))
        {
            _module.Functions.TryAdd(name, function);
            return;
        }
        reader.Expect('{');
        function.Body = new Scope(_module.Globals);
        function.HasBody = true;
        foreach (Variable variable in returns.Concat(parameters))
        {
            Declare(function, variable);
        }
        new BodyParser(reader, _variables, function).Run();
        if (_module.Functions.TryGetValue(name, out FunctionSyntax? earlier) && earlier.HasBody)
        {
            throw new PtxSyntaxException(line, $"'{name}' has two bodies");
        }
        _module.Functions[name] = function;
    }

    private static void Declare(FunctionSyntax function, Variable variable)
    {
        if (variable.Space == Space.Reg)
        {
            function.Body.Registers[variable.Name] = new RegisterDeclaration(variable.Type);
        }
        else
        {
            function.Body.Variables[variable.Name] = variable;
        }
    }
}

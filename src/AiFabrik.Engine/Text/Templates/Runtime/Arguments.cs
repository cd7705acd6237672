namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// The arguments of a call on the interpreter's stack: <paramref name="Count"/> positional ones from
/// <paramref name="Start"/> on, then <paramref name="Keywords"/> pairs of name and value.
/// </summary>
internal readonly record struct Arguments(int Start, int Count, int Keywords)
{
    public Value this[Interpreter vm, int index] => vm.Stack(Start + index);

    public Value KeywordName(Interpreter vm, int index) => vm.Stack(Start + Count + (2 * index));

    public Value KeywordValue(Interpreter vm, int index) => vm.Stack(Start + Count + (2 * index) + 1);

    /// <summary>The same without the first <paramref name="count"/> positional ones.</summary>
    public Arguments Skip(int count) => new(Start + count, Count - count, Keywords);
}

/// <summary>The body of a function: its arguments are on the stack from <paramref name="arguments"/> on, one for each parameter.</summary>
internal delegate Value BoundBody(Interpreter vm, int arguments);

/// <summary>The body of a function that takes its arguments as they come.</summary>
internal delegate Value FreeBody(Interpreter vm, in Arguments arguments);

/// <summary>A filter, test, method or function of the language, with its parameters as in Python.</summary>
internal sealed class BuiltIn
{
    private readonly byte[][] _parameters = [];
    private readonly int _required;
    private readonly int _positionalOnly;
    private readonly BoundBody? _bound;
    private readonly FreeBody? _free;

    /// <summary>
    /// <paramref name="parameters"/>: names with commas between them; a question mark ends those that may be left out;
    /// a slash follows those that cannot be given by name.
    /// </summary>
    public BuiltIn(string name, string parameters, BoundBody body)
    {
        Name = System.Text.Encoding.UTF8.GetBytes(name);
        _bound = body;
        var names = new List<byte[]>();
        foreach (string part in parameters.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "/")
            {
                _positionalOnly = names.Count;
                continue;
            }

            if (!part.EndsWith('?')) _required = names.Count + 1;
            names.Add(System.Text.Encoding.UTF8.GetBytes(part.TrimEnd('?')));
        }

        _parameters = [.. names];
    }

    public BuiltIn(string name, FreeBody body)
    {
        Name = System.Text.Encoding.UTF8.GetBytes(name);
        _free = body;
    }

    /// <summary>A method that the sandbox forbids.</summary>
    public BuiltIn(string name)
    {
        Name = System.Text.Encoding.UTF8.GetBytes(name);
        IsForbidden = true;
    }

    public byte[] Name { get; }
    public bool IsForbidden { get; }

    public Value Call(Interpreter vm, in Arguments given)
    {
        if (IsForbidden) return vm.Fail(TemplateError.Security);
        if (_free is not null) return _free(vm, given);
        int bound = vm.StackTop;
        if (!Bind(vm, given)) return default;
        Value result = _bound!(vm, bound);
        vm.StackTop = bound;
        return result;
    }

    private bool Bind(Interpreter vm, in Arguments given)
    {
        if (given.Count > _parameters.Length) return Mismatch(vm);
        int bound = vm.StackTop;
        for (int i = 0; i < _parameters.Length; i++)
        {
            if (!vm.Push(i < given.Count ? given[vm, i] : default)) return false;
        }

        for (int i = 0; i < given.Keywords; i++)
        {
            int parameter = Find(vm.Bytes(given.KeywordName(vm, i)));
            if (parameter < 0 || !vm.Stack(bound + parameter).IsMissing) return Mismatch(vm);
            vm.Stack(bound + parameter) = given.KeywordValue(vm, i);
        }

        for (int i = 0; i < _required; i++)
        {
            if (vm.Stack(bound + i).IsMissing) return Mismatch(vm);
        }

        return true;
    }

    private static bool Mismatch(Interpreter vm)
    {
        vm.Fail(TemplateError.Type);
        return false;
    }

    private int Find(ReadOnlySpan<byte> name)
    {
        for (int i = _positionalOnly; i < _parameters.Length; i++)
        {
            if (name.SequenceEqual(_parameters[i])) return i;
        }

        return -1;
    }
}

/// <summary>All methods of one name, by the kind of value that has them.</summary>
internal sealed class MethodGroup
{
    private readonly List<(Kind Owner, BuiltIn Method)> _methods = [];

    public void Add(Kind owner, BuiltIn method) => _methods.Add((owner, method));

    public BuiltIn? For(Kind owner)
    {
        foreach ((Kind kind, BuiltIn method) in _methods)
        {
            if (kind == owner) return method;
        }

        return null;
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Setting what stands before the equals sign.</summary>
internal static class Assignment
{
    public static void Assign(Interpreter vm, Expression target, in Value value)
    {
        if (vm.Failed) return;
        switch (target)
        {
            case NameExpression name: vm.Assign(name.Name, value); break;
            case NamespaceTarget attribute: AssignAttribute(vm, attribute, value); break;
            case ListExpression tuple: Unpack(vm, tuple, value); break;
        }
    }

    private static void Unpack(Interpreter vm, ListExpression targets, in Value value)
    {
        Value list = Iteration.ToList(vm, value);
        if (vm.Failed) return;
        if (list.Length != targets.Items.Length)
        {
            vm.Fail(TemplateError.Value);
            return;
        }

        for (int i = 0; i < list.Length; i++) Assign(vm, targets.Items[i], vm.Cells[list.Address + i]);
    }

    private static void AssignAttribute(Interpreter vm, NamespaceTarget target, in Value value)
    {
        Value owner = vm.Lookup(target.Name);
        if (owner.Kind != Kind.Namespace) vm.Fail(TemplateError.Runtime);
        else if (vm.Program.NameBytes(target.Attribute)[0] == (byte)'_') vm.Fail(TemplateError.Security);
        else Namespaces.Set(vm, owner, vm.Program.Names[target.Attribute], value);
    }
}

/// <summary>Namespaces: a cell that holds a dict, which is replaced when a new name comes.</summary>
internal static class Namespaces
{
    public static Value Make(Interpreter vm, in Value dict)
    {
        if (vm.Failed || !vm.AllocateCells(1, out int address)) return default;
        for (int i = 0; i < dict.Length; i++)
        {
            Value key = Dicts.Key(vm, dict, i);
            if (key.IsStr && key.Length > 0 && vm.Bytes(key)[0] == (byte)'_') return vm.Fail(TemplateError.Security);
        }

        vm.Cells[address] = dict;
        return new Value(Kind.Namespace, address);
    }

    public static Value Dict(Interpreter vm, in Value owner) => vm.Cells[owner.Address];

    public static Value Get(Interpreter vm, in Value owner, in Value name)
    {
        Value value = Dicts.Get(vm, Dict(vm, owner), name);
        return value.IsMissing ? Value.Undefined : value;
    }

    public static void Set(Interpreter vm, in Value owner, in Value name, in Value value)
    {
        Value dict = Dict(vm, owner);
        int at = Dicts.Find(vm, dict, name);
        if (at >= 0)
        {
            vm.Cells[dict.Address + (2 * at) + 1] = value;
            return;
        }

        var pairs = new ListBuilder(vm);
        for (int i = 0; i < 2 * dict.Length; i++) pairs.Add(vm.Cells[dict.Address + i]);
        pairs.Add(name);
        pairs.Add(value);
        Value grown = Dicts.FromPairs(vm, ref pairs);
        if (!vm.Failed) vm.Cells[owner.Address] = grown;
    }
}

namespace AiFabrik.Engine.Text.Templates;

/// <summary>Collects the items of one list in cell memory.</summary>
internal struct ListBuilder(Interpreter vm)
{
    private const int FirstCapacity = 8;

    private int _address;
    private int _capacity;

    public int Count { get; private set; }

    public readonly Value this[int index] => vm.Cells[_address + index];

    public void Set(int index, in Value value) => vm.Cells[_address + index] = value;

    public void Add(in Value value)
    {
        if (vm.Failed || (Count == _capacity && !Grow(Count + 1))) return;
        vm.Cells[_address + Count++] = value;
    }

    public bool Grow(int needed)
    {
        if (needed > vm.Limits.ListItemsMax || !vm.Step(1 + (Count / 8)))
        {
            vm.FailLimit(TemplateLimit.ListItems);
            return false;
        }

        int capacity = Math.Min(CellMemory.CellsMax, Math.Max(needed, Math.Max(FirstCapacity, 2 * _capacity)));
        if (_capacity > 0 && vm.Cells.TryExtend(_address, _capacity, capacity))
        {
            _capacity = capacity;
            return true;
        }

        if (!vm.AllocateCells(capacity, out int address)) return false;
        if (Count > 0) vm.Cells.Cells(_address, Count).CopyTo(vm.Cells.Cells(address, Count));
        _address = address;
        _capacity = capacity;
        return true;
    }

    public Value ToValue(Kind kind = Kind.List)
    {
        if (_capacity > Count) vm.Cells.Shrink(_address, _capacity, Count);
        _capacity = Count;
        return new Value(kind, _address, Count);
    }
}

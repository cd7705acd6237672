namespace AiFabrik.Engine.Text.Templates;

/// <summary>Collects one string in text memory, byte for byte with its marks of trust.</summary>
internal struct TextBuilder(Interpreter vm)
{
    private const int FirstCapacity = 128;

    private int _address;
    private int _capacity;

    public int Length { get; private set; }

    public readonly Interpreter Vm => vm;

    public readonly ReadOnlySpan<byte> Written => Length == 0 ? [] : vm.Text.Bytes(_address, Length);

    public readonly ReadOnlySpan<byte> WrittenTrust => Length == 0 ? [] : vm.Text.Trust(_address, Length);

    /// <summary>Makes room for <paramref name="length"/> more bytes; false (and the rendering fails) if there is none.</summary>
    public bool Reserve(int length)
    {
        if (vm.Failed) return false;
        if (length <= _capacity - Length) return true;
        long needed = (long)Length + length;
        if (needed > TextMemory.StringBytesMax)
        {
            vm.FailLimit(TemplateLimit.StringBytes);
            return false;
        }

        int capacity = (int)Math.Min(TextMemory.StringBytesMax, Math.Max(needed, Math.Max(FirstCapacity, 2L * _capacity)));
        if (_capacity > 0 && vm.Text.TryExtend(_address, _capacity, capacity))
        {
            _capacity = capacity;
            return true;
        }

        if (!vm.AllocateText(capacity, out int address)) return false;
        if (Length > 0)
        {
            vm.Text.Bytes(_address, Length).CopyTo(vm.Text.Bytes(address, Length));
            vm.Text.Trust(_address, Length).CopyTo(vm.Text.Trust(address, Length));
        }

        _address = address;
        _capacity = capacity;
        return true;
    }

    public void Append(in Value text) => AppendRange(text.Address, text.Length);

    /// <summary>Appends a range of text memory with its marks.</summary>
    public void AppendRange(int address, int length)
    {
        if (length == 0 || !vm.StepBytes(length) || !Reserve(length)) return;
        vm.Text.Bytes(address, length).CopyTo(vm.Text.Bytes(_address + Length, length));
        vm.Text.Trust(address, length).CopyTo(vm.Text.Trust(_address + Length, length));
        Length += length;
    }

    /// <summary>Appends bytes that all have the same trust.</summary>
    public void Append(scoped ReadOnlySpan<byte> bytes, bool trusted)
    {
        if (bytes.Length == 0 || !vm.StepBytes(bytes.Length) || !Reserve(bytes.Length)) return;
        bytes.CopyTo(vm.Text.Bytes(_address + Length, bytes.Length));
        vm.Text.Trust(_address + Length, bytes.Length).Fill(trusted ? (byte)1 : (byte)0);
        Length += bytes.Length;
    }

    public void Append(byte single, bool trusted)
    {
        if (!Reserve(1)) return;
        vm.Text.Bytes(_address + Length, 1)[0] = single;
        vm.Text.Trust(_address + Length, 1)[0] = trusted ? (byte)1 : (byte)0;
        Length++;
    }

    public void AppendCodePoint(int codePoint, bool trusted)
    {
        Span<byte> bytes = stackalloc byte[4];
        Append(bytes[..Utf8.Encode(codePoint, bytes)], trusted);
    }

    public void Repeat(byte single, long count, bool trusted)
    {
        if (count <= 0) return;
        if (count > TextMemory.StringBytesMax)
        {
            vm.FailLimit(TemplateLimit.StringBytes);
            return;
        }

        int length = (int)count;
        if (!vm.StepBytes(length) || !Reserve(length)) return;
        vm.Text.Bytes(_address + Length, length).Fill(single);
        vm.Text.Trust(_address + Length, length).Fill(trusted ? (byte)1 : (byte)0);
        Length += length;
    }

    /// <summary>Takes the last bytes off again.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Ends the string and gives unused room back.</summary>
    public Value ToValue(ValueFlags flags = ValueFlags.None)
    {
        if (_capacity > Length) vm.Text.Shrink(_address, _capacity, Length);
        _capacity = Length;
        return Value.Str(_address, Length, flags);
    }
}

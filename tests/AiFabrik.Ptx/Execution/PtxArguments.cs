using System.Runtime.InteropServices;

namespace AiFabrik.Ptx;

/// <summary>The parameters of a launch, in the order of the kernel's declaration.</summary>
public sealed class PtxArguments
{
    private readonly List<byte[]> _values = [];

    /// <summary>Adds a value: a number, or a structure with the layout that the kernel declares.</summary>
    public PtxArguments Add<T>(T value) where T : unmanaged
    {
        _values.Add(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray());
        return this;
    }

    /// <summary>Adds the address of a buffer.</summary>
    public PtxArguments Add(PtxBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        return Add(buffer.Address);
    }

    /// <summary>Adds a structure as its bytes.</summary>
    public PtxArguments AddBytes(ReadOnlySpan<byte> bytes)
    {
        _values.Add(bytes.ToArray());
        return this;
    }

    internal byte[] Pack(Function entry)
    {
        List<Variable> parameters = entry.Syntax.Parameters;
        if (parameters.Count != _values.Count)
        {
            throw new ArgumentException($"The kernel has {parameters.Count} parameters, not {_values.Count}.");
        }
        byte[] packed = new byte[entry.ParameterBytes];
        for (int i = 0; i < _values.Count; i++)
        {
            if (_values[i].Length != parameters[i].SizeBytes)
            {
                throw new ArgumentException($"Parameter '{parameters[i].Name}' has {parameters[i].SizeBytes} bytes, not {_values[i].Length}.");
            }
            _values[i].CopyTo(packed, parameters[i].Offset);
        }
        return packed;
    }
}

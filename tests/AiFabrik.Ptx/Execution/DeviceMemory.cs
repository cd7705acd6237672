namespace AiFabrik.Ptx;

/// <summary>One allocation of device memory. Its address is a multiple of 256 and a wide gap lies behind it.</summary>
public sealed class PtxBuffer
{
    internal PtxBuffer(string name, ulong address, int sizeBytes, int workers)
    {
        Name = name;
        Address = address;
        Data = new byte[sizeBytes];
        Shadows = new Shadow?[workers];
    }

    /// <summary>The name given when it was allocated; faults use it.</summary>
    public string Name { get; }
    /// <summary>The address that kernels get.</summary>
    public ulong Address { get; }
    /// <summary>The bytes, for the host to write before a launch and to read afterwards.</summary>
    public Span<byte> Bytes => Data;

    internal byte[] Data { get; }
    /// <summary>One for each thread that runs blocks: races are looked for within a block only.</summary>
    internal Shadow?[] Shadows { get; }
}

/// <summary>The device's address space: allocations in ascending order, and windows for the spaces that generic addresses reach.</summary>
/// <param name="workers">Threads that run blocks side by side.</param>
internal sealed class DeviceMemory(int workers)
{
    /// <summary>Generic addresses: bits 40 and up name the window; below <see cref="FunctionWindow"/> lies global memory.</summary>
    public const int WindowShift = 40;
    public const ulong FunctionWindow = 0x7B, ParamWindow = 0x7C, ConstWindow = 0x7D, LocalWindow = 0x7E, SharedWindow = 0x7F;

    private const ulong FirstAddress = 0x7_0000_0000;
    private const ulong GapBytes = 1 << 20;

    private List<PtxBuffer> _buffers = [];
    private ulong _next = FirstAddress;
    private PtxBuffer? _last;

    public PtxBuffer Allocate(string name, int sizeBytes)
    {
        var buffer = new PtxBuffer(name, _next, sizeBytes, workers);
        _next = (_next + (ulong)sizeBytes + GapBytes + 255) & ~255UL;
        _buffers.Add(buffer);
        return buffer;
    }

    /// <summary>Its addresses are never given out again, so that a later access is a fault.</summary>
    public void Free(PtxBuffer buffer)
    {
        _buffers.Remove(buffer);
        _last = null;
    }

    /// <summary>The allocation that holds all bytes of an access, or null.</summary>
    public PtxBuffer? Find(ulong address, int size)
    {
        if (_last is { } last && address - last.Address is var offset && offset < (ulong)last.Data.Length && offset + (ulong)size <= (ulong)last.Data.Length)
        {
            return last;
        }
        PtxBuffer? below = Below(address);
        if (below is null || address - below.Address + (ulong)size > (ulong)below.Data.Length)
        {
            return null;
        }
        return _last = below;
    }

    /// <summary>The allocation that a wrong address most likely meant: the nearer of its neighbours.</summary>
    public PtxBuffer? Nearest(ulong address)
    {
        PtxBuffer? below = Below(address);
        int above = below is null ? 0 : _buffers.IndexOf(below) + 1;
        if (above >= _buffers.Count)
        {
            return below;
        }
        PtxBuffer next = _buffers[above];
        return below is null || next.Address - address < address - below.Address - (ulong)below.Data.Length ? next : below;
    }

    public PtxBuffer? WithShadow(Shadow shadow) => _buffers.Find(b => b.Shadows.Contains(shadow));

    /// <summary>The same memory for another thread, which keeps in mind where it was last. Nothing is allocated or freed while it is in use.</summary>
    public DeviceMemory View() => new(workers) { _buffers = _buffers };

    private PtxBuffer? Below(ulong address)
    {
        int low = 0, high = _buffers.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_buffers[middle].Address <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low == 0 ? null : _buffers[low - 1];
    }
}

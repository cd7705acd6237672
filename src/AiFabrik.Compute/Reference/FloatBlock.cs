using AiFabrik.Compute.Memory;

namespace AiFabrik.Compute.Reference;

/// <summary>Float32 values in content memory: zeroed at first, on <see cref="Clear"/> and before they are freed.</summary>
internal sealed unsafe class FloatBlock : IDisposable
{
    private readonly nuint _bytes;

    public FloatBlock(long count)
    {
        _bytes = (nuint)Math.Max(count, 1) * sizeof(float);
        Data = (float*)ContentMemory.Allocate(_bytes);
    }

    ~FloatBlock() => Dispose();

    public float* Data { get; private set; }

    public void Clear() => ContentMemory.Zero((byte*)Data, _bytes);

    public void Dispose()
    {
        if (Data == null) return;
        ContentMemory.Free((byte*)Data, _bytes);
        Data = null;
        GC.SuppressFinalize(this);
    }
}

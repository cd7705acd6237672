namespace AiFabrik.Engine.Tests.Models.Fuzzing;

/// <summary>A small generator whose state is its seed, so that one iteration can be repeated alone.</summary>
internal struct FuzzRandom(ulong seed)
{
    private ulong _state = seed * 0x9E3779B97F4A7C15 + 1;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public int Below(int max) => (int)(Next() % (ulong)max);

    public T Of<T>(ReadOnlySpan<T> items) => items[Below(items.Length)];
}

using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>Bytes of a file as they are read, one text after the other, in an array that doubles.</summary>
internal sealed class ByteList
{
    internal byte[] Data = [];
    internal int Count;

    /// <summary>Room for so many bytes more, and what follows it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<byte> Reserve(int more)
    {
        if (Data.Length - Count < more) Grow(more);
        return Data.AsSpan(Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int more)
    {
        var larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(Array.MaxLength, Math.Max(4096, (Count + (long)more) * 2)));
        Data.AsSpan(0, Count).CopyTo(larger);
        Data = larger;
    }
}

using System.Runtime.InteropServices;

namespace AiFabrik.Compute.Memory;

/// <summary>Pages for content. Freed means zeroed first.</summary>
internal static unsafe class ContentMemory
{
    private const nuint PageBytes = 4096;

    public static byte* Allocate(nuint bytes)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc(bytes, PageBytes);
        Zero(memory, bytes);
        return memory;
    }

    public static void Zero(byte* memory, nuint bytes) => NativeMemory.Clear(memory, bytes);

    public static void Free(byte* memory, nuint bytes)
    {
        Zero(memory, bytes);
        NativeMemory.AlignedFree(memory);
    }
}

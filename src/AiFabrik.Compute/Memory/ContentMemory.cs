using AiFabrik.Compute.Native;

namespace AiFabrik.Compute.Memory;

/// <summary>What the system did not grant for content memory; it is used all the same, and doctor reports it.</summary>
[Flags]
public enum ContentMemoryRefusals
{
    None = 0,

    /// <summary>Pages could not be locked (RLIMIT_MEMLOCK): they may be written to swap.</summary>
    Lock = 1,

    /// <summary>Pages would be part of a core dump.</summary>
    NoDump = 2,

    /// <summary>Pages would be inherited by a forked process.</summary>
    WipeOnFork = 4,
}

/// <summary>Pages for content: mapped for themselves, locked, kept out of core dumps, wiped on fork. Freed means zeroed first.</summary>
public static unsafe class ContentMemory
{
    private static int s_refusals;

    /// <summary>What the system has refused so far.</summary>
    public static ContentMemoryRefusals Refusals => (ContentMemoryRefusals)Volatile.Read(ref s_refusals);

    /// <summary>Zeroed pages.</summary>
    /// <exception cref="InsufficientMemoryException">The system has none.</exception>
    public static byte* Allocate(nuint bytes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes);
        var memory = (byte*)NativeMethods.af_pages_allocate((long)bytes, out var refused);
        if (memory == null) throw new InsufficientMemoryException("There is no memory left for content.");
        if (refused != 0) Interlocked.Or(ref s_refusals, refused);
        return memory;
    }

    /// <summary>Zeroes in a way that no compiler leaves out.</summary>
    public static void Zero(byte* memory, nuint bytes)
    {
        if (bytes > 0) NativeMethods.af_pages_zero(memory, (long)bytes);
    }

    /// <summary>Zeroes and gives the pages back. <paramref name="bytes"/> as allocated.</summary>
    public static void Free(byte* memory, nuint bytes)
    {
        if (memory != null) NativeMethods.af_pages_free(memory, (long)bytes);
    }
}

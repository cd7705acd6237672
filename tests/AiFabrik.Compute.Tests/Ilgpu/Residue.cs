using AiFabrik.Compute.Ilgpu;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>Reads device arenas back, for tests that look for what is left in them.</summary>
internal static class Residue
{
    public static unsafe ReadOnlySpan<byte> Bytes(DeviceArena arena)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(checked((int)arena.LengthBytes), pinned: true);
        fixed (byte* to = bytes) arena.Read(0, (nint)to, bytes.Length);
        arena.Stream.Synchronize();
        return bytes;
    }
}

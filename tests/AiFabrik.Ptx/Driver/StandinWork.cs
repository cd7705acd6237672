using System.Diagnostics;

namespace AiFabrik.Ptx;

/// <summary>Something that a stream does when its turn comes. Nothing in it changes once it is made, so that graphs may keep it.</summary>
internal abstract class StandinWork
{
    public abstract CuResult Run(StandinDevice device);

    /// <summary>Whether a node of an executable graph may take this one's place (<c>cuGraphExecUpdate</c>).</summary>
    public virtual bool MayReplace(StandinWork other) => other.GetType() == GetType();
}

/// <summary>A launch with a copy of its parameters.</summary>
internal sealed class KernelWork(StandinFunction function, Dim3 grid, Dim3 block, int sharedBytes, byte[] parameters) : StandinWork
{
    public override CuResult Run(StandinDevice device) => device.Execute(function, grid, block, sharedBytes, parameters);
}

/// <summary>A fill of device memory.</summary>
internal sealed class FillWork(ulong address, byte value, int bytes) : StandinWork
{
    public override CuResult Run(StandinDevice device)
    {
        // Freeing waits for the device, so that the memory is there.
        device.Bytes(address, bytes).Fill(value);
        return CuResult.Success;
    }
}

/// <summary>A copy; either side may be the host's, whose memory is read or written only now.</summary>
internal sealed class CopyWork(ulong target, ulong source, int bytes) : StandinWork
{
    public override CuResult Run(StandinDevice device)
    {
        device.Bytes(source, bytes).CopyTo(device.Bytes(target, bytes));
        return CuResult.Success;
    }
}

/// <summary>A copy from pageable host memory: its bytes are taken when it is asked for.</summary>
internal sealed class StagedCopyWork(ulong target, byte[] bytes) : StandinWork
{
    public override CuResult Run(StandinDevice device)
    {
        bytes.CopyTo(device.Bytes(target, bytes.Length));
        return CuResult.Success;
    }
}

/// <summary>Marks an event as reached.</summary>
internal sealed class EventWork(StandinEvent item) : StandinWork
{
    public override CuResult Run(StandinDevice device)
    {
        item.IsReached = true;
        item.Ticks = Stopwatch.GetTimestamp();
        return CuResult.Success;
    }
}

/// <summary>Waits until another stream has come to an event.</summary>
internal sealed class WaitWork(StandinEvent item) : StandinWork
{
    public override CuResult Run(StandinDevice device) => device.Reach(item);
}

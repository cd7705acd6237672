using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace AiFabrik.Host.Http;

/// <summary>
/// The pool behind every buffer of the transport, of HTTP and of TLS: pinned blocks that are zeroed before they go back.
/// Kestrel's own pool does not clear, and hands requests above its block size to a shared pool; this one serves any size itself.
/// </summary>
internal sealed class WipingMemoryPool : MemoryPool<byte>
{
    /// <summary>Kestrel asks for 4 KiB at most unless a writer wants more.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Blocks kept for reuse; above that they are left to the collector (zeroed). 4,096 blocks are 16 MiB.</summary>
    public const int IdleBlocksMax = 4096;

    private readonly ConcurrentQueue<Block> _idle = new();
    private int _idleCount;
    private long _rented;

    /// <summary>Larger than any request that Kestrel makes, so that nothing falls to a shared pool.</summary>
    public override int MaxBufferSize => 1 << 20;

    /// <summary>Blocks that are out at the moment: back at its start after all connections have closed.</summary>
    public long Rented => Interlocked.Read(ref _rented);

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, MaxBufferSize);
        Interlocked.Increment(ref _rented);
        if (minBufferSize > BlockBytes) return new Block(this, GC.AllocateUninitializedArray<byte>(minBufferSize, pinned: true));
        if (!_idle.TryDequeue(out var block)) return new Block(this, GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true));
        Interlocked.Decrement(ref _idleCount);
        block.Take();
        return block;
    }

    private void Return(Block block, byte[] memory)
    {
        Array.Clear(memory);
        Interlocked.Decrement(ref _rented);
        if (memory.Length != BlockBytes) return;
        if (Interlocked.Increment(ref _idleCount) <= IdleBlocksMax) _idle.Enqueue(block);
        else Interlocked.Decrement(ref _idleCount);
    }

    // The pool lives as long as the server: connections may return blocks after Kestrel has disposed it.
    protected override void Dispose(bool disposing)
    {
    }

    /// <summary>A block and its owner in one object, so that renting one again allocates nothing.</summary>
    private sealed class Block(WipingMemoryPool pool, byte[] memory) : IMemoryOwner<byte>
    {
        private int _isOut = 1;

        public Memory<byte> Memory => Volatile.Read(ref _isOut) == 1 ? memory : throw new ObjectDisposedException(nameof(Block));

        public void Take() => Volatile.Write(ref _isOut, 1);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOut, 0) == 0) throw new InvalidOperationException("a block of the wiping pool was returned twice");
            pool.Return(this, memory);
        }
    }
}

/// <summary>Gives Kestrel's transports the one wiping pool.</summary>
internal sealed class WipingMemoryPoolFactory(WipingMemoryPool pool) : IMemoryPoolFactory<byte>
{
    public MemoryPool<byte> Create(MemoryPoolOptions? options) => pool;
}

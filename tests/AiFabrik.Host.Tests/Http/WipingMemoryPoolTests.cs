using AiFabrik.Host.Http;
using Xunit;

namespace AiFabrik.Host.Tests.Http;

public sealed class WipingMemoryPoolTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(4096)]
    [InlineData(100_000)]
    public void A_block_is_zeroed_when_it_goes_back(int size)
    {
        using var pool = new WipingMemoryPool();
        var block = pool.Rent(size);
        var memory = block.Memory;
        memory.Span.Fill(0xAB);
        Assert.Equal(1, pool.Rented);
        block.Dispose();
        Assert.Equal(0, pool.Rented);
        Assert.Equal(-1, memory.Span.IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void A_block_that_goes_back_twice_is_a_bug()
    {
        using var pool = new WipingMemoryPool();
        var block = pool.Rent();
        block.Dispose();
        Assert.Throws<InvalidOperationException>(block.Dispose);
    }

    [Fact]
    public void Blocks_are_reused()
    {
        using var pool = new WipingMemoryPool();
        Assert.InRange(Allocations.Steady(() => pool.Rent().Dispose()), 0, 128);
    }
}

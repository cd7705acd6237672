using AiFabrik.Compute.Memory;
using Xunit;

namespace AiFabrik.Compute.Tests.Memory;

public sealed unsafe class ContentMemoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(100_000)]
    [InlineData(3 << 20)]
    public void Pages_come_zeroed_and_are_zeroed_on_demand(int bytes)
    {
        var memory = ContentMemory.Allocate((nuint)bytes);
        var span = new Span<byte>(memory, bytes);
        Assert.Equal(-1, span.IndexOfAnyExcept((byte)0));
        span.Fill(0xAB);
        ContentMemory.Zero(memory, (nuint)bytes);
        Assert.Equal(-1, span.IndexOfAnyExcept((byte)0));
        ContentMemory.Free(memory, (nuint)bytes);
    }

    [Fact]
    public void An_arena_on_them_forgets_what_it_held()
    {
        using var arena = new ContentArena(10_000);
        Assert.True(arena.TryAllocate(500, out var offset));
        arena.Bytes(offset, 500).Fill(7);
        arena.Reset();
        Assert.True(arena.TryAllocate(500, out offset));
        Assert.Equal(-1, arena.Bytes(offset, 500).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void Pages_are_kept_out_of_core_dumps_and_forks()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "smaps exists on Linux only");
        var memory = ContentMemory.Allocate(8192);
        var flags = FlagsOf((ulong)memory);
        ContentMemory.Free(memory, 8192);
        if (!ContentMemory.Refusals.HasFlag(ContentMemoryRefusals.NoDump)) Assert.Contains(" dd", flags, StringComparison.Ordinal);
        if (!ContentMemory.Refusals.HasFlag(ContentMemoryRefusals.WipeOnFork)) Assert.Contains(" wf", flags, StringComparison.Ordinal);
        if (!ContentMemory.Refusals.HasFlag(ContentMemoryRefusals.Lock)) Assert.Contains(" lo", flags, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_can_not_be_allocated() => Assert.Throws<ArgumentOutOfRangeException>(() => ContentMemory.Allocate(0));

    private static string FlagsOf(ulong address)
    {
        var inside = false;
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            var dash = line.IndexOf('-', StringComparison.Ordinal);
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (dash > 0 && dash < space && ulong.TryParse(line.AsSpan(0, dash), System.Globalization.NumberStyles.HexNumber, null, out var from)
                && ulong.TryParse(line.AsSpan(dash + 1, space - dash - 1), System.Globalization.NumberStyles.HexNumber, null, out var to))
            {
                inside = address >= from && address < to;
            }
            if (inside && line.StartsWith("VmFlags:", StringComparison.Ordinal)) return line;
        }
        return "";
    }
}

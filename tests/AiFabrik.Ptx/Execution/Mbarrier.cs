namespace AiFabrik.Ptx;

/// <summary>
/// An mbarrier object (PTX ISA, "Parallel Synchronization: mbarrier"): a phase ends when its pending arrivals and its transaction bytes are
/// both zero. Bulk copies that signal it land when somebody waits for it.
/// </summary>
internal sealed class Mbarrier(int expected, int threads)
{
    private int _expected = expected;
    private int _pending = expected;
    private long _bytes;
    private int[] _joined = new int[threads];

    /// <summary>Phases that have completed.</summary>
    public int Phase { get; private set; }
    /// <summary>What is known to those who see the last completed phase.</summary>
    public int[]? Completed { get; private set; }
    public List<BulkCopy> Copies { get; } = [];

    public void Arrive(Warp warp, int lane, int count)
    {
        Block.Release(_joined, warp, 1u << lane);
        _pending -= count;
        TryComplete();
    }

    /// <summary>Lowers the count of the phases to come (<c>arrive_drop</c>).</summary>
    public void Drop(int count) => _expected = Math.Max(_expected - count, 0);

    public void ExpectBytes(long bytes) => _bytes += bytes;

    public void CompleteBytes(Warp warp, int lane, long bytes)
    {
        _joined[warp.FirstThread + lane] = Math.Max(_joined[warp.FirstThread + lane], warp.Time);
        _bytes -= bytes;
        TryComplete();
    }

    private void TryComplete()
    {
        if (_pending > 0 || _bytes != 0 || _expected == 0)
        {
            return;
        }
        Phase++;
        int[] joined = (int[])_joined.Clone();
        if (Completed is not null)
        {
            Block.Join(joined, Completed);
        }
        Completed = joined;
        _pending = _expected;
    }
}

/// <summary>A bulk copy into shared memory that has been issued and not landed.</summary>
internal readonly record struct BulkCopy(Warp Warp, int Lane, int SharedOffset, byte[] Source, int SourceOffset, int Bytes);

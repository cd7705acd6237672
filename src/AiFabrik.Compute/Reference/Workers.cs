namespace AiFabrik.Compute.Reference;

/// <summary>Splits independent pieces of work over some threads.</summary>
internal sealed class Workers(int threads)
{
    public int Threads { get; } = Math.Max(1, threads);

    /// <summary>Calls <paramref name="body"/>(worker, index) for each index below <paramref name="count"/>; no two calls at once have the same worker.</summary>
    public void For(int count, Action<int, int> body)
    {
        var used = Math.Min(Threads, count);
        if (used <= 1)
        {
            for (var i = 0; i < count; i++) body(0, i);
            return;
        }
        var next = -1;
        Parallel.For(0, used, new ParallelOptions { MaxDegreeOfParallelism = used }, worker =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;) body(worker, i);
        });
    }
}

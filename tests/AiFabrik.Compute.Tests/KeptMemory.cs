using System.Collections.Concurrent;

namespace AiFabrik.Compute.Tests;

/// <summary>
/// Random weights, until the process ends. Executors read some of them where they lie for as long as they live, by address, which the collector does not
/// see: a test whose last mention of a program stands before its last step would read what came after it. They are small.
/// </summary>
internal static class KeptMemory
{
    private static readonly ConcurrentBag<Array> s_kept = [];

    public static void Keep(Array pinned) => s_kept.Add(pinned);
}

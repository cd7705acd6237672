namespace AiFabrik;

/// <summary>Managed bytes that a piece of work allocates on this thread once it is warm.</summary>
internal static class Allocations
{
    private const int Rounds = 5;

    /// <summary>
    /// The least of several rounds, the first of which warms up: replacing a method by its optimised code, a first call through a P/Invoke stub
    /// and the like allocate once, on whichever thread comes by, and are not what a steady state costs. What is allocated every time is in every round.
    /// </summary>
    public static long Steady(Action round)
    {
        round();
        var least = long.MaxValue;
        for (var i = 0; i < Rounds && least > 0; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}

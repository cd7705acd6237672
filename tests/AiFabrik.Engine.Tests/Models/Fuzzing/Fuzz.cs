using System.Globalization;
using AiFabrik.Engine.Models;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Fuzzing;

/// <summary>Runs mutated files through a reader: it may refuse, but not throw anything else, nor allocate beyond a bound of the file's size.</summary>
/// <remarks>Runs beyond the default are recorded in benchmarks/results/fuzzing-models.md, with their commands.</remarks>
internal static class Fuzz
{
    /// <summary>Inputs per test where the environment does not say otherwise.</summary>
    private const int DefaultIterations = 2_000;

    /// <summary>Managed bytes that reading may take: indexes and float32 copies are a few times the file, plus the tables that limits bound.</summary>
    public static long AllocationBound(long fileBytes) => 16 * fileBytes + (16 << 20);

    public static int Iterations { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_ITERATIONS"), CultureInfo.InvariantCulture, out var n) ? n : DefaultIterations;

    /// <summary>Seed of the first input; the run continues from it.</summary>
    private static ulong FirstSeed { get; } = ulong.TryParse(Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_SEED"), CultureInfo.InvariantCulture, out var n) ? n : 1;

    /// <param name="read">Mutates by the given seed and reads; returns the file's size.</param>
    public static void Run(int iterations, Func<ulong, long> read)
    {
        using var watchdog = new Watchdog();
        int accepted = 0, refused = 0;
        long allocatedMax = 0;
        for (var i = 0; i < iterations; i++)
        {
            var seed = FirstSeed + (ulong)i;
            watchdog.Begin(seed);
            var before = GC.GetAllocatedBytesForCurrentThread();
            long size = 0;
            try
            {
                size = read(seed);
                accepted++;
            }
            catch (ModelFormatException e)
            {
                refused++;
                if (e.Message.Contains('\n', StringComparison.Ordinal) || e.Message.Length > 2_000) Assert.Fail($"Seed {seed}: the refusal is not one sentence: {e.Message}");
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}: {e}");
            }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            allocatedMax = Math.Max(allocated, allocatedMax);
            if (allocated > AllocationBound(size)) Assert.Fail($"Seed {seed}: {allocated} bytes were allocated for a file of {size}.");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{iterations} inputs: {accepted} accepted, {refused} refused; at most {allocatedMax} bytes allocated.");
        if (iterations >= DefaultIterations) Assert.True(refused > 0, "No input was refused: the mutations do nothing.");
    }

    /// <summary>Ends the process with the seed of an input that hangs: a test's own end would never come.</summary>
    private sealed class Watchdog : IDisposable
    {
        /// <summary>Inputs take milliseconds; no load of the machine makes minutes of them.</summary>
        private const int HangSeconds = 300;

        private readonly Timer _timer;
        private long _started = Environment.TickCount64;
        private ulong _seed;

        public Watchdog() => _timer = new Timer(_ => Look(), null, TimeSpan.FromSeconds(HangSeconds), TimeSpan.FromSeconds(HangSeconds / 4.0));

        public void Begin(ulong seed)
        {
            Volatile.Write(ref _seed, seed);
            Volatile.Write(ref _started, Environment.TickCount64);
        }

        private void Look()
        {
            if (Environment.TickCount64 - Volatile.Read(ref _started) > HangSeconds * 1000L) Environment.FailFast($"Fuzzing: the input of seed {Volatile.Read(ref _seed)} hangs.");
        }

        public void Dispose() => _timer.Dispose();
    }
}

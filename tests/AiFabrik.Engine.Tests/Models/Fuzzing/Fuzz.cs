using System.Globalization;
using AiFabrik.Engine.Models;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Fuzzing;

/// <summary>Runs mutated files through a reader: it may refuse, but not throw anything else, nor allocate beyond a bound of the file's size.</summary>
/// <remarks>
/// The longest run so far (AIFABRIK_FUZZ_ITERATIONS=330000 and 300000, AIFABRIK_FUZZ_SEED=500000): 330,000 GGUF files, 330,000 safetensors files and
/// 300,000 configurations; at most 1.6 MB allocated for one; one exception found and fixed (a mixture of experts that has none, now in HfConfigTests).
/// </remarks>
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
        int accepted = 0, refused = 0;
        long allocatedMax = 0;
        for (var i = 0; i < iterations; i++)
        {
            var seed = FirstSeed + (ulong)i;
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
                if (e.Message.Contains('\n', StringComparison.Ordinal) || e.Message.Length > 2_000) Assert.Fail($"Seed {seed}: the refusal is not one sentence.");
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
}

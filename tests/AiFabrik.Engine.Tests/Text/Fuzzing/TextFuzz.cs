using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Fuzzing;

/// <summary>
/// Runs inputs that are made from a seed each: AIFABRIK_FUZZ_SEED is the first (1), AIFABRIK_FUZZ_ITERATIONS how many.
/// What a run found and what it took stands in benchmarks/results/fuzzing.md.
/// </summary>
internal static class TextFuzz
{
    /// <summary>In a long run, an input that takes this long ends the process and names its seed. Short runs bound work, not time.</summary>
    private const int HangSeconds = 30;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_ITERATIONS") is { Length: > 0 };

    private static ulong FirstSeed { get; } = ulong.TryParse(Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_SEED"), CultureInfo.InvariantCulture, out var n) ? n : 1;

    internal static int Iterations(int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_ITERATIONS"), CultureInfo.InvariantCulture, out var n) ? n : otherwise;

    /// <param name="bytesMax">Managed bytes that an input of so many bytes may take.</param>
    /// <param name="tryInput">Makes an input and tries it. Returns its size, and the refusal if it was not accepted.</param>
    internal static void Run(string what, int iterations, Func<long, long> bytesMax, Func<Random, (long Size, string? Refusal)> tryInput)
    {
        var (accepted, refused, most, started) = (0, 0, 0L, Stopwatch.GetTimestamp());
        var reasons = new Dictionary<string, int>();
        var (seed, since) = (FirstSeed, Stopwatch.GetTimestamp());
        using var watch = IsLong ? new Timer(_ => EndIfHung(what, Volatile.Read(ref seed), Volatile.Read(ref since)), null, 1000, 1000) : null;
        for (var i = 0; i < iterations; i++, Volatile.Write(ref seed, seed + 1))
        {
            Volatile.Write(ref since, Stopwatch.GetTimestamp());
            var before = GC.GetAllocatedBytesForCurrentThread();
            var (size, refusal) = (0L, (string?)null);
            try
            {
                (size, refusal) = tryInput(new Random((int)(seed % int.MaxValue)));
            }
            catch (Exception e)
            {
                Assert.Fail($"{what}, seed {seed}: {e}");
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            most = Math.Max(most, allocated);
            Assert.True(allocated <= bytesMax(size), $"{what}, seed {seed}: {allocated} bytes were allocated for {size}.");
            if (refusal is null) accepted++;
            else refused++;
            if (refusal is not null && (reasons.Count < 10_000 || reasons.ContainsKey(refusal))) reasons[refusal] = reasons.GetValueOrDefault(refusal) + 1;
            Assert.True(refusal is null || IsOneSentence(refusal), $"{what}, seed {seed}: '{refusal}' is not one sentence.");
        }

        var summary = $"{what}: {iterations} inputs from seed {FirstSeed}, {accepted} accepted, {refused} refused, at most {most} bytes allocated, {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s";
        TestContext.Current.TestOutputHelper?.WriteLine(summary);
        foreach (var (reason, count) in reasons.OrderByDescending(r => r.Value).Take(12)) TestContext.Current.TestOutputHelper?.WriteLine($"  {count,7} {reason[..Math.Min(reason.Length, 150)]}");
        if (IsLong) Console.Error.WriteLine(summary);
        Assert.True(iterations < 100 || (accepted > iterations / 50 && refused > iterations / 50), summary);
    }

    private static bool IsOneSentence(string refusal) => refusal.Length is > 10 and < 2000 && refusal[^1] == '.' && !refusal.Contains("Exception", StringComparison.Ordinal);

    private static void EndIfHung(string what, ulong seed, long since)
    {
        if (Stopwatch.GetElapsedTime(since).TotalSeconds > HangSeconds) Environment.FailFast($"{what}, seed {seed}: more than {HangSeconds} s.");
    }
}

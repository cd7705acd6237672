using System.Runtime.InteropServices;
using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests.Golden;

/// <summary>Reads golden cases, or skips the test if a root given by AIFABRIK_GOLDEN lacks them.</summary>
internal static class GoldenFiles
{
    /// <summary>Programs at once: start-up is most of what they do.</summary>
    private const int ProgramsAtOnce = 2;

    public static string Need(params string[] parts)
    {
        var path = Path.Combine([Repository.Golden, .. parts]);
        if (!File.Exists(path)) Assert.Skip($"{path} is not there");
        return path;
    }

    public static JsonElement[] Lines(params string[] parts) =>
        [.. File.ReadLines(Need(parts)).Where(l => l.Length > 0).Select(l => JsonDocument.Parse(l).RootElement)];

    public static JsonElement Object(params string[] parts) => JsonDocument.Parse(File.ReadAllBytes(Need(parts))).RootElement;

    public static int[] Ints(this JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];

    public static float[] Floats(string path) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path)).ToArray();

    /// <summary>Runs something for every case, a few at a time; results in the cases' order.</summary>
    public static async Task<TResult[]> EachAsync<TCase, TResult>(IReadOnlyList<TCase> cases, Func<TCase, Task<TResult>> run)
    {
        var results = new TResult[cases.Count];
        await Parallel.ForAsync(0, cases.Count, new ParallelOptions { MaxDegreeOfParallelism = ProgramsAtOnce }, async (i, _) => results[i] = await run(cases[i]));
        return results;
    }
}

/// <summary>A file that lives as long as a test needs it.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public string Path { get; } = System.IO.Path.GetTempFileName();

    public TemporaryFile()
    {
    }

    public TemporaryFile(string text) => File.WriteAllText(Path, text);

    public void Dispose() => File.Delete(Path);
}

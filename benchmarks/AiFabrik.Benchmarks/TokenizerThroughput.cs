using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text;

namespace AiFabrik.Benchmarks;

/// <summary>
/// Quick figures of tokenizers without BenchmarkDotNet's harness, so that they can be taken in turns with another program's:
/// <c>tokenizer load FILE…</c>, <c>tokenizer linear LINEAR_JSON FILE…</c>, <c>tokenizer kinds PROSE FILE…</c>, <c>tokenizer prose TEXT REPEATS FILE…</c>.
/// A FILE is a tokenizer.json or a GGUF.
/// </summary>
internal static class TokenizerThroughput
{
    private const int LinearRepeats = 3;

    internal static int Run(string[] args)
    {
        switch (args)
        {
            case ["load", .. var files]:
                Load(files);
                return 0;
            case ["linear", var texts, .. var files]:
                foreach (var file in files) Linear(texts, file);
                return 0;
            case ["kinds", var prose, .. var files]:
                TokenizerKinds.Run(prose, files);
                return 0;
            case ["prose", var text, var repeats, .. var files]:
                foreach (var file in files) Prose(text, int.Parse(repeats, CultureInfo.InvariantCulture), file);
                return 0;
            default:
                Console.Error.WriteLine("usage: tokenizer load FILE... | linear LINEAR_JSON FILE... | kinds PROSE FILE... | prose TEXT REPEATS FILE...");
                return 2;
        }
    }

    /// <summary>Each file once: wall time, and processor time of all threads. The first one includes the compiler's warm-up.</summary>
    private static void Load(string[] files)
    {
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(FormattableString.Invariant($"runtime start: {process.TotalProcessorTime.TotalMilliseconds:F0} ms of processor time"));
        foreach (var file in files)
        {
            process.Refresh();
            var (before, started, allocated) = (process.TotalProcessorTime, Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes());
            var tokenizer = Open(file);
            var wall = Stopwatch.GetElapsedTime(started);
            process.Refresh();
            Console.WriteLine(FormattableString.Invariant(
                $"{Name(file),-16} {wall.TotalMilliseconds,6:F0} ms wall, {(process.TotalProcessorTime - before).TotalMilliseconds,6:F0} ms of processor time, {(GC.GetTotalAllocatedBytes() - allocated) >> 20,4} MiB allocated, {tokenizer.VocabSize} ids"));
        }
    }

    /// <summary>Nanoseconds a byte of each golden text of one thing, as a ratio to the sentence among them.</summary>
    private static void Linear(string texts, string file)
    {
        var tokenizer = Open(file);
        using var document = JsonDocument.Parse(File.ReadAllBytes(texts));
        var prose = 0.0;
        var rows = new List<(string Name, double Nanoseconds)>();
        foreach (var row in document.RootElement.EnumerateArray())
        {
            var text = LinearText(row);
            var seconds = Measure(tokenizer, text, LinearRepeats, out _);
            var name = row.GetProperty("name").GetString()!;
            rows.Add((name, seconds * 1e9 / text.Length));
            if (name == "sentence") prose = seconds * 1e9 / text.Length;
        }

        Console.WriteLine(Name(file));
        foreach (var (name, nanoseconds) in rows) Console.WriteLine(FormattableString.Invariant($"  {name,-20} {nanoseconds,8:F1} ns/byte  {nanoseconds / prose,6:F2} x"));
    }

    private static void Prose(string path, int repeats, string file)
    {
        var tokenizer = Open(file);
        var text = File.ReadAllBytes(path);
        var seconds = Measure(tokenizer, text, repeats, out var count);
        Console.WriteLine(FormattableString.Invariant($"{Name(file)}: {text.Length} bytes, {count} tokens, {text.Length / seconds / 1e6:F2} MB/s, {count / seconds:F0} tok/s"));
    }

    /// <summary>The median of some runs after the code is warm.</summary>
    private static double Measure(Tokenizer tokenizer, byte[] text, int repeats, out int count)
    {
        using var scratch = new TokenizerScratch();
        var ids = new int[(text.Length * 2) + 16];
        var warm = Stopwatch.StartNew();
        do tokenizer.TryEncode(text, scratch, ids, out count);
        while (warm.ElapsedMilliseconds < 400);
        var seconds = new double[repeats];
        for (var r = 0; r < repeats; r++)
        {
            var started = Stopwatch.GetTimestamp();
            tokenizer.TryEncode(text, scratch, ids, out count);
            seconds[r] = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        Array.Sort(seconds);
        return seconds[repeats / 2];
    }

    internal static Tokenizer Open(string file)
    {
        Tokenizer? tokenizer = null;
        string? error;
        if (file.EndsWith(".json", StringComparison.Ordinal))
        {
            var config = Path.Combine(Path.GetDirectoryName(file)!, "tokenizer_config.json");
            Tokenizer.TryLoadJson(File.ReadAllBytes(file), File.Exists(config) ? File.ReadAllBytes(config) : [], out tokenizer, out error);
        }
        else if (GgufFile.TryOpen(file, out var gguf, out error))
        {
            using (gguf) Tokenizer.TryLoadGguf(gguf.Metadata, out tokenizer, out error);
        }

        return tokenizer ?? throw new InvalidDataException(error);
    }

    private static string Name(string file) => file.EndsWith(".json", StringComparison.Ordinal) ? Path.GetFileName(Path.GetDirectoryName(file)!) : Path.GetFileName(file);

    internal static byte[] LinearText(JsonElement row)
    {
        if (row.TryGetProperty("repeat", out var repeat))
        {
            var unit = repeat[0].GetString()!;
            return Encoding.UTF8.GetBytes(new StringBuilder().Insert(0, unit, repeat[1].GetInt32()).ToString());
        }

        var text = new byte[row.GetProperty("letters").GetProperty("count").GetInt32()];
        var x = row.GetProperty("letters").GetProperty("seed").GetUInt32();
        for (var i = 0; i < text.Length; i++)
        {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            text[i] = (byte)('a' + (x % 26));
        }

        return text;
    }
}

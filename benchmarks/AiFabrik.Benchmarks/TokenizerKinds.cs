using System.Globalization;
using System.Text;
using AiFabrik.Engine.Text;

namespace AiFabrik.Benchmarks;

/// <summary>
/// <c>tokenizer kinds PROSE FILE…</c>: what a byte of a megabyte of one thing costs, as a ratio to prose, and what four
/// megabytes cost in time and memory as a ratio to one. Processor time, as other work on the machine doesn't count then.
/// </summary>
internal static class TokenizerKinds
{
    private const int Megabyte = 1 << 20, Rounds = 3;
    private const double SecondsLeast = 0.1;

    internal static void Run(string prosePath, string[] files)
    {
        var texts = Texts(File.ReadAllBytes(prosePath));
        var table = new List<string>[texts.Count];
        for (var t = 0; t < texts.Count; t++) table[t] = [texts[t].Name];
        foreach (var file in files)
        {
            var tokenizer = TokenizerThroughput.Open(file);
            var prose = 0.0;
            for (var t = 0; t < texts.Count; t++)
            {
                var (one, oneBytes) = Measure(tokenizer, Repeat(texts[t].Text, Megabyte));
                var (four, fourBytes) = Measure(tokenizer, Repeat(texts[t].Text, 4 * Megabyte));
                if (t == 0) prose = one;
                var cost = t == 0 ? FormattableString.Invariant($"{one * 1e9 / Megabyte:F1} ns") : FormattableString.Invariant($"{one / prose:F2}");
                table[t].Add(FormattableString.Invariant($"{cost} ({four / one:F1}, {(double)fourBytes / oneBytes:F1})"));
            }
        }

        Console.WriteLine("| a megabyte of | " + string.Join(" | ", files.Select(f => Path.GetFileName(Path.GetDirectoryName(f)))) + " |");
        Console.WriteLine("|---|" + string.Concat(files.Select(_ => "---|")));
        foreach (var row in table) Console.WriteLine("| " + string.Join(" | ", row) + " |");
    }

    /// <summary>Seconds for the text (the least of some rounds, as a round pays for what shares the processor's caches), and bytes of scratch.</summary>
    private static (double Seconds, long Bytes) Measure(Tokenizer tokenizer, byte[] text)
    {
        using var scratch = new TokenizerScratch();
        var ids = new int[(text.Length * 3) + 64];
        var before = GC.GetAllocatedBytesForCurrentThread();
        tokenizer.TryEncode(text, scratch, ids, out _);
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        tokenizer.TryEncode(text, scratch, ids, out _);
        var least = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var (n, started, spent) = (0, Environment.CpuUsage.TotalTime, 0.0);
            while (spent < SecondsLeast)
            {
                tokenizer.TryEncode(text, scratch, ids, out _);
                n++;
                spent = (Environment.CpuUsage.TotalTime - started).TotalSeconds;
            }

            least = Math.Min(least, spent / n);
        }

        return (least, bytes);
    }

    /// <summary>Prose first.</summary>
    private static List<(string Name, byte[] Text)> Texts(byte[] prose)
    {
        var random = new Random(1);
        string Many(int count, Func<string> next) => string.Concat(Enumerable.Range(0, count).Select(_ => next()));
        string Letter() => ((char)random.Next('a', 'z' + 1)).ToString();
        string Emoji() => char.ConvertFromUtf32(random.Next(0x1F300, 0x1F650));
        List<(string Name, string Text)> texts =
        [
            ("letter a", "a"), ("letter e", "e"), ("letter Z", "Z"), ("letter é", "é"), ("spaces", " "), ("line feeds", "\n"), ("CR LF", "\r\n"), ("tabs", "\t"), ("space, line feed", " \n"),
            ("one emoji", "\U0001F600"), ("emoji", Many(40_000, Emoji)), ("one digit", "7"), ("digits", Many(200_000, () => random.Next(10).ToString(CultureInfo.InvariantCulture))),
            ("one Han", "中"), ("Han", Many(60_000, () => ((char)random.Next(0x4E00, 0x6000)).ToString())), ("combining marks", Many(60_000, () => ((char)random.Next(0x300, 0x340)).ToString())),
            ("a b a b", "a b "), ("random letters", Many(200_000, Letter)), ("words of 1000 letters", Many(200, () => Many(1000, Letter) + " ")), ("one mark", "!"), ("marks", Many(200_000, () => ((char)random.Next('!', '0')).ToString())),
        ];
        var bytes = new byte[200_000];
        random.NextBytes(bytes);
        return [("prose", prose), .. texts.Select(t => (t.Name, Encoding.UTF8.GetBytes(t.Text))), ("random bytes", bytes)];
    }

    private static byte[] Repeat(byte[] unit, int size)
    {
        var text = new byte[size];
        for (var at = 0; at < size; at += unit.Length) unit.AsSpan(0, Math.Min(unit.Length, size - at)).CopyTo(text.AsSpan(at));
        return text;
    }
}

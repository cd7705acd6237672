using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Tests.Text.Tokenization;
using AiFabrik.Engine.Text;
using AiFabrik.Engine.Text.Tokenization.Regex;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Fuzzing;

/// <summary>tokenizer.json files and pre-tokenizer expressions that nobody wrote: they load and work within their bounds, or are refused with a sentence.</summary>
public sealed class TokenizerFuzzTests
{
    private const int DefaultIterations = 150;

    /// <summary>Work for each byte of text (and for each instruction of an expression, as what failed is remembered for each).</summary>
    private const long MergeWorkPerByte = 400, RegexWorkPerByte = 64;

    private static readonly string[] Parts =
    [
        "a", "b", "c", "ab", "abc", " ", "  ", "\n", "\r\n", "\t", "1", "23", "The ", "'s", "'LL", ".", "!!", "é", "e\u0301", "中", "\U0001F600", "▁", "Ġ", "<s>", "</s>", "<|end|>", "ſ", "\u00A0", "\0", "ß", "X",
    ];

    /// <summary>Lists of the file, tables of 65,536 characters, and what expressions of the file compile to.</summary>
    private static long BytesMax(long fileBytes) => (64 << 20) + (64 * fileBytes);

    [Fact]
    public void Mutated_tokenizer_files_load_or_are_refused_with_a_sentence()
    {
        var seeds = TokenizerSeeds();
        TextFuzz.Run("tokenizer.json", TextFuzz.Iterations(DefaultIterations), BytesMax, random =>
        {
            var file = JsonTreeMutator.Mutate(random, seeds[random.Next(seeds.Count)], seeds[random.Next(seeds.Count)]);
            if (!Tokenizer.TryLoadJson(file, default, out var tokenizer, out var error)) return (file.Length, error);
            using var scratch = new TokenizerScratch();
            Use(tokenizer, scratch, Text(random, 40));
            Use(tokenizer, scratch, Encoding.UTF8.GetBytes(new StringBuilder().Insert(0, Parts[random.Next(Parts.Length)], random.Next(1, 400)).ToString()));
            return (file.Length, null);
        });
    }

    [Fact]
    public void Mutated_expressions_match_within_bounds_or_are_refused_with_a_sentence()
    {
        var seeds = RegexSeeds();
        TextFuzz.Run("expressions", TextFuzz.Iterations(DefaultIterations), patternBytes => (64 << 20) + (patternBytes << 20), random =>
        {
            var pattern = RegexMutator.Mutate(random, seeds[random.Next(seeds.Count)], seeds[random.Next(seeds.Count)]);
            if (!RegexProgram.TryCompile(pattern, out var program, out var error)) return (pattern.Length, error);
            Match(pattern, program, Text(random, 60));
            Match(pattern, program, Encoding.UTF8.GetBytes(new StringBuilder().Insert(0, Parts[random.Next(Parts.Length)], random.Next(1, 300)).Append(Parts[random.Next(Parts.Length)]).ToString()));
            return (pattern.Length, null);
        });
    }

    private static void Use(Tokenizer tokenizer, TokenizerScratch scratch, byte[] text)
    {
        var ids = new int[text.Length + 16];
        var before = scratch.Bpe.Work;
        if (!tokenizer.TryEncodeTrusted(text, true, scratch, ids, out var count))
        {
            Assert.True(count > ids.Length);
            // A normalizer may lengthen a text without end; that many ids are counted, not stored.
            if (count > 1 << 20) return;
            ids = new int[count];
            Assert.True(tokenizer.TryEncodeTrusted(text, true, scratch, ids, out count));
        }

        Assert.InRange(scratch.Bpe.Work - before, 0, MergeWorkPerByte * (scratch.Text.Length + scratch.Normalized.Length + scratch.Other.Length + 64) * 2);
        Assert.All(ids[..count], id => Assert.InRange(id, 0, tokenizer.VocabSize - 1));
        var decoder = tokenizer.CreateDecoder();
        var output = new byte[decoder.BytesPerCallMax];
        foreach (var id in ids.AsSpan(0, count))
        {
            Assert.True(decoder.TryAppend(id, output, out var written));
            Assert.True(System.Text.Unicode.Utf8.IsValid(output.AsSpan(0, written)));
        }

        Assert.True(decoder.TryFlush(output, out _));
    }

    private static void Match(string pattern, RegexProgram program, byte[] text)
    {
        var scratch = new RegexScratch();
        scratch.Begin(program, text.Length);
        for (var from = 0; from <= text.Length && RegexMatcher.TryFind(program, scratch, text, from, out var start, out var end);)
        {
            Assert.True(start >= from && end >= start && end <= text.Length);
            Assert.True(end == text.Length || (text[end] & 0xC0) != 0x80);
            from = end > start ? end : start < text.Length ? start + Math.Max(1, CharacterLength(text[start])) : start + 1;
        }

        var repeats = program.Code.Sum(i => (long)Math.Max(1, Math.Max(i.Min, i.Max)));
        Assert.True(scratch.Work <= RegexWorkPerByte * repeats * (text.Length + 16), $"{pattern} on {Convert.ToHexString(text)}: {scratch.Work} of work, {repeats} repeats");
    }

    private static int CharacterLength(byte lead) => lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    private static byte[] Text(Random random, int partsMax)
    {
        var text = new List<byte>();
        for (var n = random.Next(1, partsMax); n > 0; n--) text.AddRange(Encoding.UTF8.GetBytes(Parts[random.Next(Parts.Length)]));
        return [.. text];
    }

    private static List<string> TokenizerSeeds()
    {
        var seeds = Directory.GetFiles(Path.Combine(TokenizerCases.Folder, "facets"), "base-*.json").Select(File.ReadAllText).ToList();
        foreach (var list in Directory.GetFiles(Path.Combine(TokenizerCases.Folder, "facets"), "*.jsonl"))
            seeds.AddRange(TokenizerCases.Rows(list).Where(r => r.TryGetProperty("case", out _)).Select(r => Encoding.UTF8.GetString(TokenizerCases.Patched(r))));
        foreach (var file in Directory.GetFiles(Path.Combine(TokenizerCases.Folder, "small"), "tokenizer.json", SearchOption.AllDirectories)) seeds.Add(Smaller(File.ReadAllText(file)));
        return seeds;
    }

    /// <summary>The file with the first merges only, so that an input takes no longer than it must.</summary>
    private static string Smaller(string file)
    {
        var root = System.Text.Json.Nodes.JsonNode.Parse(file)!;
        if (root["model"]?["merges"] is System.Text.Json.Nodes.JsonArray merges)
        {
            while (merges.Count > 60) merges.RemoveAt(merges.Count - 1);
        }

        return root.ToJsonString();
    }

    private static List<string> RegexSeeds()
    {
        var found = new HashSet<string>();
        foreach (var file in TokenizerSeeds()) Collect(JsonDocument.Parse(file).RootElement, found);
        return [.. found];
    }

    private static void Collect(JsonElement e, HashSet<string> to)
    {
        if (e.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in e.EnumerateArray()) Collect(item, to);
        }
        else if (e.ValueKind == JsonValueKind.Object)
        {
            foreach (var field in e.EnumerateObject())
            {
                if (field.Name == "Regex" && field.Value.ValueKind == JsonValueKind.String) to.Add(field.Value.GetString()!);
                else if (field.Name != "vocab") Collect(field.Value, to);
            }
        }
    }
}

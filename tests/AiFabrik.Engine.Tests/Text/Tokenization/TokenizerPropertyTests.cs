using System.Text;
using System.Text.Json.Nodes;
using AiFabrik.Engine.Text;
using AiFabrik.Engine.Text.Tokenization.Regex;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Tokenization;

/// <summary>What holds for every text: round trip, borders of plain runs, trust, memory, and hostile files.</summary>
public sealed class TokenizerPropertyTests
{
    private const int FuzzIterationsDefault = 150;

    private static int FuzzIterations => int.TryParse(Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_ITERATIONS"), out var n) ? n : FuzzIterationsDefault;

    private static string SmallFolder(string name) => Path.Combine(TokenizerCases.Folder, "small", name);

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama3")]
    [InlineData("deepseek-v3")]
    [InlineData("falcon")]
    [InlineData("spm-prefix")]
    public void Text_comes_back_as_it_was(string name)
    {
        var tokenizer = TokenizerCases.LoadJson(SmallFolder(name));
        foreach (var text in TokenizerCases.AllTexts().Concat(RandomTexts(200)))
        {
            if (!System.Text.Unicode.Utf8.IsValid(text) || (name == "spm-prefix" && text.AsSpan().IndexOf("▁"u8) >= 0)) continue;
            Assert.Equal(text, TokenizerCases.Decode(tokenizer, TokenizerCases.Encode(tokenizer, text)));
            Assert.Equal(text, TokenizerCases.Decode(tokenizer, TokenizerCases.Encode(tokenizer, text), raw: true));
        }
    }

    [Fact]
    public void Borders_of_plain_runs_do_not_matter()
    {
        var random = new Random(7);
        foreach (var name in new[] { "qwen2", "spm-user", "deepseek-v3" })
        {
            var tokenizer = TokenizerCases.LoadJson(SmallFolder(name));
            using var scratch = new TokenizerScratch();
            foreach (var text in TokenizerCases.AllTexts().Where(t => t.Length is > 1 and < 2000).Concat(RandomTexts(100)))
            {
                var whole = TokenizerCases.Encode(tokenizer, text);
                var cut = random.Next(text.Length + 1);
                var ids = new int[text.Length * 2 + 16];
                Assert.True(tokenizer.TryEncode(text, [new(cut, false), new(text.Length - cut, false)], tokenizer.ControlFor(default), scratch, ids, out var count));
                Assert.Equal(whole, ids[..count]);
                // Trust changes nothing where the text spells no control token.
                if (text.AsSpan().Contains((byte)'<')) continue;
                Assert.True(tokenizer.TryEncode(text, [new(cut, true), new(text.Length - cut, false)], tokenizer.ControlFor(default), scratch, ids, out count));
                Assert.Equal(whole, ids[..count]);
            }
        }
    }

    [Fact]
    public void Control_tokens_count_in_trusted_text_only()
    {
        var tokenizer = TokenizerCases.LoadJson(SmallFolder("qwen2"));
        using var scratch = new TokenizerScratch();
        var ids = new int[200];
        var (end, think) = (TokenizerCases.Encode(tokenizer, "<|end|>"u8, control: true)[0], TokenizerCases.Encode(tokenizer, "<think>"u8)[0]);
        var withThink = tokenizer.ControlFor("{{ '<think>' }}"u8);
        Assert.True(withThink.Contains(think) && withThink.Contains(end) && !tokenizer.ControlFor("x"u8).Contains(think));

        // Text of a request right before a control token of the template can't hide or make one.
        foreach (var (before, trusted, after) in new[] { ("<|end|>x<", "<|end|>", "<|end|>"), ("<|end", "|><|end|>", "|>"), ("", "<|end|>", "<think>") })
        {
            var text = Encoding.UTF8.GetBytes(before + trusted + after);
            Assert.True(tokenizer.TryEncode(text, [new(before.Length, false), new(trusted.Length, true), new(after.Length, false)], withThink, scratch, ids, out var count));
            Assert.Single(ids[..count], id => id == end || id == think);
            Assert.Equal(text, TokenizerCases.Decode(tokenizer, ids[..count]));
        }
    }

    [Fact]
    public void A_warm_tokenizer_allocates_nothing()
    {
        foreach (var name in new[] { "smollm", "qwen2", "falcon", "spm-user", "spm-prefix-metaspace-split" })
        {
            var tokenizer = TokenizerCases.LoadJson(SmallFolder(name));
            using var scratch = new TokenizerScratch();
            var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("The ferry left at 6:15 <think> e\u0301\u0327 中国 😀 \u00FC\n\n  'tis <|end|> done. ", 30)) + new string('a', 5000));
            var ids = new int[text.Length * 2];
            var output = new byte[4096];
            var decoder = tokenizer.CreateDecoder();
            TextRun[] runs = [new(100, true), new(text.Length - 100, false)];
            var control = tokenizer.ControlFor(default);
            Assert.Equal(0, Allocations.Steady(() =>
            {
                Assert.True(tokenizer.TryEncode(text, scratch, ids, out _));
                Assert.True(tokenizer.TryEncode(text, runs, control, scratch, ids, out var count));
                decoder.Reset();
                for (var i = 0; i < count; i++) decoder.TryAppend(ids[i], output, out _);
                decoder.TryFlush(output, out _);
                scratch.Clear();
            }));
        }
    }

    [Fact]
    public void Ids_that_do_not_fit_are_counted()
    {
        var tokenizer = TokenizerCases.LoadJson(SmallFolder("smollm"));
        using var scratch = new TokenizerScratch();
        var wanted = TokenizerCases.Encode(tokenizer, "The ferry left the harbour"u8);
        Assert.False(tokenizer.TryEncode("The ferry left the harbour"u8, scratch, new int[3], out var count));
        Assert.Equal(wanted.Length, count);
    }

    /// <summary>Found by fuzzing, seed 51547: the byte reached the table of byte-level characters as if it were one.</summary>
    /// <summary>Tables are as long as the highest id: two tokens could else ask for 150 MB.</summary>
    [Theory]
    [InlineData(65_567, true)]
    [InlineData(65_568, false)]
    [InlineData(4_194_303, false)]
    public void Ids_far_beyond_the_number_of_tokens_are_refused(int highest, bool loads)
    {
        var file = Encoding.UTF8.GetBytes($$$"""{"model":{"type":"BPE","vocab":{"a":0,"b":{{{highest}}}},"merges":[]}}""");
        Assert.Equal(loads, Tokenizer.TryLoadJson(file, default, out _, out var error));
        if (!loads) Assert.Equal($"The tokenizer's vocabulary has 2 tokens but ids up to {highest}: for so few, ids must be below 65568.", error);
    }

    [Fact]
    public void A_byte_token_before_a_ByteLevel_decoder_stays_a_byte()
    {
        var root = JsonNode.Parse(File.ReadAllBytes(Path.Combine(TokenizerCases.Folder, "facets", "base-byte.json")))!;
        root["decoder"] = JsonNode.Parse("""{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"ByteLevel"}]}""");
        root["model"]!["vocab"]!["<0xE2>"] = 4000;
        var tokenizer = TokenizerCases.Load(Encoding.UTF8.GetBytes(root.ToJsonString()));
        Assert.Equal([0xE2], tokenizer.TokenBytes(4000).ToArray());
    }

    /// <summary>Counted, not timed: symbols and ranks looked at when merging, instructions and bytes of expressions.</summary>
    [Theory]
    [InlineData("smollm")]
    [InlineData("llama3")]
    [InlineData("gpt4o")]
    [InlineData("deepseek-v3")]
    [InlineData("spm-prefix")]
    [InlineData("spm-prefix-metaspace-split")]
    public void Work_is_linear_in_the_text(string name)
    {
        var tokenizer = TokenizerCases.LoadJson(SmallFolder(name));
        var random = new Random(1);
        var letters = string.Concat(Enumerable.Range(0, 40_000).Select(_ => (char)random.Next('a', 'z' + 1)));
        foreach (var unit in new[] { "a", "e", " ", "\n", "\r\n", "\t", " \n", "😀", "7", "中", "a\u0301", "a b ", "!", letters, letters[..1000] + " " })
        {
            var (small, large) = (Work(tokenizer, unit, 1 << 16), Work(tokenizer, unit, 1 << 18));
            Assert.True(large <= 4.4 * small && large <= 100L << 18, $"{unit[..1]} (U+{(int)unit[0]:X4}): {small} of work for 64 KiB, {large} for 256 KiB");
        }
    }

    private static long Work(Tokenizer tokenizer, string unit, int bytes)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(unit, bytes / Encoding.UTF8.GetByteCount(unit) + 1)))[..bytes];
        using var scratch = new TokenizerScratch();
        tokenizer.TryEncode(text, scratch, new int[bytes * 3], out _);
        return scratch.Bpe.Work + Enumerable.Range(0, 4).Sum(level => scratch.Step(level).Regex.Work) + scratch.NormalizerRegex.Work;
    }

    [Fact]
    public void Hostile_expressions_are_refused_or_linear()
    {
        foreach (var pattern in new[] { "(a+)+b", "(a|a)*b", "(?:a|aa)+b", "a*a*a*a*b", "(?:a?){30}a{30}", "(x+x+)+y", "[ab]*a[ab]{200}b", "\\s+$", "(?=a*b)", "a+?b", "(?>a+)b", "(?:ab*)*c", "(?:a|b)+c", "(?:a|b)+[^\\s\\p{L}\\p{N}]?c", "(?:a|b){0,200}c" })
        {
            if (!RegexProgram.TryCompile(pattern, out var program, out var error))
            {
                Assert.EndsWith(".", error);
                continue;
            }

            foreach (var unit in new[] { "a", " ", "x", "ab" })
            {
                var text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(unit, 20_000)) + "!");
                var scratch = new RegexScratch();
                scratch.Begin(program, text.Length);
                for (var from = 0; from <= text.Length && RegexMatcher.TryFind(program, scratch, text, from, out var start, out var end);) from = Math.Max(end, start + 1);
                Assert.True(scratch.Work <= 600L * text.Length, $"{pattern} on {unit}: {scratch.Work} of work for {text.Length} bytes");
            }
        }
    }

    [Fact]
    public void Random_expressions_agree_with_a_plain_search_of_their_alternatives()
    {
        var random = new Random(3);
        for (var i = 0; i < FuzzIterations * 4; i++)
        {
            var pattern = string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => RandomPart(random)));
            if (!RegexProgram.TryCompile(pattern, out var program, out _)) continue;
            var other = new System.Text.RegularExpressions.Regex(pattern, System.Text.RegularExpressions.RegexOptions.CultureInvariant | System.Text.RegularExpressions.RegexOptions.Multiline, TimeSpan.FromSeconds(20));
            var text = string.Concat(Enumerable.Range(0, random.Next(0, 24)).Select(_ => "abc \nx"[random.Next(6)]));
            var utf8 = Encoding.ASCII.GetBytes(text);
            var scratch = new RegexScratch();
            scratch.Begin(program, utf8.Length);
            var match = other.Match(text);
            var found = RegexMatcher.TryFind(program, scratch, utf8, 0, out var start, out var end);
            Assert.True(found == match.Success && (!found || (start == match.Index && end == match.Index + match.Length)), $"{pattern} on {text}");
        }
    }

    private static string RandomPart(Random random) => random.Next(12) switch
    {
        0 => "(?:" + RandomPart(random) + "|" + RandomPart(random) + ")",
        1 => "(?:" + RandomPart(random) + RandomPart(random) + ")" + "*+?"[random.Next(3)],
        2 => "[ab]+",
        3 => "[^a]*",
        4 => "\\s+(?!\\S)",
        5 => "b{1,2}",
        6 => "a*?",
        7 => "(?=b)",
        8 => "(?>a+)",
        _ => "abc x"[random.Next(5)].ToString(),
    };

    private static IEnumerable<byte[]> RandomTexts(int count)
    {
        var random = new Random(11);
        string[] parts = ["a", "the ", " ", "\n", "é", "中", "😀", "1", "12", ".", "'s", "\u0301", "▁"[..0], "\r\n", "<", "Z", "\t"];
        for (var i = 0; i < count; i++) yield return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(_ => parts[random.Next(parts.Length)])));
    }
}

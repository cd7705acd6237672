using System.Diagnostics;
using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Tokenization;

/// <summary>Every golden case of tokenizers: ids and texts that the reference libraries give.</summary>
public sealed class TokenizerGoldenTests(ITestOutputHelper output)
{
    public static TheoryData<string, string> Small()
    {
        var data = new TheoryData<string, string>();
        foreach (var folder in Directory.GetDirectories(Path.Combine(TokenizerCases.Folder, "small")).Order())
        {
            foreach (var (form, file) in new[] { ("json", "tokenizer.json"), ("gguf", "vocab.gguf") })
            {
                if (File.Exists(Path.Combine(folder, file))) data.Add(Path.GetFileName(folder), form);
            }
        }

        return data;
    }

    public static TheoryData<string> Facets() => [.. Directory.GetFiles(Path.Combine(TokenizerCases.Folder, "facets"), "*.jsonl").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    public static TheoryData<string> Real() => [.. Directory.GetFiles(TokenizerCases.Folder, "*.jsonl").Select(f => Path.GetFileNameWithoutExtension(f)).Where(n => n != "texts").Order()];

    [Theory]
    [MemberData(nameof(Small))]
    public void Small_tokenizers_give_the_references_ids_and_texts(string name, string form)
    {
        var folder = Path.Combine(TokenizerCases.Folder, "small", name);
        var tokenizer = form == "json" ? TokenizerCases.LoadJson(folder) : TokenizerCases.LoadGguf(Path.Combine(folder, "vocab.gguf"));
        var rows = TokenizerCases.Rows(Path.Combine(folder, "cases.jsonl")).Where(r => !r.TryGetProperty("form", out var f) || f.GetString() == form);
        AssertAll(tokenizer, rows, 30);
    }

    [Theory]
    [MemberData(nameof(Facets))]
    public void Facets_load_and_agree_or_are_refused_where_they_may_be(string group)
    {
        Tokenizer? tokenizer = null;
        var name = "";
        var wrong = new List<string>();
        var (checkedRows, refused) = (0, 0);
        foreach (var row in TokenizerCases.Rows(Path.Combine(TokenizerCases.Folder, "facets", group + ".jsonl")))
        {
            if (row.TryGetProperty("case", out var title))
            {
                name = title.GetString()!;
                if (Tokenizer.TryLoadJson(TokenizerCases.Patched(row), default, out tokenizer, out var error)) continue;
                refused++;
                output.WriteLine($"{name}: {error}");
                if (!TokenizerCases.Flag(row, "may_refuse")) wrong.Add($"{name} is refused: {error}");
                Assert.EndsWith(".", error);
            }
            else if (tokenizer is not null)
            {
                checkedRows++;
                if (TokenizerCases.Check(tokenizer, row) is { } what) wrong.Add($"{name}: {what}");
            }
        }

        output.WriteLine($"{checkedRows} rows, {refused} cases refused");
        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong:\n{string.Join('\n', wrong.Take(25))}");
        Assert.True(checkedRows > 0);
    }

    [Theory]
    [MemberData(nameof(Real))]
    public void Real_tokenizers_give_the_references_ids_and_texts(string name)
    {
        if (TokenizerCases.RealFolder is not { } real)
        {
            output.WriteLine(Skipped);
            Assert.Skip(Skipped);
            return;
        }

        var clock = Stopwatch.StartNew();
        var tokenizer = TokenizerCases.LoadJson(Path.Combine(real, name));
        output.WriteLine($"{name} loaded in {clock.ElapsedMilliseconds} ms");
        AssertAll(tokenizer, TokenizerCases.Rows(Path.Combine(TokenizerCases.Folder, name + ".jsonl")), 400);
    }

    [Fact]
    public void Megabytes_of_one_thing_give_the_references_ids()
    {
        var loaded = new Dictionary<string, Tokenizer>();
        var wrong = new List<string>();
        var clock = new Stopwatch();
        foreach (var row in JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TokenizerCases.Folder, "linear.json"))).RootElement.EnumerateArray())
        {
            var text = LinearText(row);
            Assert.Equal(row.GetProperty("bytes").GetInt32(), text.Length);
            foreach (var result in row.GetProperty("results").EnumerateObject())
            {
                var isSmall = result.Name.StartsWith("small/", StringComparison.Ordinal);
                if (!isSmall && TokenizerCases.RealFolder is null) continue;
                foreach (var form in isSmall ? new[] { "json", "gguf" } : ["json"])
                {
                    var folder = Path.Combine(isSmall ? TokenizerCases.Folder : TokenizerCases.RealFolder!, result.Name);
                    if (form == "gguf" && !File.Exists(Path.Combine(folder, "vocab.gguf"))) continue;
                    if (!loaded.TryGetValue(result.Name + form, out var tokenizer))
                        loaded.Add(result.Name + form, tokenizer = form == "json" ? TokenizerCases.LoadJson(folder) : TokenizerCases.LoadGguf(Path.Combine(folder, "vocab.gguf")));
                    clock.Restart();
                    var ids = TokenizerCases.Encode(tokenizer, text);
                    if (clock.ElapsedMilliseconds > 250) output.WriteLine($"{row.GetProperty("name").GetString()} {result.Name} {form}: {clock.ElapsedMilliseconds} ms");
                    if (ids.Length != result.Value.GetProperty("n").GetInt32() || TokenizerCases.Sha256(ids) != result.Value.GetProperty("sha256").GetString())
                        wrong.Add($"{row.GetProperty("name").GetString()} {result.Name} {form}: {ids.Length} ids, starting {string.Join(',', ids.Take(12))}");
                }
            }
        }

        if (TokenizerCases.RealFolder is null) output.WriteLine(Skipped);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void The_default_model_gives_the_references_ids_and_bytes()
    {
        var model = Path.Combine(TokenizerCases.TestsFolder(), "..", "models", "SmolLM2-135M-Instruct-Q4_1-00001-of-00003.gguf");
        var tokenizer = TokenizerCases.LoadGguf(model);
        AssertAll(tokenizer, TokenizerCases.Rows(Path.Combine(TokenizerCases.Golden, "smollm2", "tokens.jsonl")), 10);
        foreach (var row in TokenizerCases.Rows(Path.Combine(TokenizerCases.Golden, "smollm2", "detokenize.jsonl")))
        {
            var bytes = TokenizerCases.Decode(tokenizer, TokenizerCases.Ints(row.GetProperty("ids")), raw: true);
            Assert.Equal(row.GetProperty("bytes_hex").GetString(), Convert.ToHexStringLower(bytes));
        }
    }

    private const string Skipped = "Skipped: the real tokenizers are not there (tests/.cache/tokenizers; AIFABRIK_TOKENIZERS names another folder).";

    private static void AssertAll(Tokenizer tokenizer, IEnumerable<JsonElement> rows, int least)
    {
        var wrong = new List<string>();
        var count = 0;
        foreach (var row in rows)
        {
            count++;
            if (TokenizerCases.Check(tokenizer, row) is { } what) wrong.Add(what);
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count} rows are wrong:\n{string.Join('\n', wrong.Take(12))}");
        Assert.True(count >= least);
    }

    private static byte[] LinearText(JsonElement row)
    {
        if (row.TryGetProperty("repeat", out var repeat))
            return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(repeat[0].GetString(), repeat[1].GetInt32())));
        var letters = row.GetProperty("letters");
        var text = new byte[letters.GetProperty("count").GetInt32()];
        var x = letters.GetProperty("seed").GetUInt32();
        for (var i = 0; i < text.Length; i++)
        {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            text[i] = (byte)('a' + x % 26);
        }

        return text;
    }
}

using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests.Golden;

/// <summary>Chat templates through the command line: a sample, as every case is a program of its own (the engine's tests run all of them).</summary>
public sealed class TemplateTests
{
    private const int RenderedSample = 24;
    private const int RefusedSample = 10;
    private const int HostileSample = 6;

    private static IEnumerable<JsonElement> Sample(IEnumerable<JsonElement> cases, int count)
    {
        var all = cases.ToArray();
        return all.Where((_, i) => i % Math.Max(1, all.Length / count) == 0);
    }

    private static async Task<CommandResult> RenderAsync(JsonElement c)
    {
        using var request = new TemporaryFile(c.GetProperty("request").GetRawText());
        using var template = new TemporaryFile(c.GetProperty("template").GetString()!);
        List<string> arguments = ["model", "render", "--template", template.Path, "--request", request.Path, "--now", c.GetProperty("now").GetString()!];
        foreach (var name in (string[])["bos", "eos"])
            if (c.GetProperty(name).GetString() is { } text) arguments.AddRange([$"--{name}", text]);
        return await CommandLine.RunAsync([.. arguments]);
    }

    [Fact]
    public async Task Renders()
    {
        var cases = Sample(GoldenFiles.Object("jinja.json").GetProperty("cases").EnumerateArray().Where(c => c.TryGetProperty("rendered", out _)), RenderedSample).ToArray();
        var results = await GoldenFiles.EachAsync(cases, RenderAsync);
        for (var i = 0; i < cases.Length; i++)
            Assert.Equal((cases[i].GetProperty("name").GetString(), 0, cases[i].GetProperty("rendered").GetString()), (cases[i].GetProperty("name").GetString(), results[i].ExitCode, results[i].Output));
    }

    [Fact]
    public async Task Refuses()
    {
        var golden = GoldenFiles.Object("jinja.json");
        var errors = golden.GetProperty("cases").EnumerateArray().Where(c => c.TryGetProperty("error", out _)).ToArray();
        JsonElement[] cases =
        [
            .. Sample(errors.Where(c => c.GetProperty("error").ValueKind == JsonValueKind.String), RefusedSample / 2),
            .. Sample(errors.Where(c => c.GetProperty("error").ValueKind == JsonValueKind.Object), RefusedSample / 2),
            .. Sample(golden.GetProperty("hostile").EnumerateArray(), HostileSample),
        ];
        var results = await GoldenFiles.EachAsync(cases, RenderAsync);
        for (var i = 0; i < cases.Length; i++)
        {
            var name = cases[i].GetProperty("name").GetString();
            Assert.Equal((name, 1, ""), (name, results[i].ExitCode, results[i].Output));
            Assert.NotEmpty(results[i].Error.Trim());
            if (cases[i].TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String) Assert.Contains(error.GetString()!, results[i].Error, StringComparison.Ordinal);
        }
    }

    /// <summary>One case of each tokenizer, preferring those that rendering to a string would let through.</summary>
    [Fact]
    public async Task What_a_message_spells_stays_plain_with_real_models()
    {
        var folder = Path.Combine(Repository.Root, "tests", ".cache", "tokenizers");
        var cases = GoldenFiles.Lines("injection.jsonl").Where(c => Directory.Exists(Path.Combine(folder, Tokenizer(c))))
            .GroupBy(Tokenizer).Select(g => g.MaxBy(c => c.TryGetProperty("naive_differs", out var d) && d.ValueKind == JsonValueKind.True ? 1 : 0)).ToArray();
        if (cases.Length == 0) Assert.Skip("the real tokenizers are not there: './build.sh setup' fetches them");
        var results = await GoldenFiles.EachAsync(cases, async c =>
        {
            using var request = new TemporaryFile(c.GetProperty("request").GetRawText());
            string[] arguments = ["model", "render", "--model", Path.Combine(folder, Tokenizer(c)), "--request", request.Path, "--now", c.GetProperty("now").GetString()!];
            var text = await CommandLine.RunAsync(arguments);
            var ids = await CommandLine.RunAsync([.. arguments, "--ids"]);
            return (text, ids);
        });
        for (var i = 0; i < cases.Length; i++)
        {
            Assert.True(results[i].ids.ExitCode == 0, cases[i].GetProperty("name").GetString() + results[i].ids.Error);
            Assert.Equal(cases[i].GetProperty("rendered").GetString(), results[i].text.Output);
            Assert.Equal(string.Join(' ', cases[i].Ints("ids")), results[i].ids.Output.Trim());
        }
    }

    private static string Tokenizer(JsonElement c) => c.GetProperty("tokenizer").GetString()!.Replace('-', '_');
}

using System.Text;
using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests.Golden;

/// <summary>The default model's tokens, texts and renderings, through the command line.</summary>
public sealed class TokenTests
{
    private static async Task<JsonElement[]> LinesAsync(string command, IEnumerable<string> lines)
    {
        var result = await CommandLine.RunAsync(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"), "model", command, "--model", Repository.Model, "--jsonl");
        Assert.True(result.ExitCode == 0, result.Error);
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];
    }

    [Fact]
    public async Task Tokenize()
    {
        var cases = GoldenFiles.Lines("smollm2", "tokens.jsonl");
        var answers = await LinesAsync("tokenize", cases.Select(c => c.GetRawText()));
        Assert.Equal(cases.Length, answers.Length);
        for (var i = 0; i < cases.Length; i++) Assert.True(cases[i].Ints("ids").SequenceEqual(answers[i].Ints("ids")), cases[i].GetRawText());
    }

    /// <summary>--control is for all lines what "control" is for one, and without it no text makes a control token.</summary>
    [Fact]
    public async Task Tokenize_with_control_tokens()
    {
        var cases = GoldenFiles.Lines("smollm2", "tokens.jsonl").Where(c => c.TryGetProperty("control", out _)).ToArray();
        Assert.NotEmpty(cases);
        var input = string.Join('\n', cases.Select(c => JsonSerializer.Serialize(new { text = c.GetProperty("text").GetString() }))) + "\n";
        var result = await CommandLine.RunAsync(Encoding.UTF8.GetBytes(input), "model", "tokenize", "--model", Repository.Model, "--jsonl", "--control");
        var ids = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement.Ints("ids")).ToArray();
        for (var i = 0; i < cases.Length; i++) Assert.Equal(cases[i].Ints("ids"), ids[i]);
        foreach (var plain in await LinesAsync("tokenize", input.Split('\n', StringSplitOptions.RemoveEmptyEntries))) Assert.DoesNotContain(1, plain.Ints("ids"));
    }

    [Fact]
    public async Task Tokenize_plain_text()
    {
        var one = GoldenFiles.Lines("smollm2", "tokens.jsonl").Where(c => !c.TryGetProperty("control", out _)).MaxBy(c => c.GetProperty("text").GetString()!.Length);
        var result = await CommandLine.RunAsync(Encoding.UTF8.GetBytes(one.GetProperty("text").GetString()!), "model", "tokenize", "--model", Repository.Model);
        Assert.Equal(one.Ints("ids"), result.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(int.Parse));
    }

    [Fact]
    public async Task Detokenize()
    {
        var cases = GoldenFiles.Lines("smollm2", "detokenize.jsonl");
        var answers = await LinesAsync("detokenize", cases.Select(c => c.GetRawText()));
        Assert.Equal(cases.Length, answers.Length);
        for (var i = 0; i < cases.Length; i++)
        {
            var hex = cases[i].GetProperty("bytes_hex").GetString()!;
            Assert.Equal(hex, answers[i].GetProperty("bytes_hex").GetString());
            Assert.Equal(Encoding.UTF8.GetString(Convert.FromHexString(hex)), answers[i].GetProperty("text").GetString());
        }
    }

    [Fact]
    public async Task Render()
    {
        var cases = GoldenFiles.Lines("smollm2", "renderings.jsonl");
        var results = await GoldenFiles.EachAsync(cases, static async c =>
        {
            using var request = new TemporaryFile(c.GetProperty("request").GetRawText());
            return await CommandLine.RunAsync("model", "render", "--model", Repository.Model, "--request", request.Path);
        });
        for (var i = 0; i < cases.Length; i++) Assert.Equal((0, cases[i].GetProperty("rendered").GetString()), (results[i].ExitCode, results[i].Output));
    }

    [Fact]
    public async Task Render_ids()
    {
        // A few through the command line; all of them through the server, in GreedyTests.
        var cases = GoldenFiles.Lines("smollm2", "renderings.jsonl").Where(static (_, i) => i % 6 == 0).ToArray();
        var results = await GoldenFiles.EachAsync(cases, static async c =>
        {
            using var request = new TemporaryFile(c.GetProperty("request").GetRawText());
            return await CommandLine.RunAsync("model", "render", "--ids", "--model", Repository.Model, "--request", request.Path);
        });
        for (var i = 0; i < cases.Length; i++) Assert.Equal(string.Join(' ', cases[i].Ints("ids")) + "\n", results[i].Output);
    }
}

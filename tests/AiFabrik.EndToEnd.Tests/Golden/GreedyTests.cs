using System.Net;
using Xunit;

namespace AiFabrik.EndToEnd.Tests.Golden;

/// <summary>The default model's renderings and greedy transcripts through the server.</summary>
[Collection(ServerCollection.Name)]
public sealed class GreedyTests(Server server)
{
    [Fact]
    public async Task Chats_have_the_ids_of_the_renderings()
    {
        using var client = new Client(server, Wire.Http1);
        foreach (var c in GoldenFiles.Lines("smollm2", "renderings.jsonl"))
        {
            var answer = await client.PostAsync("/v1/tokenize", c.GetProperty("request").GetRawText());
            Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
            Assert.Equal(c.Ints("ids"), answer.Json.Ints("tokens"));
        }
    }

    [Fact]
    public async Task Greedy_transcripts_as_far_as_they_are_determined()
    {
        using var client = new Client(server, Wire.H2c);
        var cases = GoldenFiles.Lines("smollm2", "greedy.jsonl");
        var results = await Task.WhenAll(cases.Select(async c =>
        {
            var isPrompt = c.TryGetProperty("prompt", out var prompt);
            var content = isPrompt ? $"\"prompt\":{prompt.GetRawText()}" : $"\"messages\":{c.GetProperty("messages").GetRawText()}";
            var ids = await client.PostAsync("/v1/tokenize", $"{{{content}}}");
            var answer = await client.PostAsync(isPrompt ? "/v1/completions" : "/v1/chat/completions", $"{{\"model\":\"MODEL\",\"temperature\":0,\"max_tokens\":64,{content}}}");
            var determined = c.Ints("greedy")[..c.GetProperty("determined").GetProperty("int8").GetInt32()];
            var isWhole = determined.Length > 0 && determined[^1] == 2;
            var text = await client.PostAsync("/v1/detokenize", $$"""{"tokens":[{{string.Join(',', isWhole ? determined[..^1] : determined)}}]}""");
            return (c, ids, answer, text, isWhole);
        }));
        foreach (var (c, ids, answer, text, isWhole) in results)
        {
            Assert.Equal(c.Ints("ids"), ids.Json.Ints("tokens"));
            // What may still become a whole character is not certain yet.
            var expected = text.Json.GetProperty("prompt").GetString()!.TrimEnd('\uFFFD');
            Assert.StartsWith(expected, answer.Content, StringComparison.Ordinal);
            if (isWhole) Assert.Equal(("stop", expected), (answer.Finish, answer.Content));
        }
    }
}

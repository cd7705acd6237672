using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>What the fields of a request do to its answer.</summary>
[Collection(ServerCollection.Name)]
public sealed class GenerationTests(Server server) : IDisposable
{
    private const string Greedy = "\"temperature\":0,\"max_tokens\":24";
    private readonly Client _client = new(server, Wire.Http1);

    public void Dispose() => _client.Dispose();

    private static Answer Ok(Answer answer)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer;
    }

    private static readonly string[] Prompts =
    [
        "The capital of France is", "Once upon a time", "Water boils at", "def fibonacci(n):", "The three primary colours are", "In 1969, men", "A haiku about rain:",
        "The sum of 2 and 3 is", "Dear Sir or Madam,", "Roses are red,", "The sun is a", "To bake bread you need", "List of animals: cat, dog,", "He opened the door and", "HTTP is", "My favourite book",
    ];

    [Fact]
    public async Task Alone_and_sixteen_at_once_give_the_same_greedy_tokens()
    {
        var alone = new List<string>();
        foreach (var prompt in Prompts) alone.Add(Ok(await _client.CompleteAsync(prompt, Greedy)).Content);
        var together = await Task.WhenAll(Prompts.Select(p => _client.CompleteAsync(p, Greedy)));
        Assert.Equal(alone, together.Select(a => Ok(a).Content));
        Assert.True(alone.Distinct().Count() > 10);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_tokens_whatever_else_runs()
    {
        const string Drawn = "\"temperature\":1,\"seed\":1234,\"max_tokens\":24";
        var alone = Ok(await _client.CompleteAsync(Prompts[1], Drawn)).Content;
        var others = Prompts.Skip(2).Take(10).Select(p => _client.CompleteAsync(p, "\"temperature\":1,\"max_tokens\":24")).ToArray();
        Assert.Equal(alone, Ok(await _client.CompleteAsync(Prompts[1], Drawn)).Content);
        foreach (var other in await Task.WhenAll(others)) Ok(other);
        Assert.NotEqual(alone, Ok(await _client.CompleteAsync(Prompts[1], Drawn.Replace("1234", "99", StringComparison.Ordinal))).Content);
    }

    [Fact]
    public async Task Choices_differ_and_are_repeatable()
    {
        const string More = "\"n\":3,\"temperature\":1,\"seed\":7,\"max_tokens\":16";
        var first = Ok(await _client.ChatAsync(More, "Tell me a story."));
        var second = Ok(await _client.ChatAsync(More, "Tell me a story."));
        var texts = Enumerable.Range(0, 3).Select(first.Choice).ToArray();
        Assert.Equal(texts, Enumerable.Range(0, 3).Select(second.Choice));
        Assert.Equal(3, texts.Distinct().Count());
        Assert.Equal([0, 1, 2], first.Json.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("index").GetInt32()));
        Assert.InRange(first.CompletionTokens, 3, 48);
    }

    [Fact]
    public async Task Stop_strings_end_the_text_before_them()
    {
        var whole = Ok(await _client.CompleteAsync(Prompts[3], "\"temperature\":0,\"max_tokens\":40")).Content;
        var stop = whole[(whole.Length / 2)..(whole.Length / 2 + 5)];
        var cut = Ok(await _client.CompleteAsync(Prompts[3], $"\"temperature\":0,\"max_tokens\":40,\"stop\":[\"never there\",{JsonSerializer.Serialize(stop)}]"));
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], cut.Content);
        Assert.Equal("stop", cut.Finish);
    }

    [Fact]
    public async Task A_stream_never_shows_a_part_of_a_stop_string()
    {
        using var stream = await _client.StreamAsync("\"temperature\":0,\"max_tokens\":40,\"stop\":\"capital of France\"", "What is the capital of France? Answer in a sentence.");
        var text = new StringBuilder();
        foreach (var line in await stream.RestAsync())
        {
            if (line == "data: [DONE]") break;
            using var chunk = JsonDocument.Parse(line["data: ".Length..]);
            if (chunk.RootElement.GetProperty("choices")[0].GetProperty("delta").TryGetProperty("content", out var part)) text.Append(part.GetString());
        }
        Assert.Equal("The ", text.ToString());
    }

    [Fact]
    public async Task Minimum_and_end_of_sequence()
    {
        const string Question = "Say yes.";
        var plain = Ok(await _client.ChatAsync("\"temperature\":0,\"max_tokens\":200", Question));
        Assert.Equal("stop", plain.Finish);
        var longer = Ok(await _client.ChatAsync($"\"temperature\":0,\"max_tokens\":300,\"min_tokens\":{plain.CompletionTokens + 10}", Question));
        Assert.True(longer.CompletionTokens > plain.CompletionTokens + 9);
        var ignoring = Ok(await _client.ChatAsync($"\"temperature\":0,\"max_tokens\":{plain.CompletionTokens + 10},\"ignore_eos\":true", Question));
        Assert.Equal(("length", plain.CompletionTokens + 10), (ignoring.Finish, ignoring.CompletionTokens));
        Assert.StartsWith(plain.Content, ignoring.Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_token_ids_logit_bias_and_token_prompts()
    {
        var ids = await TokensAsync(Prompts[0]);
        var byIds = Ok(await _client.PostAsync("/v1/completions", $$"""{"model":"MODEL","prompt":[{{string.Join(',', ids)}}],{{Greedy}}}"""));
        Assert.Equal(Ok(await _client.CompleteAsync(Prompts[0], Greedy)).Content, byIds.Content);
        var asDoubles = Ok(await _client.PostAsync("/v1/completions", $$"""{"model":"MODEL","prompt":[{{string.Join(',', ids.Select(i => i + ".0"))}}],{{Greedy}}}"""));
        Assert.Equal(byIds.Content, asDoubles.Content);

        var paris = Assert.Single(await TokensAsync(" Paris"));
        Assert.StartsWith(" Paris", byIds.Content, StringComparison.Ordinal);
        var stopped = Ok(await _client.CompleteAsync(Prompts[0], $"{Greedy},\"stop_token_ids\":[{paris}]"));
        Assert.Equal(("stop", "", 1), (stopped.Finish, stopped.Content, stopped.CompletionTokens));
        var banned = Ok(await _client.CompleteAsync(Prompts[0], $"{Greedy},\"logit_bias\":{{\"{paris}\":-100}}"));
        Assert.DoesNotContain(" Paris", banned.Content, StringComparison.Ordinal);
        var forced = Ok(await _client.CompleteAsync(Prompts[0], $"\"max_tokens\":3,\"logit_bias\":{{\"{paris}\":100}}"));
        Assert.Equal(" Paris Paris Paris", forced.Content);
    }

    [Fact]
    public async Task Echo_and_text_logprobs()
    {
        foreach (var stream in (bool[])[false, true])
        {
            using var response = await _client.OpenAsync(HttpMethod.Post, "/v1/completions", new ByteArrayContent(_client.Bytes($$"""{"model":"MODEL","prompt":"Grüße an","echo":true,"logprobs":3,"temperature":0,"max_tokens":6,"stream":{{(stream ? "true" : "false")}}}""")), false, TestContext.Current.CancellationToken);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var answers = stream ? body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(l => l != "data: [DONE]").Select(l => l["data: ".Length..]) : [body];
            var choices = answers.Select(a => JsonDocument.Parse(a).RootElement.GetProperty("choices")[0]).ToArray();
            Assert.StartsWith("Grüße an", string.Concat(choices.Select(c => c.GetProperty("text").GetString())), StringComparison.Ordinal);
            var columns = choices.Select(c => c.GetProperty("logprobs")).Where(l => l.ValueKind == JsonValueKind.Object).ToArray();
            foreach (var name in (string[])["tokens", "token_logprobs", "top_logprobs", "text_offset"]) Assert.Equal(6, columns.Sum(c => c.GetProperty(name).GetArrayLength()));
            Assert.Equal("Grüße an".Length, columns[0].GetProperty("text_offset")[0].GetInt32());
            Assert.All(columns.SelectMany(c => c.GetProperty("top_logprobs").EnumerateArray()), top => Assert.InRange(top.EnumerateObject().Count(), 1, 3));
            Assert.All(columns.SelectMany(c => c.GetProperty("token_logprobs").EnumerateArray()), p => Assert.InRange(p.GetDouble(), -30, 0));
        }
    }

    [Fact]
    public async Task Chat_logprobs_have_openais_shape()
    {
        var answer = Ok(await _client.ChatAsync("\"temperature\":0,\"max_tokens\":4,\"logprobs\":true,\"top_logprobs\":2"));
        var content = answer.Json.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content");
        Assert.Equal(answer.CompletionTokens, content.GetArrayLength());
        foreach (var token in content.EnumerateArray())
        {
            Assert.Equal(2, token.GetProperty("top_logprobs").GetArrayLength());
            Assert.Equal(Encoding.UTF8.GetBytes(token.GetProperty("token").GetString()!), token.GetProperty("bytes").EnumerateArray().Select(b => b.GetByte()));
            Assert.Equal(token.GetProperty("logprob").GetDouble(), token.GetProperty("top_logprobs")[0].GetProperty("logprob").GetDouble());
        }
    }

    [Theory]
    [InlineData("plain text")]
    [InlineData("Grüße, 世界! 👩‍👩‍👧 \u0000\u0001\t\r\n\"\\/ <|im_start|>")]
    public async Task Tokenize_and_detokenize_are_inverse(string text)
    {
        var ids = await TokensAsync(text);
        var back = Ok(await _client.PostAsync("/v1/detokenize", $$"""{"model":"MODEL","tokens":[{{string.Join(',', ids)}}]}"""));
        Assert.Equal(text, back.Json.GetProperty("prompt").GetString());
        Assert.DoesNotContain(1, ids);
    }

    private async Task<int[]> TokensAsync(string text)
    {
        var answer = Ok(await _client.PostAsync("/v1/tokenize", $$"""{"model":"MODEL","prompt":{{JsonSerializer.Serialize(text)}}}"""));
        var ids = answer.Json.GetProperty("tokens").EnumerateArray().Select(t => t.GetInt32()).ToArray();
        Assert.Equal(ids.Length, answer.Json.GetProperty("count").GetInt32());
        return ids;
    }
}

using System.Net;
using System.Text;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>What users send by mistake or on purpose: each has its status, code and param, and none of them harms the server.</summary>
[Collection(ServerCollection.Name)]
public sealed class BadInputTests(Server server)
{
    private const string Chat = "/v1/chat/completions";
    private const string Text = "/v1/completions";
    private const string Message = """{"role":"user","content":"Hi"}""";

    private static void Expect(Answer answer, int status, string code, string? param)
    {
        Assert.Equal((status, code, param), ((int)answer.Status, answer.Error("code"), answer.Error("param")));
        Assert.NotEmpty(answer.Error("message")!);
        Assert.Equal("invalid_request_error", answer.Error("type"));
    }

    [Theory]
    [InlineData("\"n\":0", "invalid_value", "n")]
    [InlineData("\"n\":17", "invalid_value", "n")]
    [InlineData("\"n\":1.5", "invalid_value", "n")]
    [InlineData("\"n\":\"2\"", "invalid_value", "n")]
    [InlineData("\"n\":99999999999999999999999999", "invalid_value", "n")]
    [InlineData("\"n\":1,\"n\":1", "invalid_value", "n")]
    [InlineData("\"logprobs\":1", "invalid_value", "logprobs")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":21", "invalid_value", "top_logprobs")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":-1", "invalid_value", "top_logprobs")]
    [InlineData("\"top_logprobs\":2", "invalid_value", "top_logprobs")]
    [InlineData("\"stop\":5", "invalid_value", "stop")]
    [InlineData("\"stop\":[\"\"]", "invalid_value", "stop")]
    [InlineData("\"stop\":[1]", "invalid_value", "stop")]
    [InlineData("\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]", "invalid_value", "stop")]
    [InlineData("\"max_tokens\":0", "invalid_value", "max_tokens")]
    [InlineData("\"max_tokens\":-1", "invalid_value", "max_tokens")]
    [InlineData("\"max_tokens\":1e40", "invalid_value", "max_tokens")]
    [InlineData("\"max_completion_tokens\":\"many\"", "invalid_value", "max_completion_tokens")]
    [InlineData("\"max_completion_tokens\":2.5", "invalid_value", "max_completion_tokens")]
    [InlineData("\"max_tokens\":1,\"min_tokens\":5", "invalid_value", "min_tokens")]
    [InlineData("\"temperature\":-0.1", "invalid_value", "temperature")]
    [InlineData("\"temperature\":2.1", "invalid_value", "temperature")]
    [InlineData("\"temperature\":1e999", "invalid_value", "temperature")]
    [InlineData("\"temperature\":\"NaN\"", "invalid_value", "temperature")]
    [InlineData("\"temperature\":NaN", "invalid_json", null)]
    [InlineData("\"temperature\":Infinity", "invalid_json", null)]
    [InlineData("\"temperature\":01", "invalid_json", null)]
    [InlineData("\"top_p\":1.5", "invalid_value", "top_p")]
    [InlineData("\"top_k\":-2", "invalid_value", "top_k")]
    [InlineData("\"min_p\":-1", "invalid_value", "min_p")]
    [InlineData("\"typical_p\":2", "invalid_value", "typical_p")]
    [InlineData("\"repetition_penalty\":0", "invalid_value", "repetition_penalty")]
    [InlineData("\"presence_penalty\":3", "invalid_value", "presence_penalty")]
    [InlineData("\"frequency_penalty\":-3", "invalid_value", "frequency_penalty")]
    [InlineData("\"logit_bias\":{\"x\":1}", "invalid_value", "logit_bias")]
    [InlineData("\"logit_bias\":{\"5\":101}", "invalid_value", "logit_bias")]
    [InlineData("\"logit_bias\":{\"99999999\":1}", "invalid_value", "logit_bias")]
    [InlineData("\"logit_bias\":[]", "invalid_value", "logit_bias")]
    [InlineData("\"seed\":1.5", "invalid_value", "seed")]
    [InlineData("\"seed\":1e30", "invalid_value", "seed")]
    [InlineData("\"stop_token_ids\":[-1]", "invalid_value", "stop_token_ids")]
    [InlineData("\"stop_token_ids\":[99999999]", "invalid_value", "stop_token_ids")]
    [InlineData("\"stream\":\"yes\"", "invalid_value", "stream")]
    [InlineData("\"stream_options\":{\"include_usage\":true}", "invalid_value", "stream_options")]
    [InlineData("\"stream\":true,\"stream_options\":5", "invalid_value", "stream_options")]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "unsupported_value", "response_format.type")]
    [InlineData("\"tool_choice\":\"required\"", "unsupported_value", "tool_choice")]
    [InlineData("\"tools\":{}", "invalid_value", "tools")]
    [InlineData("\"user\":\"\\ud800\"", "invalid_json", null)]
    [InlineData("\"user\":\"\\udc00\\ud800\"", "invalid_json", null)]
    [InlineData("\"user\":\"\\ud800\\u0041\"", "invalid_json", null)]
    [InlineData("\"user\":\"\\x\"", "invalid_json", null)]
    [InlineData("\"user\":\"a\tb\"", "invalid_json", null)]
    [InlineData("\"user\":1 \"n\":1", "invalid_json", null)]
    public async Task Chat_refuses(string fragment, string code, string? param)
    {
        using var client = new Client(server, Wire.Http1);
        Expect(await client.ChatAsync(fragment), 400, code, param);
    }

    [Theory]
    [InlineData(Chat, """{"model":"MODEL"}""", "missing_required_parameter", "messages")]
    [InlineData(Chat, """{"model":"MODEL","messages":null}""", "missing_required_parameter", "messages")]
    [InlineData(Chat, """{"model":"MODEL","messages":[]}""", "invalid_value", "messages")]
    [InlineData(Chat, """{"model":"MODEL","messages":"Hi"}""", "invalid_value", "messages")]
    [InlineData(Chat, """{"model":"MODEL","messages":[5]}""", "invalid_value", "messages[0]")]
    [InlineData(Chat, """{"model":"MODEL","messages":[{}]}""", "missing_required_parameter", "messages[0].role")]
    [InlineData(Chat, """{"model":"MODEL","messages":[{"role":5,"content":"Hi"}]}""", "invalid_value", "messages[0].role")]
    [InlineData(Chat, """{"model":"MODEL","messages":[{"role":"user","content":5}]}""", "invalid_value", "messages[0].content")]
    [InlineData(Chat, """{"model":"MODEL","messages":[{"role":"user","content":[7]}]}""", "invalid_value", "messages[0].content[0]")]
    [InlineData(Chat, """{"model":"MODEL","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", "unsupported_value", "messages[0].content[0].type")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"Hi"}]}""", "missing_required_parameter", "model")]
    [InlineData(Chat, """{"model":5,"messages":[{"role":"user","content":"Hi"}]}""", "invalid_value", "model")]
    [InlineData(Text, """{"model":"MODEL"}""", "missing_required_parameter", "prompt")]
    [InlineData(Text, """{"model":"MODEL","prompt":""}""", "invalid_value", "prompt")]
    [InlineData(Text, """{"model":"MODEL","prompt":[]}""", "invalid_value", "prompt")]
    [InlineData(Text, """{"model":"MODEL","prompt":[-1]}""", "invalid_value", "prompt")]
    [InlineData(Text, """{"model":"MODEL","prompt":[99999999]}""", "invalid_value", "prompt")]
    [InlineData(Text, """{"model":"MODEL","prompt":5}""", "invalid_value", "prompt")]
    [InlineData(Text, """{"model":"MODEL","prompt":["a","b"]}""", "unsupported_value", "prompt")]
    [InlineData(Text, """{"model":"MODEL","prompt":[[1]]}""", "unsupported_value", "prompt")]
    [InlineData(Text, """{"model":"MODEL","prompt":"a","suffix":"b"}""", "unsupported_value", "suffix")]
    [InlineData(Text, """{"model":"MODEL","prompt":"a","best_of":2}""", "unsupported_value", "best_of")]
    [InlineData(Text, """{"model":"MODEL","prompt":"a","logprobs":21}""", "invalid_value", "logprobs")]
    [InlineData(Text, """{"model":"MODEL","prompt":"a","logprobs":true}""", "invalid_value", "logprobs")]
    [InlineData(Text, """{"model":"MODEL","prompt":"a","echo":1}""", "invalid_value", "echo")]
    [InlineData("/v1/tokenize", """{"model":"MODEL"}""", "missing_required_parameter", "prompt")]
    [InlineData("/v1/tokenize", """{"prompt":[1]}""", "invalid_value", "prompt")]
    [InlineData("/v1/detokenize", """{"model":"MODEL"}""", "missing_required_parameter", "tokens")]
    [InlineData("/v1/detokenize", """{"tokens":["a"]}""", "invalid_value", "tokens")]
    [InlineData("/v1/detokenize", """{"tokens":[99999999]}""", "invalid_value", "tokens")]
    public async Task Requests_are_refused(string path, string body, string code, string? param)
    {
        using var client = new Client(server, Wire.Http1);
        Expect(await client.PostAsync(path, body), 400, code, param);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("null")]
    [InlineData("{\"a\":1} x")]
    [InlineData("{'a':1}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\" 1}")]
    [InlineData("\uFEFF{}")]
    public async Task What_is_no_json_object_is_refused(string body)
    {
        using var client = new Client(server, Wire.H2c);
        foreach (var path in (string[])[Chat, Text, "/v1/tokenize", "/v1/detokenize"]) Expect(await client.PostAsync(path, body), 400, "invalid_json", null);
    }

    [Fact]
    public async Task Every_truncation_is_refused()
    {
        using var client = new Client(server, Wire.Http1);
        var body = client.Bytes("{\"model\":\"MODEL\",\"messages\":[" + Message + "],\"temperature\":0.5,\"user\":\"\\u00e9\u00e9\"}");
        for (var length = 0; length < body.Length; length++)
            Expect(await client.SendAsync(HttpMethod.Post, Chat, body[..length]), 400, "invalid_json", null);
    }

    [Theory]
    [InlineData(129)]
    [InlineData(100_000)]
    public async Task Deep_nesting_is_refused(int depth)
    {
        using var client = new Client(server, Wire.Http1);
        foreach (var (open, close) in ((string, string)[])[("[", "]"), ("{\"a\":", "}")])
        {
            var deep = new StringBuilder().Insert(0, open, depth).Append('1').Insert(open.Length * depth + 1, close, depth);
            Expect(await client.ChatAsync($"\"metadata\":{deep}"), 400, "invalid_json", null);
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xFF })]
    [InlineData(new byte[] { 0xC3 })]
    [InlineData(new byte[] { 0xC0, 0x80 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xF4, 0x90, 0x80, 0x80 })]
    public async Task Invalid_utf8_is_refused(byte[] bad)
    {
        using var client = new Client(server, Wire.Http1);
        byte[] body = [.. client.Bytes("{\"model\":\"MODEL\",\"messages\":[{\"role\":\"user\",\"content\":\"x"), .. bad, .. client.Bytes("\"}]}")];
        Expect(await client.SendAsync(HttpMethod.Post, Chat, body), 400, "invalid_json", null);
    }

    [Fact]
    public async Task Unknown_fields_are_accepted()
    {
        using var client = new Client(server, Wire.Http1);
        var answer = await client.ChatAsync("\"max_tokens\":1,\"nobody_knows\":[1,{\"x\":null}],\"nobody_knows\":2,\"user\":\"me\",\"store\":false");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Theory]
    [InlineData(Chat, "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]")]
    [InlineData(Text, "\"prompt\":\"Hi\"")]
    [InlineData("/v1/tokenize", "\"prompt\":\"Hi\"")]
    [InlineData("/v1/detokenize", "\"tokens\":[1]")]
    public async Task An_unknown_model_is_not_found(string path, string rest)
    {
        using var client = new Client(server, Wire.Http1);
        Expect(await client.PostAsync(path, "{\"model\":\"nobody\"," + rest + "}"), 404, "model_not_found", "model");
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_refused_and_never_cut()
    {
        using var client = new Client(server, Wire.Http1);
        var models = await client.SendAsync(HttpMethod.Get, "/v1/models", null);
        var context = models.Json.GetProperty("data")[0].GetProperty("max_model_len").GetInt32();
        var ids = string.Join(',', Enumerable.Repeat(504, context));
        Expect(await client.PostAsync(Text, $$"""{"model":"MODEL","prompt":[{{ids}}]}"""), 400, "context_length_exceeded", "prompt");
        var words = string.Concat(Enumerable.Repeat("hello ", context));
        Expect(await client.CompleteAsync(words, "\"max_tokens\":1"), 400, "context_length_exceeded", "prompt");
        Expect(await client.ChatAsync("\"max_tokens\":1", words), 400, "context_length_exceeded", "messages");
        // Larger than all that can be tokenized at once: still the same answer.
        Expect(await client.CompleteAsync(string.Concat(Enumerable.Repeat("hello ", 1_000_000)), "\"max_tokens\":1"), 400, "context_length_exceeded", "prompt");
    }

    [Theory]
    [InlineData("GET", Chat, 405, "method_not_allowed")]
    [InlineData("DELETE", "/v1/models", 405, "method_not_allowed")]
    [InlineData("PUT", "/v1/tokenize", 405, "method_not_allowed")]
    [InlineData("GET", "/", 404, "unknown_url")]
    [InlineData("POST", "/v1/nothing", 404, "unknown_url")]
    [InlineData("GET", "/v1/chat/completions/x", 404, "unknown_url")]
    [InlineData("GET", "/v1/models/nobody", 404, "model_not_found")]
    public async Task Wrong_method_or_url(string method, string path, int status, string code)
    {
        foreach (var wire in Enum.GetValues<Wire>())
        {
            using var client = new Client(server, wire);
            Expect(await client.SendAsync(new HttpMethod(method), path, method == "POST" ? "{}"u8.ToArray() : null), status, code, code == "model_not_found" ? "model" : null);
        }
    }
}

using System.Text;
using AiFabrik.Host.Http;
using AiFabrik.Host.Http.Requests;
using Xunit;

namespace AiFabrik.Host.Tests.Http.Requests;

/// <summary>Every field's type and bounds; each error names its field.</summary>
public sealed class CompletionFieldsTests
{
    private static ApiError Read(FieldTable table, string json, out RequestFields fields)
    {
        fields = new RequestFields(new HttpLimits());
        var body = Encoding.UTF8.GetBytes(json);
        Assert.False(JsonFaults.Check(body, fields.Limits).IsError);
        return table.Read(body, fields);
    }

    private static ApiError Chat(string more) => Read(CompletionFields.Chat, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]," + more + "}", out _);

    [Fact]
    public void Reads_every_field_of_a_chat()
    {
        var error = Read(CompletionFields.Chat, """
            {"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"a"}]},{"role":"user","content":"hi"},{"role":"assistant","content":null}],
             "stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":7,"n":2,"seed":-5,"stop":["x","yy"],"temperature":0.5,"top_p":0.9,
             "presence_penalty":1,"frequency_penalty":-1,"logit_bias":{"17":-100,"4":2.5},"top_k":40,"min_p":0.1,"typical_p":0.8,"repetition_penalty":1.1,
             "min_tokens":3,"ignore_eos":true,"stop_token_ids":[2,3],"logprobs":true,"top_logprobs":5,"response_format":{"type":"text"},"tools":[],"tool_choice":"auto",
             "user":"someone","metadata":{"a":{"b":[1]}},"max_tokens":null}
            """, out var f);
        Assert.False(error.IsError, error.Message);
        Assert.True(f is { Stream: true, IncludeUsage: true, IgnoreEos: true, Logprobs: true, HasMessages: true, HasModel: true });
        Assert.Equal((7, 2, -5L, 3, 5, 40), (f.MaxTokens, f.Choices, f.Seed!.Value, f.MinTokens, f.TopLogprobs, f.TopK));
        Assert.Equal((0.5f, 0.9f, 1f, -1f, 0.1f, 0.8f, 1.1f), (f.Temperature, f.TopP, f.PresencePenalty, f.FrequencyPenalty, f.MinP, f.TypicalP, f.RepetitionPenalty));
        Assert.Equal((2, 2, 2), (f.StopStringCount, f.StopTokenCount, f.BiasCount));
        Assert.Equal((17, -100f, 4, 2.5f), (f.BiasTokens[0], f.BiasValues[0], f.BiasTokens[1], f.BiasValues[1]));
    }

    [Theory]
    [InlineData("\"n\":0", "n")]
    [InlineData("\"n\":17", "n")]
    [InlineData("\"n\":1.5", "n")]
    [InlineData("\"n\":\"2\"", "n")]
    [InlineData("\"n\":1e999", "n")]
    [InlineData("\"temperature\":-0.1", "temperature")]
    [InlineData("\"temperature\":2.1", "temperature")]
    [InlineData("\"temperature\":1e999", "temperature")]
    [InlineData("\"temperature\":\"hot\"", "temperature")]
    [InlineData("\"top_p\":1.01", "top_p")]
    [InlineData("\"top_k\":-2", "top_k")]
    [InlineData("\"min_p\":-1", "min_p")]
    [InlineData("\"typical_p\":2", "typical_p")]
    [InlineData("\"repetition_penalty\":0", "repetition_penalty")]
    [InlineData("\"presence_penalty\":3", "presence_penalty")]
    [InlineData("\"frequency_penalty\":-3", "frequency_penalty")]
    [InlineData("\"max_tokens\":0", "max_tokens")]
    [InlineData("\"max_tokens\":-1", "max_tokens")]
    [InlineData("\"max_tokens\":99999999999999999999", "max_tokens")]
    [InlineData("\"max_completion_tokens\":0", "max_completion_tokens")]
    [InlineData("\"min_tokens\":-1", "min_tokens")]
    [InlineData("\"logprobs\":1", "logprobs")]
    [InlineData("\"top_logprobs\":21", "top_logprobs")]
    [InlineData("\"top_logprobs\":-1", "top_logprobs")]
    [InlineData("\"stop\":5", "stop")]
    [InlineData("\"stop\":\"\"", "stop")]
    [InlineData("\"stop\":[1]", "stop")]
    [InlineData("\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]", "stop")]
    [InlineData("\"stop_token_ids\":[-1]", "stop_token_ids")]
    [InlineData("\"stop_token_ids\":3", "stop_token_ids")]
    [InlineData("\"logit_bias\":[]", "logit_bias")]
    [InlineData("\"logit_bias\":{\"x\":1}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"1\":101}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"1\":\"a\"}", "logit_bias")]
    [InlineData("\"stream\":\"yes\"", "stream")]
    [InlineData("\"stream_options\":true", "stream_options")]
    [InlineData("\"stream_options\":{\"include_usage\":1}", "stream_options.include_usage")]
    [InlineData("\"seed\":1.5", "seed")]
    [InlineData("\"ignore_eos\":0", "ignore_eos")]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "response_format.type")]
    [InlineData("\"tools\":{}", "tools")]
    [InlineData("\"tool_choice\":\"required\"", "tool_choice")]
    [InlineData("\"temperature\":1,\"temperature\":1", "temperature")]
    [InlineData("\"model\":\"m\"", "model")]
    public void Names_the_field_that_is_wrong(string field, string param)
    {
        var error = Chat(field);
        Assert.Equal(param, error.Param);
        Assert.Equal(400, error.Status);
        Assert.Contains(param.Split('.')[0], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"messages\":[]", "messages")]
    [InlineData("\"messages\":\"hi\"", "messages")]
    [InlineData("\"messages\":[1]", "messages[0]")]
    [InlineData("\"messages\":[{\"content\":\"x\"}]", "messages[0].role")]
    [InlineData("\"messages\":[{\"role\":1}]", "messages[0].role")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":5}]", "messages[0].content")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[\"x\"]}]", "messages[0].content[0]")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"u\"}}]}]", "messages[0].content[0].type")]
    public void Names_the_message_that_is_wrong(string field, string param)
    {
        var error = Read(CompletionFields.Chat, "{\"model\":\"m\"," + field + "}", out _);
        Assert.Equal(param, error.Param);
    }

    [Theory]
    [InlineData("\"prompt\":5", "prompt")]
    [InlineData("\"prompt\":[\"a\",\"b\"]", "prompt")]
    [InlineData("\"prompt\":[[1]]", "prompt")]
    [InlineData("\"prompt\":[1.5]", "prompt")]
    [InlineData("\"prompt\":[-1]", "prompt")]
    [InlineData("\"logprobs\":true", "logprobs")]
    [InlineData("\"best_of\":3", "best_of")]
    [InlineData("\"suffix\":\"x\"", "suffix")]
    public void Names_the_field_of_a_text_completion(string field, string param) =>
        Assert.Equal(param, Read(CompletionFields.Text, "{\"model\":\"m\"," + field + "}", out _).Param);

    [Fact]
    public void Cleared_fields_are_as_new()
    {
        Read(CompletionFields.Chat, "{\"model\":\"m\",\"n\":3,\"stop\":[\"a\"],\"logit_bias\":{\"1\":1},\"stop_token_ids\":[1],\"temperature\":0,\"seed\":1,\"max_tokens\":4}", out var f);
        f.Clear();
        var fresh = new RequestFields(new HttpLimits());
        foreach (var field in typeof(RequestFields).GetFields())
        {
            if (field.GetValue(f) is Array cleared) Assert.Equal((Array)field.GetValue(fresh)!, cleared);
            else Assert.Equal(field.GetValue(fresh), field.GetValue(f));
        }
    }
}

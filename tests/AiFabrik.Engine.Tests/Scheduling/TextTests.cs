using System.Text;
using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

/// <summary>Stop strings, text and log-probabilities. Biases force the model to write what a test needs.</summary>
public sealed class TextTests
{
    /// <summary>Stops of one token, across tokens, over halves of characters, with borders (aab in aaab), several at once.</summary>
    [Theory]
    [InlineData("ab")]
    [InlineData("aab", "abab")]
    [InlineData("é")]
    [InlineData("日")]
    [InlineData("本a", "🙂", "\uFFFD")]
    [InlineData("cab", "b c", "stopa")]
    [InlineData("abcabcabcabcabcabcabc")]
    public async Task Text_ends_before_the_first_stop_string(params string[] stop)
    {
        using var harness = new EngineHarness(contextLen: 512);
        var requests = Enumerable.Range(0, 40).Select(i => new TestRequest
        {
            Prompt = [3, i], MaxTokens = 100, Stop = stop, Sampling = new SamplingParameters { Seed = (ulong)i, Temperature = 0.5f + i % 3 },
            // Halves of characters in the right order are rare otherwise.
            Bias = i % 2 == 0 ? [new(24, 3), new(25, 3), new(26, 3), new(27, 3), new(28, 3)] : [],
        }).ToArray();
        var results = await Task.WhenAll(requests.Select(r => harness.Run(r)));
        for (var i = 0; i < requests.Length; i++) harness.AssertExpected(requests[i], results[i]);
        if (stop[0].Length < 6) Assert.Contains(results, r => r[0].Finish == FinishReason.Stop && r[0].Tokens[^1] != FakeVocabulary.Eos);
        await harness.AssertNothingLeft();
    }

    [Fact]
    public async Task What_may_be_a_stop_string_is_held_back_and_nothing_more()
    {
        using var harness = new EngineHarness();
        // a (token 3) forever: all but "ab"'s beginning is shown at once.
        var request = new TestRequest { MaxTokens = 10, Stop = ["aab"], Bias = [new(3, 100)] };
        var result = (await harness.Run(request))[0];
        Assert.Equal("aaaaaaaaaa", Encoding.UTF8.GetString(result.Text.ToArray()));
        Assert.Equal([0, 0, 1, 1, 1, 1, 1, 1, 1, 3], result.TextBytesByEvent);
        Assert.Equal(FinishReason.Length, result.Finish);
    }

    [Fact]
    public async Task The_token_that_completes_a_stop_counts_and_does_not_show()
    {
        using var harness = new EngineHarness();
        var result = (await harness.Run(new TestRequest { MaxTokens = 10, Stop = ["op"], Bias = [new(15, 100)] }))[0]; // "stop"
        Assert.Equal([15], result.Tokens);
        Assert.Equal("st", Encoding.UTF8.GetString(result.Text.ToArray()));
        Assert.Equal(FinishReason.Stop, result.Finish);
    }

    [Fact]
    public async Task Eos_and_stop_tokens_end_without_text()
    {
        using var harness = new EngineHarness();
        var eos = (await harness.Run(new TestRequest { Bias = [new(FakeVocabulary.Eos, 100)] }))[0];
        Assert.Equal([FakeVocabulary.Eos], eos.Tokens);
        Assert.Empty(eos.Text);
        Assert.Equal(FinishReason.Stop, eos.Finish);

        var ignored = (await harness.Run(new TestRequest { Bias = [new(FakeVocabulary.Eos, 100)], IgnoreEos = true, MaxTokens = 2 }))[0];
        Assert.Equal("<eos><eos>", Encoding.UTF8.GetString(ignored.Text.ToArray()));
        Assert.Equal(FinishReason.Length, ignored.Finish);

        var stopToken = (await harness.Run(new TestRequest { Bias = [new(15, 100)], StopTokenIds = [14, 15] }))[0];
        Assert.Equal([15], stopToken.Tokens);
        Assert.Empty(stopToken.Text);
        Assert.Equal(FinishReason.Stop, stopToken.Finish);
    }

    [Fact]
    public async Task Half_a_character_at_the_end_becomes_U_FFFD()
    {
        using var harness = new EngineHarness();
        var result = (await harness.Run(new TestRequest { Bias = [new(26, 100)], MaxTokens = 2 }))[0]; // 0xE6
        Assert.Equal("\uFFFD\uFFFD", Encoding.UTF8.GetString(result.Text.ToArray()));
        Assert.Equal([0, 6], result.TextBytesByEvent);
    }

    [Fact]
    public async Task Min_tokens_bans_eos_and_stop_tokens_and_looks_for_no_stop_string()
    {
        using var harness = new EngineHarness();
        var banned = (await harness.Run(new TestRequest { Bias = [new(FakeVocabulary.Eos, 100), new(15, 90)], MinTokens = 5, StopTokenIds = [14] }))[0];
        Assert.Equal([15, 15, 15, 15, 15, FakeVocabulary.Eos], banned.Tokens);

        var stopped = (await harness.Run(new TestRequest { Bias = [new(15, 100)], MinTokens = 3, Stop = ["top"] }))[0];
        Assert.Equal([15, 15, 15], stopped.Tokens);
        Assert.Equal("stopstops", Encoding.UTF8.GetString(stopped.Text.ToArray()));
        Assert.Equal(FinishReason.Stop, stopped.Finish);
    }

    [Fact]
    public async Task Logprobs_are_the_models_own_whatever_else_is_asked()
    {
        using var harness = new EngineHarness();
        var request = new TestRequest
        {
            Prompt = [3, 4, 5], MaxTokens = 30, TopLogprobs = 5, Bias = [new(9, 5)],
            Sampling = new SamplingParameters { Temperature = 2, TopK = 5, RepetitionPenalty = 1.5f, Seed = 1 },
        };
        var result = (await harness.Run(request))[0];
        var history = request.Prompt.ToList();
        var logits = new float[FakeVocabulary.Size];
        for (var i = 0; i < result.Tokens.Count; i++)
        {
            FakeModel.LogitsAfter(harness.Program, history.ToArray(), logits);
            var sum = logits.Sum(x => Math.Exp(x));
            var best = logits.Select((x, id) => (x, id)).OrderByDescending(x => x.x).ThenBy(x => x.id).Take(5).ToArray();
            Assert.Equal(logits[result.Tokens[i]] - Math.Log(sum), result.Logprobs[i], 1e-5);
            Assert.Equal(best.Select(x => x.id), result.Top[i].Select(x => x.Token));
            for (var j = 0; j < 5; j++) Assert.Equal(best[j].x - Math.Log(sum), result.Top[i][j].Logprob, 1e-5);
            history.Add(result.Tokens[i]);
        }
    }
}

using System.ClientModel;
using OpenAI;
using OpenAI.Chat;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>OpenAI's own .NET library against the real server.</summary>
[Collection(ServerCollection.Name)]
public sealed class OpenAiDotNetTests(Server server)
{
    private ChatClient Client() => new(server.ModelId, new ApiKeyCredential("sk-local"), new OpenAIClientOptions { Endpoint = new Uri(server.HttpUrl + "/v1") });

    [Fact]
    public async Task Answers_a_chat()
    {
        var result = await Client().CompleteChatAsync([new UserChatMessage("What is the capital of France?")], new ChatCompletionOptions { MaxOutputTokenCount = 24, Temperature = 0 }, TestContext.Current.CancellationToken);
        Assert.NotEmpty(result.Value.Content[0].Text);
        Assert.InRange(result.Value.Usage.OutputTokenCount, 1, 24);
        Assert.Equal(result.Value.Usage.TotalTokenCount, result.Value.Usage.InputTokenCount + result.Value.Usage.OutputTokenCount);
    }

    [Fact]
    public async Task Streams_the_same_text_that_it_answers_at_once()
    {
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 40, Temperature = 0 };
        ChatMessage[] messages = [new SystemChatMessage("You are brief."), new UserChatMessage("Name three colours.")];
        var whole = await Client().CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        var text = "";
        ChatFinishReason? finish = null;
        await foreach (var update in Client().CompleteChatStreamingAsync(messages, options, TestContext.Current.CancellationToken))
        {
            foreach (var part in update.ContentUpdate) text += part.Text;
            finish ??= update.FinishReason;
        }
        Assert.Equal(whole.Value.Content[0].Text, text);
        Assert.Equal(whole.Value.FinishReason, finish);
    }

    [Fact]
    public async Task Gives_log_probabilities()
    {
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 5, Temperature = 0, IncludeLogProbabilities = true, TopLogProbabilityCount = 3 };
        var result = await Client().CompleteChatAsync([new UserChatMessage("Count to five.")], options, TestContext.Current.CancellationToken);
        Assert.Equal(result.Value.Usage.OutputTokenCount, result.Value.ContentTokenLogProbabilities.Count);
        foreach (var token in result.Value.ContentTokenLogProbabilities)
        {
            Assert.Equal(3, token.TopLogProbabilities.Count);
            Assert.Equal(token.Token, token.TopLogProbabilities[0].Token);
            Assert.InRange(token.LogProbability, -20f, 0f);
        }
    }

    [Fact]
    public async Task Tells_a_client_error_in_its_own_terms()
    {
        var client = new ChatClient("no-such-model", new ApiKeyCredential("sk-local"), new OpenAIClientOptions { Endpoint = new Uri(server.HttpUrl + "/v1") });
        var error = await Assert.ThrowsAsync<ClientResultException>(() => client.CompleteChatAsync([new UserChatMessage("Hi")], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(404, error.Status);
    }
}

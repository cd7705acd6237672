using System.Text;
using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>npm's openai, and curl over HTTP/2 with and without TLS, against the real server.</summary>
[Collection(ServerCollection.Name)]
public sealed class NodeAndCurlTests(Server server)
{
    private static readonly string NodeFolder = Path.Combine(Repository.Root, "tests", "AiFabrik.EndToEnd.Tests", "node");

    [Fact]
    public async Task Npm_openai_chats_streams_and_completes()
    {
        if (!CommandLine.Has("node") || !Directory.Exists(Path.Combine(NodeFolder, "node_modules", "openai")))
            Assert.Skip("node, or the npm package openai, is not installed: './build.sh setup' installs it");
        var result = await CommandLine.ProgramAsync("node", null, Path.Combine(NodeFolder, "client.mjs"), server.HttpUrl, server.ModelId);
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Contains("all well", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--http2", true)]
    [InlineData("--http1.1", true)]
    [InlineData("--http2-prior-knowledge", false)]
    public async Task Curl_streams(string protocol, bool tls)
    {
        if (!CommandLine.Has("curl")) Assert.Skip("curl is not installed");
        var body = $$"""{"model":"{{server.ModelId}}","stream":true,"stream_options":{"include_usage":true},"temperature":0,"max_tokens":12,"messages":[{"role":"user","content":"Say hello."}]}""";
        var url = (tls ? server.HttpsUrl : server.H2cUrl) + "/v1/chat/completions";
        var result = await CommandLine.ProgramAsync("curl", null, "-sS", "-N", "-k", protocol, "-w", "%{http_version} %{http_code}", "-H", "Content-Type: application/json", "-d", body, url);
        Assert.True(result.ExitCode == 0, result.Error);
        var lines = result.Output.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(protocol == "--http1.1" ? "1.1 200" : "2 200", lines[^1]);
        Assert.Equal("data: [DONE]", lines[^2]);
        Assert.All(lines[..^2], line => Assert.StartsWith("data: {", line, StringComparison.Ordinal));
        using var usage = JsonDocument.Parse(lines[^3]["data: ".Length..]);
        Assert.InRange(usage.RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), 1, 12);
    }

    [Fact]
    public async Task Curl_sends_a_large_body_over_tls()
    {
        if (!CommandLine.Has("curl")) Assert.Skip("curl is not installed");
        var body = new StringBuilder($$"""{"model":"{{server.ModelId}}","prompt":""" + "\"");
        for (var i = 0; i < 200_000; i++) body.Append("word ");
        body.Append("\"}");
        var result = await CommandLine.ProgramAsync("curl", Encoding.UTF8.GetBytes(body.ToString()), "-sS", "-k", "--http2", "-H", "Content-Type: application/json", "--data-binary", "@-", server.HttpsUrl + "/v1/tokenize");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("context_length_exceeded", result.Output, StringComparison.Ordinal);
    }
}

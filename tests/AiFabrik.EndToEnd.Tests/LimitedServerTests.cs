using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>A server with room for one running and one waiting sequence, small bodies and little patience.</summary>
public sealed class LimitedServer : Server
{
    public const int BodyBytesMax = 65536;

    public LimitedServer()
    {
        ProcessEnvironment["AIFABRIK__LIMITS__BODYBYTESMAX"] = $"{BodyBytesMax}";
        ProcessEnvironment["AIFABRIK__LIMITS__BODYGRACESECONDS"] = "1";
        ProcessEnvironment["AIFABRIK__LIMITS__HEARTBEATSECONDS"] = "1";
        ProcessEnvironment["AIFABRIK__ENGINE__MAXSEQUENCES"] = "1";
        ProcessEnvironment["AIFABRIK__ENGINE__MAXQUEUEDSEQUENCES"] = "1";
    }
}

/// <summary>What happens at the limits: large and slow bodies, a full queue, clients that go away.</summary>
public sealed class LimitedServerTests(LimitedServer server) : IClassFixture<LimitedServer>
{
    private const string Long = "\"max_tokens\":6000,\"ignore_eos\":true,\"temperature\":0";

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.H2c, false)]
    [InlineData(Wire.H2c, true)]
    [InlineData(Wire.Tls, false)]
    public async Task A_body_over_the_limit_is_too_large(Wire wire, bool chunked)
    {
        using var client = new Client(server, wire);
        var body = client.Bytes($"{{\"model\":\"MODEL\",\"prompt\":\"{new string('x', LimitedServer.BodyBytesMax)}\"}}");
        // HTTP/2 has no chunks: there a body is of unknown length if the client does not say it.
        using var response = await client.OpenAsync(HttpMethod.Post, "/v1/tokenize", chunked ? new UnknownLength(body) : new ByteArrayContent(body), chunked && wire == Wire.Http1, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        using var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("request_too_large", error.RootElement.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(HttpMethod.Get, "/v1/models", null)).Status);
    }

    [Fact]
    public async Task A_body_of_exactly_the_limit_is_read()
    {
        using var client = new Client(server, Wire.Http1);
        var head = client.Bytes("{\"model\":\"MODEL\",\"prompt\":\"a");
        byte[] body = [.. head, .. Encoding.ASCII.GetBytes(new string(' ', LimitedServer.BodyBytesMax - head.Length - 2)), .. "\"}"u8];
        Assert.Equal(LimitedServer.BodyBytesMax, body.Length);
        foreach (var chunked in (bool[])[false, true])
            Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(HttpMethod.Post, "/v1/tokenize", body, chunked)).Status);
    }

    [Fact]
    public async Task A_slow_body_times_out_over_http1()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.HttpPort, TestContext.Current.CancellationToken);
        var stream = socket.GetStream();
        await stream.WriteAsync("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"model\":"u8.ToArray(), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        Assert.Equal("HTTP/1.1 408 Request Timeout", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.Contains("request_timeout", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_body_times_out_over_http2_and_the_connection_lives_on()
    {
        using var client = new Client(server, Wire.H2c);
        using (var response = await client.OpenAsync(HttpMethod.Post, "/v1/chat/completions", new Stalling(), false, TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.RequestTimeout, response.StatusCode);
            Assert.Contains("request_timeout", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(HttpMethod.Get, "/v1/models", null)).Status);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.H2c)]
    [InlineData(Wire.Tls)]
    public async Task A_full_queue_refuses_until_a_client_goes_away(Wire wire)
    {
        using var client = new Client(server, wire);
        using var gone = new CancellationTokenSource();
        // One runs (its first token has come), one waits, the third is refused at once.
        var running = await client.StreamAsync(Long, cancellation: gone.Token);
        Assert.Equal(HttpStatusCode.OK, running.Status);
        await running.LineAsync();
        await running.LineAsync();
        // A stream that nobody reads is paused, and its place goes to who waits.
        var reading = Task.Run(async () => { while (await running.LineAsync() is not null) { } });
        var waiting = await client.StreamAsync(Long, cancellation: gone.Token);
        var refused = await client.ChatAsync("\"max_tokens\":1");
        Assert.Equal((HttpStatusCode.TooManyRequests, "queue_full", "rate_limit_error"), (refused.Status, refused.Error("code"), refused.Error("type")));
        Assert.NotNull(refused.Headers.RetryAfter);

        // A waiting stream is kept alive by comment lines.
        await waiting.LineAsync();
        Assert.Equal(": keep-alive", await waiting.LineAsync());

        // Both would take long; when their clients are gone, their places are free within a step.
        await gone.CancelAsync();
        running.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => reading);
        waiting.Dispose();
        var since = Stopwatch.GetTimestamp();
        Answer next;
        do next = await client.ChatAsync("\"max_tokens\":1");
        while (next.Status == HttpStatusCode.TooManyRequests && Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(20));
        Assert.Equal(HttpStatusCode.OK, next.Status);
    }

    [Fact]
    public async Task More_choices_than_places_are_refused_for_good()
    {
        using var client = new Client(server, Wire.Http1);
        var answer = await client.ChatAsync("\"n\":3,\"max_tokens\":1");
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_value", "n"), (answer.Status, answer.Error("code"), answer.Error("param")));
    }

    /// <summary>Content whose length nobody knows.</summary>
    private sealed class UnknownLength(byte[] body) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(body).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>Content that begins and does not go on.</summary>
    private sealed class Stalling : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("{\"model\":"u8.ToArray());
            await stream.FlushAsync();
            await Task.Delay(TimeSpan.FromMinutes(1));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

/// <summary>A body whose second half waits.</summary>
internal sealed class Held(byte[] first, byte[] second) : HttpContent
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Begun => _begun.Task;

    public void Release() => _released.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(first);
        await stream.FlushAsync();
        _begun.TrySetResult();
        await _released.Task;
        await stream.WriteAsync(second);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>SIGTERM: nothing new is taken, what runs is finished, then the process ends with 0.</summary>
public sealed class DrainTests
{
    [Fact]
    public async Task A_running_stream_is_finished_and_then_the_process_ends()
    {
        var server = new Server();
        await server.InitializeAsync();
        try
        {
            using var client = new Client(server, Wire.H2c);
            using var stream = await client.StreamAsync("\"max_tokens\":400,\"ignore_eos\":true,\"stream_options\":{\"include_usage\":true}");
            await stream.LineAsync();
            await stream.LineAsync();
            using var late = new Held(client.Bytes("{\"model\":\"MODEL\",\"prompt\":"), client.Bytes("\"Hi\"}"));
            var lateAnswer = client.OpenAsync(HttpMethod.Post, "/v1/completions", late, false, TestContext.Current.CancellationToken);
            await late.Begun;
            // The server has the request once it has answered one that came after it on the same connection.
            Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(HttpMethod.Get, "/v1/models", null)).Status);
            using (var kill = Process.Start("kill", ["-TERM", $"{server.Process.Id}"])) await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
            await Task.Delay(500, TestContext.Current.CancellationToken);
            late.Release();
            using (var refused = await lateAnswer)
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
                Assert.NotNull(refused.Headers.RetryAfter);
                Assert.Contains("shutting_down", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            }
            var lines = await stream.RestAsync();
            Assert.Equal("data: [DONE]", lines[^1]);
            using var usage = JsonDocument.Parse(lines[^2]["data: ".Length..]);
            Assert.Equal(400, usage.RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
            await server.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, server.Process.ExitCode);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }
}

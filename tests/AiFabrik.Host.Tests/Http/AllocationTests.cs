using System.Net;
using System.Net.Sockets;
using System.Text;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Commands;
using AiFabrik.Host.Http;
using Xunit;

namespace AiFabrik.Host.Tests.Http;

/// <summary>The whole way of a streamed answer, from socket to socket, with the default model in this process.</summary>
public sealed class AllocationTests
{
    private const int ShortTokens = 32;
    private const int LongTokens = 512;

    /// <summary>What the longer answer may allocate beyond the shorter: Kestrel's clock, once a second. 40 bytes a token would be more.</summary>
    private const long ToleranceBytes = 16 * 1024;

    [Theory]
    [InlineData("\"temperature\":0")]
    [InlineData("\"temperature\":1,\"top_p\":0.9,\"logprobs\":true,\"top_logprobs\":3")]
    public async Task A_longer_answer_allocates_no_more(string more)
    {
        var data = Directory.CreateTempSubdirectory("aifabrik-allocations-").FullName;
        using var session = ModelSession.Open(ModelChoice.Of(DefaultModel(), "cpu", 0, null, data));
        using var served = session.Serve(new EngineOptions(), 256);
        await using var app = ApiServer.Build(served, new ServerOptions { Http = new IPEndPoint(IPAddress.Loopback, 0), DataDirectory = data }, null);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var bytes = Measure(new Uri(app.Urls.First()).Port, served.Id, more);
        await app.StopAsync(TestContext.Current.CancellationToken);
        Directory.Delete(data, recursive: true);
        TestContext.Current.SendDiagnosticMessage($"{ShortTokens} tokens: {bytes.Short} bytes, {LongTokens} tokens: {bytes.Long} bytes");
        Assert.InRange(bytes.Long - bytes.Short, long.MinValue, ToleranceBytes);
    }

    /// <summary>Blocking socket calls: the client's side allocates nothing that would be counted.</summary>
    private static (long Short, long Long) Measure(int port, string model, string more)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, port);
        var (shorter, longer) = (Request(model, ShortTokens, more), Request(model, LongTokens, more));
        var buffer = new byte[1 << 16];
        // Pools, first calls.
        for (var i = 0; i < 3; i++) Exchange(socket, shorter, buffer);
        // The smaller of two: once, the wiping pool may need another block because this client was late in reading.
        return (Allocated(socket, shorter, buffer), Math.Min(Allocated(socket, longer, buffer), Allocated(socket, longer, buffer)));
    }

    private static long Allocated(Socket socket, byte[] request, byte[] buffer)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Exchange(socket, request, buffer);
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }

    /// <summary>Sends a request and reads to the last chunk of its answer.</summary>
    private static void Exchange(Socket socket, byte[] request, byte[] buffer)
    {
        socket.Send(request);
        var length = 0;
        while (length < 7 || !buffer.AsSpan(length - 7, 7).SequenceEqual("\r\n0\r\n\r\n"u8))
        {
            if (length > buffer.Length / 2)
            {
                buffer.AsSpan(length - 7, 7).CopyTo(buffer);
                length = 7;
            }
            var count = socket.Receive(buffer.AsSpan(length));
            if (count == 0) throw new InvalidOperationException("the server closed the connection");
            length += count;
        }
    }

    private static byte[] Request(string model, int tokens, string more)
    {
        var body = $$"""{"model":"{{model}}","stream":true,"ignore_eos":true,"max_tokens":{{tokens}},"messages":[{"role":"user","content":"Tell me a long story."}],{{more}}}""";
        return Encoding.UTF8.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
    }

    private static string DefaultModel()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "AiFabrik.sln"))) return Directory.GetFiles(Path.Combine(folder.FullName, "models"), "*-00001-of-*.gguf")[0];
        throw new InvalidOperationException("The tests do not run inside a checkout.");
    }
}

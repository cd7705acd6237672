using System.Globalization;
using System.Net;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>A thousand requests, good, bad and aborted, over all protocols: the server answers as before, needs no more memory, and has logged nothing of them.</summary>
public sealed class EnduranceTests
{
    private const int Requests = 1000;
    private const int AtOnce = 12;

    /// <summary>
    /// What the process may have gained: the collector's own slack (generations grow and shrink with its mood), nothing that grows with requests.
    /// A leak of 64 KiB a request would be 64 MiB.
    /// </summary>
    private const long ToleranceBytes = 56L << 20;

    /// <summary>A heap that grows once is at its size afterwards; a leak is there every time.</summary>
    private const int RoundsMax = 4;

    private const string Canary = "ZanzibarCanary7351";

    [Fact]
    public async Task The_server_is_as_before()
    {
        var server = new Server();
        await server.InitializeAsync();
        try
        {
            using var http1 = new Client(server, Wire.Http1);
            using var h2c = new Client(server, Wire.H2c);
            using var tls = new Client(server, Wire.Tls);
            Client[] clients = [http1, h2c, tls];
            var before = (await http1.ChatAsync("\"temperature\":0,\"max_tokens\":32", "Name three rivers.")).Content;
            // Pools and compiled code are at their size after some of each.
            await RunAsync(clients, Requests / 4);
            long memory = 0, grown = long.MaxValue;
            for (var round = 0; round < RoundsMax && grown > ToleranceBytes; round++)
            {
                memory = ResidentBytes(server);
                var failures = await RunAsync(clients, Requests);
                grown = ResidentBytes(server) - memory;
                TestContext.Current.SendDiagnosticMessage($"resident {memory >> 20} MiB, grown by {grown / 1024.0 / 1024:0.0} MiB");
                Assert.Empty(failures);
            }
            Assert.Equal(before, (await http1.ChatAsync("\"temperature\":0,\"max_tokens\":32", "Name three rivers.")).Content);
            Assert.True(grown <= ToleranceBytes, $"resident {memory >> 20} MiB grew by {grown >> 20} MiB");
        }
        finally
        {
            await server.DisposeAsync();
        }
        var log = server.Log;
        Assert.DoesNotContain(Canary, log, StringComparison.OrdinalIgnoreCase);
        string[] words = ["fail:", "crit:", "warn:", "Exception", "   at "];
        Assert.DoesNotContain(log.Split('\n'), line => words.Any(w => line.Contains(w, StringComparison.Ordinal)));
    }

    private static async Task<List<string>> RunAsync(Client[] clients, int count)
    {
        var failures = new List<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
        {
            var problem = await OneAsync(clients[i % clients.Length], i / clients.Length);
            if (problem is not null) lock (failures) failures.Add($"{i}: {problem}");
        });
        return failures;
    }

    /// <summary>One request of a kind that its number chooses; null if the answer is what it must be.</summary>
    private static async Task<string?> OneAsync(Client client, int i)
    {
        switch (i % 10)
        {
            case 0: return Is(await client.ChatAsync("\"max_tokens\":4", $"{Canary} {i}"), HttpStatusCode.OK);
            case 1: return Is(await client.CompleteAsync($"{Canary} {i}", "\"max_tokens\":3,\"temperature\":0,\"logprobs\":3,\"n\":2"), HttpStatusCode.OK);
            case 2: return Is(await client.PostAsync("/v1/tokenize", $$"""{"model":"MODEL","prompt":"{{Canary}} {{i}}"}"""), HttpStatusCode.OK);
            case 3: return await AbortedAsync(client, i);
            case 4: return Is(await client.PostAsync("/v1/chat/completions", $$"""{"model":"MODEL","messages":[{"role":"user","content":"{{Canary}}"""), HttpStatusCode.BadRequest);
            case 5: return Is(await client.ChatAsync("\"temperature\":9", Canary), HttpStatusCode.BadRequest);
            case 6: return Is(await client.PostAsync("/v1/completions", $$"""{"model":"{{Canary}}","prompt":"{{Canary}}"}"""), HttpStatusCode.NotFound);
            case 7: return await StreamedAsync(client, i);
            case 8: return Is(await client.CompleteAsync(string.Concat(Enumerable.Repeat(Canary + " ", i % 50 == 8 ? 60_000 : 3_000)), "\"max_tokens\":1"), HttpStatusCode.BadRequest);
            default: return Is(await client.SendAsync(HttpMethod.Get, $"/{Canary}", null), HttpStatusCode.NotFound);
        }
    }

    private static string? Is(Answer answer, HttpStatusCode status) => answer.Status == status ? null : $"{answer.Status}, not {status}: {answer.Text}";

    private static async Task<string?> StreamedAsync(Client client, int i)
    {
        using var stream = await client.StreamAsync("\"max_tokens\":4", $"{Canary} {i}");
        var lines = await stream.RestAsync();
        return lines.Count > 1 && lines[^1] == "data: [DONE]" ? null : $"a stream of {lines.Count} lines ended with '{lines.LastOrDefault()}'";
    }

    private static async Task<string?> AbortedAsync(Client client, int i)
    {
        using var gone = new CancellationTokenSource();
        using var stream = await client.StreamAsync("\"max_tokens\":2000,\"ignore_eos\":true", $"{Canary} {i}", gone.Token);
        if (stream.Status != HttpStatusCode.OK) return $"{stream.Status}";
        for (var line = 0; line < i % 4; line++) await stream.LineAsync();
        await gone.CancelAsync();
        return null;
    }

    private static long ResidentBytes(Server server)
    {
        var row = File.ReadLines($"/proc/{server.Process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(row.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}

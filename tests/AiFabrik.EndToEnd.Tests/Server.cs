using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>One real server with the default model, shared by the tests of a collection.</summary>
public class Server : IAsyncLifetime
{
    private readonly StringBuilder _log = new();
    private readonly string _data = Directory.CreateTempSubdirectory("aifabrik-e2e-").FullName;
    private Process? _process;

    public int HttpPort { get; } = FreePort();
    public int H2cPort { get; } = FreePort();
    public int HttpsPort { get; } = FreePort();
    public string HttpUrl => $"http://127.0.0.1:{HttpPort}";
    public string H2cUrl => $"http://127.0.0.1:{H2cPort}";
    public string HttpsUrl => $"https://127.0.0.1:{HttpsPort}";
    public string ModelId { get; private set; } = "";
    public string Log { get { lock (_log) return _log.ToString(); } }
    public Process Process => _process ?? throw new InvalidOperationException("the server is not running");

    /// <summary>HTTP/1.1 in the clear.</summary>
    public HttpClient Http { get; private set; } = null!;

    public async ValueTask InitializeAsync() => await StartAsync();

    public async Task StartAsync(params string[] more)
    {
        string[] arguments = ["serve", "--model", Repository.Model, "--http", $"127.0.0.1:{HttpPort}", "--h2c", $"127.0.0.1:{H2cPort}", "--https", $"127.0.0.1:{HttpsPort}", "--data", _data, .. more];
        var start = new ProcessStartInfo(Repository.Executable, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in ProcessEnvironment) start.Environment[key] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => Append(e.Data);
        _process.ErrorDataReceived += (_, e) => Append(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Http = new HttpClient { BaseAddress = new Uri(HttpUrl), Timeout = TimeSpan.FromMinutes(5) };
        while (true)
        {
            if (_process.HasExited) throw new InvalidOperationException("The server ended: " + Log);
            try
            {
                using var ready = await Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
                if (ready.StatusCode == HttpStatusCode.OK) break;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50);
            }
        }
        using var models = JsonDocument.Parse(await Http.GetStringAsync(new Uri("/v1/models", UriKind.Relative)));
        ModelId = models.RootElement.GetProperty("data")[0].GetProperty("id").GetString()!;
    }

    /// <summary>Environment of the server's process, for fixtures that need other limits.</summary>
    public Dictionary<string, string> ProcessEnvironment { get; } = [];

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Http?.Dispose();
        if (_process is { HasExited: false })
        {
            using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            await _process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(40)).Token);
        }
        _process?.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>POST of a JSON body.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(new Uri(path, UriKind.Relative), content);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return (response.StatusCode, document.RootElement.Clone());
    }

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_log) _log.AppendLine(line);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

[CollectionDefinition(Name)]
public sealed class ServerCollection : ICollectionFixture<Server>
{
    public const string Name = "server";
}

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>The ways in which a client may talk to the server.</summary>
public enum Wire
{
    Http1,
    H2c,
    Tls,
}

/// <summary>An answer, read to its end.</summary>
internal sealed record Answer(HttpStatusCode Status, string Text, HttpResponseHeaders Headers, Version Version)
{
    private JsonDocument? _document;

    public JsonElement Json => (_document ??= JsonDocument.Parse(Text)).RootElement;

    /// <summary>The first choice's text, of a chat or a completion.</summary>
    public string Content => Choice(0);

    public string Choice(int index)
    {
        var choice = Json.GetProperty("choices")[index];
        return (choice.TryGetProperty("message", out var message) ? message.GetProperty("content") : choice.GetProperty("text")).GetString()!;
    }

    public string? Finish => Json.GetProperty("choices")[0].GetProperty("finish_reason").GetString();
    public int CompletionTokens => Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32();
    public string? Error(string property) => Json.GetProperty("error").GetProperty(property).GetString();
}

/// <summary>Raw requests, without any library's idea of what a good one is.</summary>
internal sealed class Client : IDisposable
{
    private readonly HttpClient _http;
    private readonly Version _version;
    private readonly string _model;

    public Client(Server server, Wire wire)
    {
        var handler = new SocketsHttpHandler();
        // The development certificate is nobody's business here.
#pragma warning disable CA5359
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        var url = wire switch { Wire.Http1 => server.HttpUrl, Wire.H2c => server.H2cUrl, _ => server.HttpsUrl };
        _http = new HttpClient(handler) { BaseAddress = new Uri(url), Timeout = TimeSpan.FromMinutes(5) };
        _version = wire == Wire.Http1 ? HttpVersion.Version11 : HttpVersion.Version20;
        _model = server.ModelId;
    }

    /// <summary>POST; MODEL in the body stands for the served model's id.</summary>
    public Task<Answer> PostAsync(string path, string body) => SendAsync(HttpMethod.Post, path, Bytes(body));

    public Task<Answer> ChatAsync(string more, string text = "Hi") =>
        PostAsync("/v1/chat/completions", $$"""{"model":"MODEL","messages":[{"role":"user","content":{{JsonSerializer.Serialize(text)}}}]{{(more.Length > 0 ? "," + more : "")}}}""");

    public Task<Answer> CompleteAsync(string prompt, string more) =>
        PostAsync("/v1/completions", $$"""{"model":"MODEL","prompt":{{JsonSerializer.Serialize(prompt)}},{{more}}}""");

    public async Task<Answer> SendAsync(HttpMethod method, string path, byte[]? body, bool chunked = false)
    {
        using var response = await OpenAsync(method, path, body is null ? null : new ByteArrayContent(body), chunked, CancellationToken.None);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers, response.Version);
    }

    public async Task<HttpResponseMessage> OpenAsync(HttpMethod method, string path, HttpContent? content, bool chunked, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path) { Version = _version, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content };
        if (content is not null) content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (chunked) request.Headers.TransferEncodingChunked = true;
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    /// <summary>Opens a stream and returns once its first token's chunk has come.</summary>
    public async Task<ServerStream> StreamAsync(string more, string text = "Hi", CancellationToken cancellation = default)
    {
        var body = $$"""{"model":"MODEL","stream":true,"messages":[{"role":"user","content":{{JsonSerializer.Serialize(text)}}}],{{more}}}""";
        var response = await OpenAsync(HttpMethod.Post, "/v1/chat/completions", new ByteArrayContent(Bytes(body)), false, cancellation);
        return new ServerStream(response, await response.Content.ReadAsStreamAsync(cancellation));
    }

    public byte[] Bytes(string body) => Encoding.UTF8.GetBytes(body.Replace("MODEL", _model, StringComparison.Ordinal));

    public void Dispose() => _http.Dispose();
}

/// <summary>A stream of server-sent events as it comes.</summary>
internal sealed class ServerStream(HttpResponseMessage response, Stream stream) : IDisposable
{
    private readonly StreamReader _reader = new(stream, Encoding.UTF8);

    public HttpStatusCode Status => response.StatusCode;

    /// <summary>The next line that is not empty; null at the end.</summary>
    public async Task<string?> LineAsync()
    {
        while (await _reader.ReadLineAsync() is { } line)
            if (line.Length > 0) return line;
        return null;
    }

    /// <summary>Everything up to the end.</summary>
    public async Task<List<string>> RestAsync()
    {
        var lines = new List<string>();
        while (await LineAsync() is { } line) lines.Add(line);
        return lines;
    }

    public void Dispose()
    {
        _reader.Dispose();
        response.Dispose();
    }
}

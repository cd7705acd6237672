using AiFabrik.Host.Http.Endpoints;
using AiFabrik.Host.Http.Responses;
using AiFabrik.Host.Http.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AiFabrik.Host.Http;

/// <summary>Kestrel with the wiping pool, its endpoints and routes.</summary>
internal static class ApiServer
{
    /// <summary>Builds the server; the caller starts and stops it. The model stays the caller's.</summary>
    public static WebApplication Build(ServedModel model, ServerOptions options, TlsContext? tls)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var pool = new WipingMemoryPool();
        builder.Services.AddSingleton(pool);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(new WipingMemoryPoolFactory(pool));
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(options.Limits.DrainSecondsMax));
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, options, tls, pool));
        // Kestrel does not see that TlsConnection is TLS and would warn at every start that HTTP/2 needs it.
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Error).AddSimpleConsole(o => o.SingleLine = true);
        var app = builder.Build();
        var memories = new RequestMemoryPool(options.Limits, model);
        // Requests whose body is still on its way get 503; those that the engine has are finished.
        app.Lifetime.ApplicationStopping.Register(() => _ = model.Engine.DrainAsync());
        app.Lifetime.ApplicationStopped.Register(memories.Dispose);
        app.Use(NoExceptionLeavesAsync);
        app.UseRouting();
        Map(app, model, memories, options.Limits);
        app.UseEndpoints(static _ => { });
        return app;
    }

    private static void Configure(KestrelServerOptions kestrel, ServerOptions options, TlsContext? tls, WipingMemoryPool pool)
    {
        var limits = options.Limits;
        kestrel.AddServerHeader = false;
        // BodyReader sees to both, for all protocols alike: Kestrel would end a whole HTTP/2 connection for one slow body.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        if (options.Http is not null) kestrel.Listen(options.Http, o => o.Protocols = HttpProtocols.Http1);
        if (options.H2c is not null) kestrel.Listen(options.H2c, o => o.Protocols = HttpProtocols.Http2);
        if (options.Https is not null && tls is not null)
        {
            kestrel.Listen(options.Https, o =>
            {
                o.Protocols = HttpProtocols.Http1AndHttp2;
                o.Use(next => connection => ServeTlsAsync(connection, tls, pool, limits, next));
            });
        }
    }

    private static async Task ServeTlsAsync(ConnectionContext connection, TlsContext tls, WipingMemoryPool pool, HttpLimits limits, ConnectionDelegate next)
    {
        using var secured = new TlsConnection(connection, tls, pool, TimeSpan.FromSeconds(limits.HandshakeSecondsMax));
        await secured.RunAsync(next).ConfigureAwait(false);
    }

    private static void Map(WebApplication app, ServedModel model, RequestMemoryPool memories, HttpLimits limits)
    {
        var generation = new GenerationEndpoint(model, memories, limits);
        var tokenize = new TokenizeEndpoint(model, memories, limits);
        var models = new ModelsEndpoint(model);
        var health = new HealthEndpoint(model);
        app.MapGet("/v1/models", models.ListAsync);
        app.MapGet("/v1/models/{**id}", models.GetAsync);
        app.MapPost("/v1/chat/completions", generation.ChatAsync);
        app.MapPost("/v1/completions", generation.TextAsync);
        app.MapPost("/v1/tokenize", tokenize.TokenizeAsync);
        app.MapPost("/v1/detokenize", tokenize.DetokenizeAsync);
        app.MapGet("/health/live", HealthEndpoint.LiveAsync);
        app.MapGet("/health/ready", health.ReadyAsync);
    }

    /// <summary>The last line of defence: an unexpected exception ends its request with a plain 500, and its message, which nobody has checked for content, is not logged.</summary>
    private static async Task NoExceptionLeavesAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http).ConfigureAwait(false);
            if (IsUnrouted(http)) await ErrorWriter.WriteAsync(http, new JsonOutput(), Unrouted(http)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            http.Abort();
        }
#pragma warning disable CA1031 // Whatever it is, the answer is the same.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ServerLog.RequestFailed(http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("AiFabrik"), e.GetType().Name, e.StackTrace);
            if (http.Response.HasStarted) http.Abort();
            else await ErrorWriter.WriteAsync(http, new JsonOutput(), new(ApiErrorKind.Internal, null, "An internal error occurred. Nothing of the request was kept.")).ConfigureAwait(false);
        }
    }

    /// <summary>Routing found nothing (404), or the URL but not the method (405), and nobody wrote a body.</summary>
    private static bool IsUnrouted(HttpContext http) =>
        !http.Response.HasStarted && http.Response.StatusCode is (StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed) && http.Response.ContentType is null;

    private static ApiError Unrouted(HttpContext http) =>
        http.Response.StatusCode == StatusCodes.Status405MethodNotAllowed
            ? new(ApiErrorKind.MethodNotAllowed, null, "This URL does not allow this method.")
            : new(ApiErrorKind.RouteNotFound, null, "This server has no such URL. It has /v1/chat/completions, /v1/completions, /v1/models, /v1/tokenize, /v1/detokenize, /health/live and /health/ready.");
}

/// <summary>What the server logs: names of types and places in our own code, never a message.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Error, "A request failed with {ExceptionType} at {Place}")]
    public static partial void RequestFailed(ILogger logger, string exceptionType, string? place);
}

using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using AiFabrik.Host.Http;
using AiFabrik.Host.Http.Tls;

namespace AiFabrik.Host.Commands;

/// <summary><c>aifabrik serve</c>: loads a model and answers until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Serves a model over an OpenAI-compatible API.");
        var model = new ModelArguments();
        var serve = new ServeArguments();
        model.AddTo(command);
        serve.AddTo(command);
        command.SetAction((line, cancellation) => RunAsync(ServeSettings.Load(line, model, serve), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(ServeSettings settings, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        RequireFreePorts(settings.Server);
        using var tls = settings.Server.Https is null ? null : OpenTls(settings.Server);
        using var session = ModelSession.Open(ModelChoice.Of(settings.Model, settings.Device, settings.Threads, settings.Quantize, settings.Server.DataDirectory));
        using var served = session.Serve(settings.Engine, settings.KvMemoryMiB);
        await using var app = ApiServer.Build(served, settings.Server, tls);
        try
        {
            await app.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new CommandFailure("A port is already in use. Choose others with --http, --h2c and --https.");
        }
        Announce(served, session, settings.Server, Stopwatch.GetElapsedTime(started));
        await app.WaitForShutdownAsync(cancellation).ConfigureAwait(false);
        return 0;
    }

    /// <summary>Before the model is loaded, which may take long: a port in use is told at once.</summary>
    private static void RequireFreePorts(ServerOptions options)
    {
        foreach (var (name, endpoint) in ((string, IPEndPoint?)[])[("--http", options.Http), ("--h2c", options.H2c), ("--https", options.Https)])
        {
            if (endpoint is null || endpoint.Port == 0) continue;
            try
            {
                using var probe = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                probe.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                probe.Bind(endpoint);
                probe.Listen();
            }
            catch (SocketException e)
            {
                throw new CommandFailure(e.SocketErrorCode == SocketError.AddressAlreadyInUse
                    ? $"Port {endpoint.Port} of {name} is already in use. Choose another, such as {name} {endpoint.Address}:{endpoint.Port + 10}, or '{name} off'."
                    : $"{name} {endpoint} cannot be served here: {e.SocketErrorCode}.");
            }
        }
    }

    private static TlsContext OpenTls(ServerOptions options)
    {
        try
        {
            if (options.CertificatePath is { } path) return TlsContext.Load(path, options.CertificateKeyPath!);
            var (certificate, key, created) = DevelopmentCertificate.Ensure(options.DataDirectory);
            if (created) Console.Error.WriteLine($"Made a development certificate for localhost: {certificate}");
            return TlsContext.Load(certificate, key);
        }
        catch (InvalidOperationException e)
        {
            throw new CommandFailure(e.Message);
        }
        catch (DllNotFoundException)
        {
            throw new CommandFailure("TLS needs OpenSSL 3 (libssl.so.3), which was not found. Install it, or start with '--https off'.");
        }
    }

    private static void Announce(ServedModel served, ModelSession session, ServerOptions options, TimeSpan took)
    {
        var info = session.Executor.Info;
        Console.WriteLine($"{served.Id} on {info.Device} ({info.Description}, {info.Threads} threads, class {info.Class.ToString().ToLowerInvariant()}), context {served.Engine.ContextLen} tokens");
        if (options.Http is not null) Console.WriteLine($"  http://{options.Http}   HTTP/1.1");
        if (options.H2c is not null) Console.WriteLine($"  http://{options.H2c}   HTTP/2 with prior knowledge");
        if (options.Https is not null) Console.WriteLine($"  https://{options.Https}  HTTP/1.1 and HTTP/2 over TLS");
        Console.WriteLine($"Ready after {took.TotalSeconds:0.00} s. There are no accounts yet: on loopback any key will do. Try:");
        var url = options.Http is not null ? $"http://{options.Http}" : options.H2c is not null ? $"--http2-prior-knowledge http://{options.H2c}" : $"-k https://{options.Https}";
        Console.WriteLine($"""
              curl -N {url}/v1/chat/completions -H 'Authorization: Bearer sk-local' -H 'Content-Type: application/json' -d '{"{"}"model":"{served.Id}","stream":true,"messages":[{"{"}"role":"user","content":"Say hello."{"}"}]{"}"}'
            """);
    }
}

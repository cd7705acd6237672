using System.Net;

namespace AiFabrik.Host.Http;

/// <summary>Where the server listens and keeps its own files.</summary>
public sealed record ServerOptions
{
    /// <summary>HTTP/1.1 in the clear; null: none.</summary>
    public IPEndPoint? Http { get; init; }

    /// <summary>HTTP/2 with prior knowledge in the clear; null: none.</summary>
    public IPEndPoint? H2c { get; init; }

    /// <summary>HTTP/1.1 and HTTP/2 over TLS, chosen by ALPN; null: none.</summary>
    public IPEndPoint? Https { get; init; }

    /// <summary>Certificates, converted models, later the database.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>PEM files; null: a development certificate is made.</summary>
    public string? CertificatePath { get; init; }
    public string? CertificateKeyPath { get; init; }

    public HttpLimits Limits { get; init; } = new();

    /// <summary>One sentence if these options cannot be served, else null.</summary>
    public string? Problem()
    {
        if (Http is null && H2c is null && Https is null) return "No endpoint is left: give one of --http, --h2c, --https.";
        foreach (var (name, endpoint) in ((string, IPEndPoint?)[])[("--http", Http), ("--h2c", H2c), ("--https", Https)])
            if (endpoint is not null && !IPAddress.IsLoopback(endpoint.Address))
                return $"{name} {endpoint}: only loopback addresses (127.0.0.1, [::1], localhost) can be served as long as there are no accounts.";
        if (CertificatePath is null != CertificateKeyPath is null) return "--tls-cert and --tls-key belong together: give both or neither.";
        return Limits.Problem();
    }
}

using System.CommandLine;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Http;

namespace AiFabrik.Host.Commands;

/// <summary>
/// What <c>serve</c> runs with: appsettings.json, then environment (AIFABRIK__SECTION__KEY), then command line. A key that nobody knows,
/// or a value that does not fit, refuses to start: a typo must not silently become a default.
/// </summary>
internal sealed class ServeSettings
{
    public const string SettingsFile = "appsettings.json";
    private const string EnvironmentPrefix = "AIFABRIK__";

    private static readonly string[] TopKeys = ["Model", "Device", "Threads", "Quantize", "Data", "Http", "H2c", "Https", "TlsCert", "TlsKey"];

    public string? Model { get; private set; }
    public string Device { get; private set; } = "auto";
    public int Threads { get; private set; }
    public string? Quantize { get; private set; }
    public EngineOptions Engine { get; private set; } = new();

    /// <summary>Memory for the KV cache; 0: a share of what is free.</summary>
    public long KvMemoryMiB { get; private set; }
    public required ServerOptions Server { get; init; }

    public static ServeSettings Load(ParseResult line, ModelArguments model, ServeArguments serve)
    {
        var configuration = Read();
        string Value(string key, Option option, string? given, string fallback) =>
            line.GetResult(option) is { Implicit: false } ? given ?? fallback : configuration[key] ?? fallback;
        var limits = Bind(configuration.GetSection("Limits"), new HttpLimits());
        var settings = new ServeSettings
        {
            Model = Value("Model", model.Model, line.GetValue(model.Model), "") is { Length: > 0 } path ? path : null,
            Device = Value("Device", model.Device, line.GetValue(model.Device), "auto"),
            Threads = Integer("Threads", Value("Threads", model.Threads, $"{line.GetValue(model.Threads)}", "0")),
            Quantize = Value("Quantize", model.Quantize, line.GetValue(model.Quantize), "") is { Length: > 0 } type ? type : null,
            KvMemoryMiB = Integer("KvMemoryMiB", configuration["KvMemoryMiB"] ?? "0"),
            Engine = Bind(configuration.GetSection("Engine"), new EngineOptions()),
            Server = new ServerOptions
            {
                Http = Endpoint("--http", Value("Http", serve.Http, line.GetValue(serve.Http), ServeArguments.HttpDefault)),
                H2c = Endpoint("--h2c", Value("H2c", serve.H2c, line.GetValue(serve.H2c), ServeArguments.H2cDefault)),
                Https = Endpoint("--https", Value("Https", serve.Https, line.GetValue(serve.Https), ServeArguments.HttpsDefault)),
                DataDirectory = Places.Data(Value("Data", model.Data, line.GetValue(model.Data), "") is { Length: > 0 } data ? data : null),
                CertificatePath = Value("TlsCert", serve.TlsCert, line.GetValue(serve.TlsCert), "") is { Length: > 0 } cert ? cert : null,
                CertificateKeyPath = Value("TlsKey", serve.TlsKey, line.GetValue(serve.TlsKey), "") is { Length: > 0 } key ? key : null,
                Limits = limits,
            },
        };
        if (settings.Server.Problem() is { } problem) throw new CommandFailure(problem);
        return settings;
    }

    private static IConfigurationRoot Read()
    {
        var builder = new ConfigurationBuilder();
        foreach (var folder in (string[])[AppContext.BaseDirectory, Directory.GetCurrentDirectory()])
            builder.AddJsonFile(Path.Combine(folder, SettingsFile), optional: true);
        try
        {
            var configuration = builder.AddEnvironmentVariables(EnvironmentPrefix).Build();
            foreach (var child in configuration.GetChildren())
                if (!IsKnown(child.Key)) throw new CommandFailure($"Unknown setting '{child.Key}' in {SettingsFile} or the environment ({EnvironmentPrefix}…). Known are {string.Join(", ", TopKeys)}, KvMemoryMiB, Limits and Engine.");
            return configuration;
        }
        catch (InvalidDataException)
        {
            throw new CommandFailure($"{SettingsFile} is not valid JSON.");
        }
    }

    private static bool IsKnown(string key) =>
        TopKeys.Contains(key, StringComparer.OrdinalIgnoreCase) || key.Equals("KvMemoryMiB", StringComparison.OrdinalIgnoreCase)
        || key.Equals("Limits", StringComparison.OrdinalIgnoreCase) || key.Equals("Engine", StringComparison.OrdinalIgnoreCase);

    /// <summary>Engine settings that may be 0; all others must be 1 or more.</summary>
    private static readonly string[] MayBeZero =
        [nameof(EngineOptions.ContextLen), nameof(EngineOptions.MaxQueuedSequences), nameof(EngineOptions.MaxUndrainedSequences), nameof(EngineOptions.StepsBeforePausedYields)];

    /// <summary>Sets a record's integer properties from a section; each must be known and in its bounds.</summary>
    private static T Bind<T>(IConfigurationSection section, T record) where T : class
    {
        foreach (var child in section.GetChildren())
        {
            var property = typeof(T).GetProperty(child.Key, System.Reflection.BindingFlags.IgnoreCase | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance);
            if (property is null || property.PropertyType != typeof(int) || property.SetMethod is null)
                throw new CommandFailure($"Unknown setting '{child.Path}'. Known in {section.Key} are {string.Join(", ", typeof(T).GetProperties().Where(p => p.PropertyType == typeof(int) && p.SetMethod is not null).Select(p => p.Name))}.");
            var value = Integer(child.Path, child.Value ?? "");
            if (value == 0 && !MayBeZero.Contains(property.Name)) throw new CommandFailure($"Setting '{section.Key}:{property.Name}' must be 1 or above.");
            property.SetValue(record, value);
        }
        return record;
    }

    private static int Integer(string key, string text) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new CommandFailure($"Setting '{key}' must be a whole number, 0 or above.");

    private static System.Net.IPEndPoint? Endpoint(string option, string text) =>
        Endpoints.TryParse(text, out var endpoint) ? endpoint : throw new CommandFailure($"{option} takes HOST:PORT, such as 127.0.0.1:8080, or 'off'.");
}

/// <summary>Options of <c>serve</c> alone.</summary>
internal sealed class ServeArguments
{
    public const string HttpDefault = "127.0.0.1:8080";
    public const string H2cDefault = "127.0.0.1:8081";
    public const string HttpsDefault = "127.0.0.1:8443";

    public Option<string?> Http { get; } = new("--http") { Description = $"HTTP/1.1 in the clear, HOST:PORT or 'off' (default {HttpDefault})." };
    public Option<string?> H2c { get; } = new("--h2c") { Description = $"HTTP/2 with prior knowledge in the clear, HOST:PORT or 'off' (default {H2cDefault})." };
    public Option<string?> Https { get; } = new("--https") { Description = $"HTTP/1.1 and HTTP/2 over TLS, HOST:PORT or 'off' (default {HttpsDefault})." };
    public Option<string?> TlsCert { get; } = new("--tls-cert") { Description = "PEM certificate chain; without it a development certificate is made." };
    public Option<string?> TlsKey { get; } = new("--tls-key") { Description = "PEM private key of --tls-cert." };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[Http, H2c, Https, TlsCert, TlsKey]) command.Options.Add(option);
    }
}

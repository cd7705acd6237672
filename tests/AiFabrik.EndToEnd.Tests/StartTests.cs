using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>What cannot be served is told in one sentence on standard error, exit code 1.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aifabrik-start-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void OneSentence(CommandResult result, string part)
    {
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        var line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("aifabrik: ", line, StringComparison.Ordinal);
        Assert.Contains(part, line, StringComparison.Ordinal);
    }

    private static Task<CommandResult> ServeAsync(params string[] arguments) =>
        CommandLine.RunAsync(["serve", "--http", "127.0.0.1:0", "--h2c", "off", "--https", "off", .. arguments]);

    /// <summary>A copy of the default model's parts, one of them changed.</summary>
    private string Copy(Action<FileStream> change, int part = 0)
    {
        var source = Path.GetDirectoryName(Repository.Model)!;
        var files = Directory.GetFiles(source, "*.gguf").Order(StringComparer.Ordinal).ToArray();
        foreach (var file in files) File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)), overwrite: true);
        using (var stream = new FileStream(Path.Combine(_folder, Path.GetFileName(files[part])), FileMode.Open, FileAccess.ReadWrite)) change(stream);
        return Path.Combine(_folder, Path.GetFileName(files[0]));
    }

    [Fact]
    public async Task A_missing_model() => OneSentence(await ServeAsync("--model", Path.Combine(_folder, "nothing.gguf")), "nothing.gguf");

    [Fact]
    public async Task A_truncated_model()
    {
        OneSentence(await ServeAsync("--model", Copy(static f => f.SetLength(f.Length / 2))), ".gguf");
        OneSentence(await ServeAsync("--model", Copy(static f => f.SetLength(100))), ".gguf");
        OneSentence(await ServeAsync("--model", Copy(static f => f.SetLength(f.Length - 4096), part: 2)), ".gguf");
    }

    [Fact]
    public async Task A_model_that_lies_about_its_counts()
    {
        // GGUF: magic, version, then the number of tensors and of keys, 8 bytes each.
        foreach (var at in (int[])[8, 16])
            OneSentence(await ServeAsync("--model", Copy(f => { f.Position = at; f.Write([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]); })), ".gguf");
    }

    [Fact]
    public async Task A_missing_part()
    {
        var model = Copy(static _ => { });
        File.Delete(Directory.GetFiles(_folder, "*-00002-of-*")[0]);
        OneSentence(await ServeAsync("--model", model), "00002");
    }

    [Fact]
    public async Task A_file_that_is_no_model()
    {
        var path = Path.Combine(_folder, "no.gguf");
        await File.WriteAllTextAsync(path, "This is no model at all.", TestContext.Current.CancellationToken);
        OneSentence(await ServeAsync("--model", path), "no.gguf");
    }

    [Fact]
    public async Task A_port_in_use()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        OneSentence(await CommandLine.RunAsync("serve", "--http", $"127.0.0.1:{port}", "--h2c", "off", "--https", "off"), $"{port}");
    }

    [Theory]
    [InlineData("--http", "0.0.0.0:18080")]
    [InlineData("--http", "*:18080")]
    [InlineData("--http", "192.0.2.1:18080")]
    [InlineData("--http", "[::]:18080")]
    public async Task An_address_that_is_not_loopback(string option, string endpoint) =>
        OneSentence(await CommandLine.RunAsync("serve", "--h2c", "off", "--https", "off", option, endpoint), "loopback");

    [Theory]
    [InlineData("AIFABRIK__NOBODY", "1", "NOBODY")]
    [InlineData("AIFABRIK__LIMITS__NOBODY", "1", "NOBODY")]
    [InlineData("AIFABRIK__LIMITS__BODYBYTESMAX", "many", "BODYBYTESMAX")]
    [InlineData("AIFABRIK__LIMITS__JSONDEPTHMAX", "100000", "JsonDepthMax")]
    [InlineData("AIFABRIK__ENGINE__MAXSEQUENCES", "0", "MaxSequences")]
    [InlineData("AIFABRIK__ENGINE__RINGEVENTS", "1", "RingEvents")]
    [InlineData("AIFABRIK__HTTP", "nowhere", "--http")]
    public async Task A_setting_that_does_not_fit(string key, string value, string part)
    {
        var start = new ProcessStartInfo(Repository.Executable, ["serve", "--h2c", "off", "--https", "off"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment[key] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        OneSentence(new CommandResult(process.ExitCode, System.Text.Encoding.UTF8.GetBytes(output), await error), part);
    }

    [Fact]
    public async Task An_unknown_option_is_refused()
    {
        var result = await CommandLine.RunAsync("serve", "--nobody");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("--nobody", result.Error, StringComparison.Ordinal);
    }
}

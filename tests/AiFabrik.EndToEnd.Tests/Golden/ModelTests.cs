using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests.Golden;

/// <summary>Architectures and weight types through the command line, a sample of the golden ones: the longest case of each, on two devices.</summary>
public sealed class ModelTests
{
    private static async Task CompareAsync(string path, JsonElement c, string logitsFolder, JsonElement bounds, string device)
    {
        using var raw = new TemporaryFile();
        var tokens = c.Ints("tokens");
        var result = await CommandLine.RunAsync("model", "logprobs", "--model", path, "--device", device, "--tokens", string.Join(',', tokens), "--raw", raw.Path, "--top", "1");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(tokens.Length, result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        var ours = GoldenFiles.Floats(raw.Path);
        var expected = GoldenFiles.Floats(Path.Combine(logitsFolder, c.GetProperty("logits").GetString()!));
        var rows = c.Ints("rows");
        var width = expected.Length / rows.Length;
        Assert.Equal(tokens.Length * width, ours.Length);
        var squares = 0.0;
        for (var r = 0; r < rows.Length; r++)
            for (var j = 0; j < width; j++) squares += Math.Pow(ours[rows[r] * width + j] - expected[r * width + j], 2);
        var error = Math.Sqrt(squares / expected.Length) / c.GetProperty("std").GetDouble();
        // The processor's class is int8 where weights are multiplied in 8 bits, float16 where they are not: the wider bound holds for both.
        var bound = bounds.GetProperty(device == "reference" ? "reference" : "int8").GetDouble();
        Assert.True(error <= bound, $"{path} on {device}: error {error:0.00000} above {bound}");
    }

    [Theory]
    [InlineData("llama-rope-llama3")]
    [InlineData("qwen3-tied")]
    [InlineData("gemma3-text")]
    [InlineData("phi3-longrope")]
    [InlineData("qwen3moe-norm")]
    [InlineData("gpt-oss-mxfp4")]
    public async Task Hugging_face_directories(string name)
    {
        var cases = GoldenFiles.Object("models", name, "cases.json");
        var longest = cases.GetProperty("cases").EnumerateArray().MaxBy(c => c.Ints("tokens").Length);
        var folder = Path.Combine(Repository.Golden, "models", name);
        foreach (var device in (string[])["reference", "cpu"]) await CompareAsync(folder, longest, folder, cases.GetProperty("bounds"), device);
    }

    [Theory]
    [InlineData("Q4_0")]
    [InlineData("Q8_0")]
    [InlineData("Q4_K")]
    [InlineData("Q6_K")]
    [InlineData("MXFP4")]
    [InlineData("F16")]
    public async Task Gguf_files(string type)
    {
        var c = GoldenFiles.Object("gguf", "cases.json").GetProperty("types").EnumerateArray().First(c => c.GetProperty("types").GetString() == type);
        var folder = Path.Combine(Repository.Golden, "gguf");
        foreach (var device in (string[])["reference", "cpu"]) await CompareAsync(Path.Combine(folder, c.GetProperty("file").GetString()!), c, folder, c.GetProperty("bounds"), device);
    }
}

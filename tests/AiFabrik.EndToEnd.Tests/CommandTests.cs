using System.Text;
using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests;

/// <summary>Every command does what its help says.</summary>
public sealed class CommandTests
{
    private static CommandResult Ok(CommandResult result)
    {
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        return result;
    }

    [Fact]
    public async Task Run_answers_a_prompt()
    {
        var raw = Ok(await CommandLine.RunAsync("run", "--model", Repository.Model, "--prompt", "The capital of France is", "--raw", "--max-tokens", "2", "--temperature", "0"));
        Assert.Equal(" Paris.\n", raw.Output);
        var chat = Ok(await CommandLine.RunAsync(Encoding.UTF8.GetBytes("What is the capital of France? Answer in a sentence."), "run", "--model", Repository.Model, "--prompt", "-", "--max-tokens", "24", "--temperature", "0"));
        Assert.Contains("Paris", chat.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_without_a_prompt_is_a_chat()
    {
        var result = Ok(await CommandLine.RunAsync(Encoding.UTF8.GetBytes("What is the capital of France? Answer in a sentence.\nAnd of Italy?\n"), "run", "--model", Repository.Model, "--max-tokens", "16", "--temperature", "0"));
        Assert.Contains("Paris", result.Output, StringComparison.Ordinal);
        Assert.True(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length >= 2, result.Output);
    }

    [Fact]
    public async Task Bench_prints_a_row_of_numbers_for_each_test()
    {
        var result = Ok(await CommandLine.RunAsync("bench", "--model", Repository.Model, "--prompt", "32", "--decode", "4", "--sequences", "2", "--repeats", "2", "--json"));
        var rows = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        Assert.Equal(["pp32", "tg4 x2"], rows.Select(r => r.GetProperty("test").GetString()));
        Assert.All(rows, r => Assert.True(r.GetProperty("tokens_per_second").GetDouble() > 0));
        Assert.True(rows[1].GetProperty("weight_bytes_per_second").GetDouble() > 0);
        Assert.True(rows[1].GetProperty("bandwidth_share").GetDouble() > 0);
    }

    [Fact]
    public async Task Doctor_finds_everything_in_order()
    {
        var data = Directory.CreateTempSubdirectory("aifabrik-doctor-").FullName;
        try
        {
            var result = Ok(await CommandLine.RunAsync("doctor", "--model", Repository.Model, "--data", data, "--json"));
            using var rows = JsonDocument.Parse(result.Output);
            var checks = rows.RootElement.EnumerateArray().ToDictionary(r => r.GetProperty("check").GetString()!, r => r.GetProperty("verdict").GetString());
            foreach (var check in (string[])["device cpu", "device reference", "tls", "model", "limit BodyBytesMax"]) Assert.Equal("ok", checks[check]);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Inspect_and_verify_the_default_model()
    {
        var inspected = Ok(await CommandLine.RunAsync("model", "inspect", Repository.Model, "--json"));
        using var json = JsonDocument.Parse(inspected.Output);
        Assert.Equal("30", json.RootElement.GetProperty("facts").GetProperty("n_layers").GetString());
        Assert.True(json.RootElement.GetProperty("tensors").GetArrayLength() > 200);
        var verified = Ok(await CommandLine.RunAsync("model", "verify", Repository.Model, "--json"));
        using var rows = JsonDocument.Parse(verified.Output);
        Assert.All(rows.RootElement.EnumerateArray(), r => Assert.NotEqual("failed", r.GetProperty("verdict").GetString()));
        Assert.True(rows.RootElement.GetArrayLength() > 3);
    }

    [Fact]
    public async Task Synth_writes_a_model_that_runs()
    {
        var folder = Directory.CreateTempSubdirectory("aifabrik-synth-").FullName;
        try
        {
            var file = Path.Combine(folder, "random.gguf");
            Ok(await CommandLine.RunAsync("model", "synth", "--shape", "smollm2-135m", "--type", "q4_0", "--out", file));
            var result = Ok(await CommandLine.RunAsync("model", "logprobs", "--model", file, "--tokens", "1,2,3", "--top", "1"));
            Assert.Equal(3, result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("tokenize", "not json")]
    [InlineData("tokenize", "[1]")]
    [InlineData("tokenize", "{\"ids\":[1]}")]
    [InlineData("detokenize", "{\"text\":\"a\"}")]
    [InlineData("detokenize", "{\"ids\":[99999999]}")]
    public async Task Bad_lines_are_told_with_their_number(string command, string line)
    {
        var result = await CommandLine.RunAsync(Encoding.UTF8.GetBytes(line + "\n"), "model", command, "--model", Repository.Model, "--jsonl");
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}

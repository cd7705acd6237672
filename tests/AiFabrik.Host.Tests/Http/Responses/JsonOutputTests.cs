using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using AiFabrik.Host.Http.Responses;
using FsCheck.Xunit;
using Xunit;

namespace AiFabrik.Host.Tests.Http.Responses;

/// <summary>What is written, System.Text.Json reads back.</summary>
public sealed class JsonOutputTests
{
    private static async Task<byte[]> WriteAsync(Action<JsonOutput> write)
    {
        var pipe = new Pipe();
        var output = new JsonOutput();
        output.Attach(pipe.Writer);
        write(output);
        await pipe.Writer.FlushAsync();
        await pipe.Writer.CompleteAsync();
        using var memory = new MemoryStream();
        await pipe.Reader.CopyToAsync(memory);
        return memory.ToArray();
    }

    [Property(MaxTest = 500)]
    public void Text_comes_back_whatever_its_bytes(byte[] bytes)
    {
        var json = WriteAsync(o => o.Text(bytes)).GetAwaiter().GetResult();
        Assert.Equal(Encoding.UTF8.GetString(bytes), JsonSerializer.Deserialize<string>(json));
    }

    [Fact]
    public async Task Long_text_with_every_control_character_comes_back()
    {
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(i => (char)(i % 0x90))) + "é😀\u2028";
        var json = await WriteAsync(o => o.Text(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(text, JsonSerializer.Deserialize<string>(json));
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-1.5f)]
    [InlineData(1e-30f)]
    [InlineData(float.MaxValue)]
    public async Task Numbers_come_back(float value) => Assert.Equal(value, JsonSerializer.Deserialize<float>(await WriteAsync(o => o.Number(value))));

    [Fact]
    public async Task A_token_without_probability_is_still_json() => Assert.Equal(-9999f, JsonSerializer.Deserialize<float>(await WriteAsync(o => o.Number(float.NegativeInfinity))));
}

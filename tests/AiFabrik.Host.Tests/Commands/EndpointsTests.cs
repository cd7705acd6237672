using AiFabrik.Host.Commands;
using AiFabrik.Host.Http;
using Xunit;

namespace AiFabrik.Host.Tests.Commands;

public sealed class EndpointsTests
{
    [Theory]
    [InlineData("127.0.0.1:80", "127.0.0.1:80")]
    [InlineData("localhost:8080", "127.0.0.1:8080")]
    [InlineData("[::1]:443", "[::1]:443")]
    [InlineData("off", null)]
    public void Reads(string text, string? expected)
    {
        Assert.True(Endpoints.TryParse(text, out var endpoint));
        Assert.Equal(expected, endpoint?.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("8080")]
    [InlineData(":8080")]
    [InlineData("127.0.0.1:70000")]
    [InlineData("127.0.0.1:x")]
    [InlineData("nowhere:80")]
    public void Refuses(string text) => Assert.False(Endpoints.TryParse(text, out _));

    [Theory]
    [InlineData("0.0.0.0:8080")]
    [InlineData("10.0.0.1:8080")]
    [InlineData("[::]:8080")]
    public void Only_loopback_is_served(string text)
    {
        Assert.True(Endpoints.TryParse(text, out var endpoint));
        Assert.Contains("loopback", new ServerOptions { Http = endpoint, DataDirectory = "x" }.Problem(), StringComparison.Ordinal);
    }
}

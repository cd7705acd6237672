using Xunit;

namespace AiFabrik.Host.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void Builds() => Assert.True(true);
}

using Xunit;

namespace AiFabrik.Compute.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void Builds() => Assert.True(true);
}

using AiFabrik.Engine.Models.Gguf;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Gguf;

public sealed class GgufSplitTests
{
    private const uint F32 = 0;

    /// <summary>Part <paramref name="no"/> (from 0) with one tensor.</summary>
    private static byte[] Part(uint no, uint count, uint total, string tensor) =>
        new GgufBytes(1, 3).Pair("split.no", no).Pair("split.count", count).Pair("split.tensors.count", total).Tensor(tensor, F32, 0, 8).Data(32).ToArray();

    private static string ErrorOf(params byte[]?[] parts)
    {
        using var folder = new TemporaryFolder();
        for (var i = 0; i < parts.Length; i++)
            if (parts[i] is { } bytes) File.WriteAllBytes(folder.File($"m-{i + 1:00000}-of-{parts.Length:00000}.gguf"), bytes);
        if (!GgufFile.TryOpen(folder.File($"m-00001-of-{parts.Length:00000}.gguf"), out var file, out var error)) return error;
        file.Dispose();
        return "";
    }

    [Fact]
    public void Parts_that_agree_are_one_model() => Assert.Equal("", ErrorOf(Part(0, 2, 2, "a"), Part(1, 2, 2, "b")));

    [Fact]
    public void A_missing_part_is_named() => Assert.Contains("m-00002-of-00002.gguf is missing", ErrorOf(Part(0, 2, 2, "a"), null), StringComparison.Ordinal);

    [Fact]
    public void Parts_of_another_model_are_refused()
    {
        const string Stranger = "is not part 2 of 2";
        Assert.Contains(Stranger, ErrorOf(Part(0, 2, 2, "a"), Part(0, 2, 2, "b")), StringComparison.Ordinal);
        Assert.Contains(Stranger, ErrorOf(Part(0, 2, 2, "a"), Part(1, 3, 2, "b")), StringComparison.Ordinal);
        Assert.Contains(Stranger, ErrorOf(Part(0, 2, 2, "a"), Part(1, 2, 5, "b")), StringComparison.Ordinal);
        Assert.Contains(Stranger, ErrorOf(Part(0, 2, 2, "a"), new GgufBytes(1).Tensor("b", F32, 0, 8).Data(32).ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_are_counted_and_stand_once()
    {
        Assert.Contains("split.tensors.count is 7, but the 2 parts hold 2", ErrorOf(Part(0, 2, 7, "a"), Part(1, 2, 7, "b")), StringComparison.Ordinal);
        Assert.Contains("'a' stands in two of its parts", ErrorOf(Part(0, 2, 2, "a"), Part(1, 2, 2, "a")), StringComparison.Ordinal);
    }

    [Fact]
    public void Contradicting_keys_and_names_are_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("plain.gguf"), Part(0, 2, 2, "a"));
        Assert.False(GgufFile.TryOpen(folder.File("plain.gguf"), out _, out var error));
        Assert.Contains("is not named -00001-of-00002.gguf", error, StringComparison.Ordinal);
        Assert.Contains("contradict each other", ErrorOf(Part(5, 2, 2, "a"), Part(1, 2, 2, "b")), StringComparison.Ordinal);
        Assert.Contains("contradict each other", ErrorOf(Part(0, 100_000, 2, "a"), Part(1, 2, 2, "b")), StringComparison.Ordinal);
    }
}

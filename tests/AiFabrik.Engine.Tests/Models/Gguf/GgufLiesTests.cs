using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Gguf;

/// <summary>Files that lie are refused with a sentence that says how, and before anything is allocated from their numbers.</summary>
public sealed class GgufLiesTests
{
    private const uint F32 = 0, Q8_0 = 8;
    private const uint Array = (uint)GgufValueType.Array, Text = (uint)GgufValueType.String, Byte = (uint)GgufValueType.UInt8;

    public static TheoryData<string, byte[]> Lies => new()
    {
        { "not a GGUF file", "NOPE............"u8.ToArray() },
        { "big-endian GGUF files", new GgufBytes(version: 0x0300_0000).ToArray() },
        { "big-endian GGUF files", [.. "FUGG"u8, .. new byte[20]] },
        { "GGUF version 1 is not supported", new GgufBytes(version: 1).ToArray() },
        { "GGUF version 4 is not supported", new GgufBytes(version: 4).ToArray() },
        { "tensors, more than the limit", new GgufBytes(tensors: ulong.MaxValue).ToArray() },
        { "metadata keys, more than the limit", new GgufBytes(pairs: 1UL << 40).ToArray() },
        { "more keys and tensors than its bytes can hold", new GgufBytes(pairs: 10_000).ToArray() },
        { "metadata key 0 is longer than the file", new GgufBytes(pairs: 1).U64(1UL << 62).Data(64).ToArray() },
        { "metadata key 0 is longer than the file", new GgufBytes(pairs: 1).U64(70_000).Data(80_000).ToArray() },
        { "is empty or not UTF-8", new GgufBytes(pairs: 1).U64(2).U32(0xFFFF_FFFF).Data(64).ToArray() },
        { "unknown type 13", new GgufBytes(pairs: 1).Text("k").U32(13).Data(64).ToArray() },
        { "the string of metadata key 'k' is longer", new GgufBytes(pairs: 1).Text("k").U32(Text).U64(ulong.MaxValue).Data(64).ToArray() },
        { "claims 1152921504606846976 items, more than the limit", new GgufBytes(pairs: 1).Text("k").U32(Array).U32(Byte).U64(1UL << 60).Data(64).ToArray() },
        { "claims 1000000 items, more than the file holds", new GgufBytes(pairs: 1).Text("k").U32(Array).U32(Text).U64(1_000_000).Data(64).ToArray() },
        { "array of the unknown type 99", new GgufBytes(pairs: 1).Text("k").U32(Array).U32(99).U64(1).Data(64).ToArray() },
        { "nests arrays deeper than 3", new GgufBytes(pairs: 1).Text("k").U32(Array).U32(Array).U64(1).U32(Array).U64(1).U32(Array).U64(1).U32(Array).U64(1).U32(Byte).U64(0).Data(64).ToArray() },
        { "string 1 of metadata key 'k' is longer", new GgufBytes(pairs: 1).Text("k").U32(Array).U32(Text).U64(2).Text("a").U64(1UL << 50).Data(64).ToArray() },
        { "metadata key 'k' stands twice", new GgufBytes(pairs: 2).Pair("k", 1).Pair("k", 2).ToArray() },
        { "ends beyond the file", new GgufBytes(pairs: 1).Text("k").U32((uint)GgufValueType.UInt64).U32(1).ToArray() },
        { "general.alignment is not a power of two", new GgufBytes(pairs: 1).Pair("general.alignment", 24).ToArray() },
        { "general.alignment is not a power of two", new GgufBytes(pairs: 1).Pair("general.alignment", 0).ToArray() },
        { "tensor 't' stands twice", new GgufBytes(2).Tensor("t", F32, 0, 8).Tensor("t", F32, 32, 8).Data(64).ToArray() },
        { "has 0 dimensions", new GgufBytes(1).Tensor("t", F32, 0).Data(64).ToArray() },
        { "has 5 dimensions", new GgufBytes(1).Tensor("t", F32, 0, 1, 1, 1, 1, 1).Data(64).ToArray() },
        { "impossible dimension 0", new GgufBytes(1).Tensor("t", F32, 0, 8, 0).Data(64).ToArray() },
        { "impossible dimension 4294967296", new GgufBytes(1).Tensor("t", F32, 0, 1UL << 32).Data(64).ToArray() },
        { "larger than the file", new GgufBytes(1).Tensor("t", F32, 0, 1UL << 30, 1UL << 30, 1UL << 30, 1UL << 30).Data(64).ToArray() },
        { "larger than the file", new GgufBytes(1).Tensor("t", F32, 0, 8, 1UL << 30).Data(64).ToArray() },
        { "type IQ2_XXS, which is not supported", new GgufBytes(1).Tensor("t", 16, 0, 256).Data(256).ToArray() },
        { "type Q4_0_4_4 (removed from ggml), which is not supported", new GgufBytes(1).Tensor("t", 31, 0, 256).Data(256).ToArray() },
        { "type number 4000000000, which is not supported", new GgufBytes(1).Tensor("t", 4_000_000_000, 0, 256).Data(256).ToArray() },
        { "not a multiple of Q8_0's block of 32", new GgufBytes(1).Tensor("t", Q8_0, 0, 48).Data(256).ToArray() },
        { "lies beyond the end", new GgufBytes(1).Tensor("t", F32, 1UL << 63, 8).Data(64).ToArray() },
        { "not aligned to 32 bytes", new GgufBytes(1).Tensor("t", F32, 8, 8).Data(64).ToArray() },
        { "the file is truncated", new GgufBytes(1).Tensor("t", F32, 0, 16).Data(32).Data(0).ToArray() },
        { "'a' and 'b' overlap", new GgufBytes(2).Tensor("a", F32, 0, 16).Tensor("b", F32, 32, 16).Data(128).ToArray() },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public void Is_refused(string reason, byte[] bytes)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = GgufBytes.ErrorOf(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, bytes.Length * 4 + 200_000);
        Assert.NotNull(error);
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.StartsWith("m.gguf", error, StringComparison.Ordinal);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Alignment_of_the_file_is_honoured()
    {
        var bytes = new GgufBytes(2, 1, version: 2).Pair("general.alignment", 128).Tensor("a", F32, 0, 8).Tensor("b", F32, 128, 8).Data(160, 128).ToArray();
        Assert.True(GgufFile.TryOpen(FileBytes.Of("m.gguf", bytes), out var file, out var error), error);
        using (file)
        {
            Assert.Equal(128, file.AlignmentBytes);
            Assert.Equal(2u, file.Version);
            Assert.All(file.Tensors, t => Assert.Equal(0, t.Offset % 128));
            Assert.Equal(bytes.Length, file.Tensors[1].Offset + file.Tensors[1].Bytes);
        }
        Assert.Contains("not aligned to 128", GgufBytes.ErrorOf(new GgufBytes(1, 1).Pair("general.alignment", 128).Tensor("a", F32, 32, 8).Data(160, 128).ToArray()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("type-Q4_0.gguf")]
    [InlineData("arch-gpt-oss-mxfp4.gguf")]
    public void Every_truncation_is_refused(string name)
    {
        var whole = FileBytes.Of("m.gguf", File.ReadAllBytes(TestPaths.Gguf(name)));
        Assert.True(GgufFile.TryOpen(whole.Shortened((int)whole.LengthBytes), out var file, out _));
        var end = (int)file.Tensors.Max(t => t.Offset + t.Bytes);
        // Step 7 meets every kind of field; the tensor data is all alike.
        for (var length = 1; length < end; length += length < 20_000 ? 7 : 4_999)
        {
            Assert.False(GgufFile.TryOpen(whole.Shortened(length), out _, out var error), $"{length} bytes were taken for a model");
            Assert.EndsWith(".", error, StringComparison.Ordinal);
        }
        Assert.False(GgufFile.TryOpen(whole.Shortened(end - 1), out _, out _));
    }

    [Fact]
    public void Metadata_of_every_kind_is_read()
    {
        var bytes = new GgufBytes(0, 6).Pair("u", 4_000_000_000)
            .Text("i").U32((uint)GgufValueType.Int64).U64(unchecked((ulong)-5L)).Text("f").U32((uint)GgufValueType.Float64).U64(BitConverter.DoubleToUInt64Bits(0.5))
            .Text("s").U32(Text).Text("text").Text("a").U32(Array).U32(Text).U64(3).Text("x").Text("").Text("yz")
            .Text("n").U32(Array).U32(Array).U64(1).U32(Text).U64(1).Text("deep").ToArray();
        Assert.True(GgufFile.TryOpen(FileBytes.Of("m.gguf", bytes), out var file, out var error), error);
        using (file)
        {
            var m = file.Metadata;
            Assert.Equal(["u", "i", "f", "s", "a", "n"], m.Keys);
            Assert.True(m.TryGetUInt32("u", out var u) && u == 4_000_000_000);
            Assert.True(m.TryGetInt64("i", out var i) && i == -5);
            Assert.False(m.TryGetUInt32("i", out _));
            Assert.True(m.TryGetFloat("f", out var f) && f == 0.5f);
            Assert.True(m.TryGetString("s", out var s) && s.SequenceEqual("text"u8));
            Assert.True(m.TryGetStrings("a", out var a));
            Assert.Equal(3, a.Count);
            Assert.True(a[0].SequenceEqual("x"u8) && a[1].IsEmpty && a[2].SequenceEqual("yz"u8));
            Assert.False(m.TryGetStrings("n", out _));
            Assert.True(m.TryDescribe("n", out var type, out var item, out var count));
            Assert.Equal((GgufValueType.Array, GgufValueType.Array, 1), (type, item, count));
        }
    }
}

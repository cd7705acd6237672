using System.Text;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Safetensors;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Safetensors;

public sealed class SafetensorsLiesTests
{
    private static byte[] Bytes(string header, int data, ulong? length = null) =>
        [.. BitConverter.GetBytes(length ?? (ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. new byte[data]];

    private static string? ErrorOf(byte[] bytes) => SafetensorsHeader.TryParse(FileBytes.Of("m.safetensors", bytes), out _, out var error) ? null : error;

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8)]
    [InlineData("""{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0,5],"data_offsets":[2,2]}}   """, 2)]
    [InlineData("{}", 0)]
    public void Valid_headers_are_read(string header, int data) => Assert.Null(ErrorOf(Bytes(header, data)));

    [Theory]
    [InlineData("claims 18446744073709551615 bytes, more than the limit", "{}", 0, ulong.MaxValue)]
    [InlineData("more than the file has", "{}", 0, 100ul)]
    [InlineData("not the JSON", """{"a":""", 0, null)]
    [InlineData("not the JSON", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":[[[[[1]]]]]}}""", 8, null)]
    [InlineData("not a JSON object", "[]", 0, null)]
    [InlineData("not the JSON", "{}{}", 0, null)]
    [InlineData("'a' stands twice", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16, null)]
    [InlineData("'a' stands twice", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16, null)]
    [InlineData("has a field twice", """{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}""", 8, null)]
    [InlineData("lacks its dtype", """{"a":{"dtype":"F32","shape":[2]}}""", 8, null)]
    [InlineData("unknown dtype 'Q4'", """{"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}""", 8, null)]
    [InlineData("lies beyond the end", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, null)]
    [InlineData("lies beyond the end", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, null)]
    [InlineData("lies beyond the end", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, null)]
    [InlineData("which its shape and dtype F32 do not give", """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, null)]
    [InlineData("which its shape and dtype F32 do not give", """{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,8]}}""", 8, null)]
    [InlineData("impossible dimension", """{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, null)]
    [InlineData("impossible dimension", """{"a":{"dtype":"F32","shape":[1e1],"data_offsets":[0,8]}}""", 8, null)]
    [InlineData("more than 8 dimensions", """{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""", 8, null)]
    [InlineData("are not two numbers", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", 8, null)]
    [InlineData("overlaps another one", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, null)]
    [InlineData("a hole before tensor 'b'", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}""", 20, null)]
    [InlineData("goes on after its last tensor", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, null)]
    public void Lies_are_refused(string reason, string header, int data, ulong? length)
    {
        var error = ErrorOf(Bytes(header, data, length));
        Assert.NotNull(error);
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"weight_map":{"model.norm.weight":"../model.safetensors"}}""", "not a .safetensors file beside it")]
    [InlineData("""{"weight_map":{"model.norm.weight":"pytorch_model.bin"}}""", "not a .safetensors file beside it")]
    [InlineData("""{"weight_map":{"model.norm.weight":"missing.safetensors"}}""", "does not exist")]
    [InlineData("""{"weight_map":{"no.such.tensor":"model-00001-of-00002.safetensors"}}""", "does not hold the tensor 'no.such.tensor'")]
    [InlineData("""{"weight_map":[]}""", "has no weight_map")]
    [InlineData("""{"weight_map":{"a":"\ud800"}}""", "not valid Unicode")]
    public void A_lying_index_is_refused(string index, string reason)
    {
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(TestPaths.HuggingFace("llama-head-dim"))) File.Copy(file, folder.File(Path.GetFileName(file)));
        File.WriteAllText(folder.File(SafetensorsModel.IndexName), index);
        var e = Assert.Throws<ModelFormatException>(() => ModelFiles.Open(folder.Path));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }
}

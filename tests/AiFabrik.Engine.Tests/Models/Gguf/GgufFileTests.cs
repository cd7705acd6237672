using AiFabrik.Engine.Models.Gguf;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Gguf;

public sealed class GgufFileTests
{
    public static TheoryData<string> Golden => [.. TestPaths.GoldenGguf];

    [Theory]
    [MemberData(nameof(Golden))]
    public void Every_golden_file_opens_and_its_tensors_fill_it(string name)
    {
        using var file = Open(TestPaths.GivenGguf(name));
        Assert.Equal(3u, file.Version);
        Assert.True(file.Metadata.TryGetString("general.name", out var title));
        Assert.False(title.IsEmpty);
        Assert.True(file.TryGetTensor("token_embd.weight", out var embedding));
        Assert.True(embedding.Weight.Rows > 1);
        // Tensors and the padding between them are all that follows the headers, so most of these tiny files.
        Assert.InRange(file.Tensors.Sum(t => t.Bytes), 0.8 * file.LengthBytes - 20_000, file.LengthBytes);
        Assert.All(file.Tensors, t => Assert.Equal(t.Bytes, t.Weight.WeightBytes));
    }

    [Fact]
    public void The_default_model_opens_from_its_three_parts()
    {
        using var file = Open(TestPaths.DefaultModel);
        Assert.Equal(3, file.PartPaths.Count());
        Assert.Equal(272, file.Tensors.Count);
        Assert.True(file.Metadata.TryGetUInt32("llama.block_count", out var layers));
        Assert.Equal(30u, layers);
        Assert.True(file.Metadata.TryGetFloat("llama.rope.freq_base", out var theta));
        Assert.Equal(100000f, theta);
        Assert.True(file.Metadata.TryGetBool("tokenizer.ggml.add_bos_token", out var addBos));
        Assert.False(addBos);
        Assert.True(file.Metadata.TryGetInt32s("tokenizer.ggml.token_type", out var types));
        Assert.Equal(49152, types.Length);
        Assert.Equal(3, types[1]);
        Assert.False(file.Metadata.TryGetString("llama.block_count", out _));
        Assert.False(file.Metadata.TryGetUInt32("no.such.key", out _));
    }

    [Fact]
    public void Strings_of_an_array_are_read_in_place_without_allocating()
    {
        using var file = Open(TestPaths.DefaultModel);
        Assert.True(file.Metadata.TryGetStrings("tokenizer.ggml.tokens", out var tokens));
        Assert.Equal(49152, tokens.Count);
        Assert.Equal("<|im_start|>"u8, tokens[1]);
        var bytes = 0L;
        Assert.Equal(0, Allocations.Steady(() =>
        {
            file.Metadata.TryGetStrings("tokenizer.ggml.tokens", out var strings);
            bytes = 0;
            for (var i = 0; i < strings.Count; i++) bytes += strings[i].Length;
        }));
        Assert.InRange(bytes, 200_000, 500_000);
    }

    [Fact]
    public void A_later_part_is_refused_with_what_to_give_instead()
    {
        Assert.False(GgufFile.TryOpen(TestPaths.DefaultModel.Replace("-00001-", "-00002-", StringComparison.Ordinal), out _, out var error));
        Assert.Contains("part 2 of 3: give the first part", error, StringComparison.Ordinal);
    }

    internal static GgufFile Open(string path)
    {
        Assert.True(GgufFile.TryOpen(path, out var file, out var error), error);
        return file;
    }
}

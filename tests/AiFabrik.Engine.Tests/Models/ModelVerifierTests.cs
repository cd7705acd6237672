using AiFabrik.Compute.Reference;
using AiFabrik.Engine.Models;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

public sealed class ModelVerifierTests
{
    private static readonly ModelVerifierHooks Hooks = new() { Executor = (program, limits) => new ReferenceExecutor(program, limits, new ReferenceOptions { Threads = 1 }), Templates = _ => "1 template" };

    public static TheoryData<string> Models => [.. TestPaths.GoldenDirectories.Select(TestPaths.HuggingFace), .. TestPaths.GoldenGguf.Select(TestPaths.Gguf)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Every_golden_model_passes(string path)
    {
        var rows = ModelVerifier.Verify(path, Hooks);
        Assert.Equal(["structure", "checksums", "shapes", "numbers", "tokenizer", "chat template", "short run"], rows.Select(r => r.Check));
        Assert.All(rows, r => Assert.True(r.Verdict == (r.Check == "checksums" ? ModelVerdict.Skipped : ModelVerdict.Ok), $"{r}"));
    }

    [Fact]
    public void A_file_that_is_no_model_fails_the_first_check_and_skips_the_others()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("m.gguf"), "GGUF");
        var rows = ModelVerifier.Verify(folder.File("m.gguf"), Hooks);
        Assert.Equal(7, rows.Count);
        Assert.Equal(ModelVerdict.Failed, rows[0].Verdict);
        Assert.All(rows.Skip(1), r => Assert.Equal(ModelVerdict.Skipped, r.Verdict));
    }

    [Fact]
    public void Values_that_are_no_numbers_are_found()
    {
        using var folder = new TemporaryFolder();
        var bytes = File.ReadAllBytes(TestPaths.Gguf("arch-llama-mha-bias.gguf"));
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 64), float.NaN);
        File.WriteAllBytes(folder.File("m.gguf"), bytes);
        Assert.Contains(ModelVerifier.Verify(folder.File("m.gguf")), r => r.Check == "numbers" && r.Verdict == ModelVerdict.Failed);
    }
}

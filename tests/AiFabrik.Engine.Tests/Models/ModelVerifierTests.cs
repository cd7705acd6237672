using AiFabrik.Compute.Reference;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Tests.Text.Tokenization;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

public sealed class ModelVerifierTests
{
    private static readonly ModelVerifierHooks Hooks = new() { Executor = (program, limits) => new ReferenceExecutor(program, limits, new ReferenceOptions { Threads = 1 }), Templates = _ => "1 template" };

    public static TheoryData<string> Models => [.. TestPaths.GoldenDirectories.Select(TestPaths.GivenHuggingFace), .. TestPaths.GoldenGguf.Select(TestPaths.GivenGguf)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Every_golden_model_passes(string path)
    {
        var rows = ModelVerifier.Verify(path, Hooks);
        Assert.Equal(["structure", "checksums", "shapes", "numbers", "tokenizer", "byte coverage", "chat template", "short run"], rows.Select(r => r.Check));
        Assert.All(rows.Where(r => r.Check != "byte coverage"), r => Assert.True(r.Verdict == (r.Check == "checksums" ? ModelVerdict.Skipped : ModelVerdict.Ok), $"{r}"));
    }

    [Fact]
    public void A_file_that_is_no_model_fails_the_first_check_and_skips_the_others()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("m.gguf"), "GGUF");
        var rows = ModelVerifier.Verify(folder.File("m.gguf"), Hooks);
        Assert.Equal(8, rows.Count);
        Assert.Equal(ModelVerdict.Failed, rows[0].Verdict);
        Assert.All(rows.Skip(1), r => Assert.Equal(ModelVerdict.Skipped, r.Verdict));
    }

    /// <summary>What is wrong is told where it is, and everything else is checked all the same.</summary>
    [Theory]
    [InlineData("config.json", "\"llama\"", "\"mamba2\"", "structure", "the architecture 'mamba2' is not supported", "checksums shapes numbers short run")]
    [InlineData("config.json", "\"intermediate_size\": 160", "\"intermediate_size\": 192", "shapes", "'layers.0.mlp.gate_proj.weight' has the shape 160 × 64, but the model's configuration asks for 192 × 64", "checksums short run")]
    [InlineData("model.safetensors", "layers.1.mlp.up_proj", "layers.1.mlp.xp_proj", "shapes", "has no tensor 'layers.1.mlp.up_proj.weight'", "checksums short run")]
    [InlineData("model.safetensors", "layers.1.input_layernorm", "layers.1.inpux_layernorm", "shapes", "has no tensor 'layers.1.input_layernorm.weight'", "checksums short run")]
    [InlineData("tokenizer.json", "\"ByteLevel\"", "\"ByteLevex\"", "tokenizer", "'ByteLevex'", "checksums byte coverage")]
    [InlineData("tokenizer.json", null, null, "tokenizer", "tokenizer.json does not exist", "checksums byte coverage")]
    public void Each_fault_is_one_sentence_in_its_row(string file, string? from, string? to, string check, string sentence, string skipped)
    {
        using var folder = new TemporaryFolder();
        foreach (var f in Directory.GetFiles(TestPaths.HuggingFace("llama-gqa-tied"))) File.Copy(f, folder.File(Path.GetFileName(f)));
        var bytes = File.ReadAllText(folder.File(file), System.Text.Encoding.Latin1);
        if (from is null) File.Delete(folder.File(file));
        else File.WriteAllText(folder.File(file), bytes.Replace(from, to, StringComparison.Ordinal), System.Text.Encoding.Latin1);
        var rows = ModelVerifier.Verify(folder.Path, Hooks);
        var failed = Assert.Single(rows, r => r.Verdict == ModelVerdict.Failed);
        Assert.Equal(check, failed.Check);
        Assert.Contains(sentence, failed.Detail, StringComparison.Ordinal);
        Assert.EndsWith(".", failed.Detail, StringComparison.Ordinal);
        Assert.Equal(skipped, string.Join(' ', rows.Where(r => r.Verdict == ModelVerdict.Skipped).Select(r => r.Check)));
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

    [Fact]
    public void Bytes_without_a_token_are_named()
    {
        var model = Path.Combine(TokenizerCases.TestsFolder(), "..", "models", "SmolLM2-135M-Instruct-Q4_1-00001-of-00003.gguf");
        var (verdict, detail) = ByteCoverage.Check(TokenizerCases.LoadGguf(model));
        Assert.Equal(ModelVerdict.Warning, verdict);
        Assert.Equal("21 byte values have no token and are dropped: 0x04 0x06 0x13-0x14 0x16 0x1D 0xC0-0xC1 0xF1-0xF2 0xF5-0xFF", detail);
        Assert.Equal((ModelVerdict.Ok, "every byte has a token"), ByteCoverage.Check(Small("gpt2")));
        Assert.Equal(ModelVerdict.Warning, ByteCoverage.Check(Small("spm-nobytes")).Item1);
    }

    private static Tokenizer Small(string name) => TokenizerCases.LoadJson(Path.Combine(TokenizerCases.Folder, "small", name));
}

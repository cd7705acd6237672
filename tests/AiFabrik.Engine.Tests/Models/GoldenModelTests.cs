using System.Text.Json;
using AiFabrik.Engine.Models;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

/// <summary>Every golden model, read from every form it has, gives the expected logits with float32 arithmetic.</summary>
public sealed class GoldenModelTests
{
    /// <summary>Class "reference" of the golden set; F16 conversions in the type files' references stay within it.</summary>
    private const double Bound = 1e-4;

    public static TheoryData<string> Directories => [.. TestPaths.GoldenDirectories];

    public static TheoryData<string, string> Twins => [.. Gguf("twins").Select(t => (t.GetProperty("file").GetString()!, t.GetProperty("model").GetString()!))];

    public static TheoryData<string> Types => [.. Gguf("types").Select(t => t.GetProperty("file").GetString()!)];

    private static JsonElement[] Gguf(string list) =>
        [.. JsonDocument.Parse(File.ReadAllBytes(TestPaths.Gguf("cases.json"))).RootElement.GetProperty(list).EnumerateArray()];

    [Theory]
    [MemberData(nameof(Directories))]
    public void Hugging_Face_directory_gives_the_expected_logits(string name) => Compare(TestPaths.HuggingFace(name), name);

    [Theory]
    [MemberData(nameof(Twins))]
    public void Gguf_twin_gives_the_expected_logits(string file, string model) => Compare(TestPaths.Gguf(file), model);

    [Theory]
    [MemberData(nameof(Types))]
    public void Weight_type_gives_the_expected_logits(string file)
    {
        using var files = ModelFiles.Open(TestPaths.Gguf(file));
        using var row = JsonDocument.Parse(JsonSerializer.Serialize(Gguf("types").Where(t => t.GetProperty("file").GetString() == file)));
        foreach (var (tokens, rows, logits, std) in GoldenModel.Cases(row.RootElement, TestPaths.Gguf("")))
            Assert.InRange(GoldenModel.Error(files.Config, files.Weights, tokens, rows, logits, std), 0, Bound);
    }

    private static void Compare(string path, string model)
    {
        using var files = ModelFiles.Open(path);
        var folder = TestPaths.HuggingFace(model);
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        foreach (var (tokens, rows, logits, std) in GoldenModel.Cases(cases.RootElement.GetProperty("cases"), folder))
            Assert.InRange(GoldenModel.Error(files.Config, files.Weights, tokens, rows, logits, std), 0, Bound);
    }
}

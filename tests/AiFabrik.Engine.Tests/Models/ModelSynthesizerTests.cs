using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference.Dequantization;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

public sealed class ModelSynthesizerTests
{
    private static readonly ModelShape Tiny = new("tiny", 2, 256, 512, 4, 2, 64, 1024, 512, 10_000, true);

    public static TheoryData<WeightType> Types => [.. Enum.GetValues<WeightType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void Weights_of_every_type_have_zero_mean_and_a_trained_models_deviation(WeightType type)
    {
        using var folder = new TemporaryFolder();
        ModelSynthesizer.Write(Tiny, type, folder.File("m.gguf"));
        using var files = ModelFiles.Open(folder.File("m.gguf"));
        Assert.NotEmpty(ArchitectureRegistry.Build(files.Config, files.Weights).Ops);
        Assert.True(files.Weights.TryGet("blk.1.ffn_down.weight", out var t));
        Assert.Equal(type, t.Type);
        var row = new float[t.Cols];
        double sum = 0, squares = 0;
        for (var r = 0; r < t.Rows; r++)
        {
            Dequantizer.Row(t, 0, r, row);
            foreach (var v in row) (sum, squares) = (sum + v, squares + v * v);
        }
        var count = (double)t.Rows * t.Cols;
        Assert.InRange(sum / count, -0.004, 0.004);
        Assert.InRange(Math.Sqrt(squares / count), 0.01, 0.03);
    }

    [Fact]
    public void The_same_arguments_give_the_same_file()
    {
        using var folder = new TemporaryFolder();
        ModelSynthesizer.Write(Tiny, WeightType.Q8_0, folder.File("a.gguf"));
        ModelSynthesizer.Write(Tiny, WeightType.Q8_0, folder.File("b.gguf"));
        Assert.Equal(File.ReadAllBytes(folder.File("a.gguf")), File.ReadAllBytes(folder.File("b.gguf")));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    [Fact]
    public void A_type_whose_blocks_do_not_fit_is_refused()
    {
        var e = Assert.Throws<ModelFormatException>(() => ModelSynthesizer.Write(ModelShape.All[0], WeightType.Q4_K, "never-written.gguf"));
        Assert.Contains("no multiple of Q4_K's block of 256", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_have_the_parameters_of_their_models()
    {
        Assert.InRange(ModelShape.All.Single(s => s.Name == "smollm2-135m").Parameters, 134_000_000, 135_000_000);
        Assert.InRange(ModelShape.All.Single(s => s.Name == "llama-1b").Parameters, 1_235_000_000, 1_236_000_000);
        Assert.InRange(ModelShape.All.Single(s => s.Name == "llama-8b").Parameters, 8_029_000_000, 8_031_000_000);
    }
}

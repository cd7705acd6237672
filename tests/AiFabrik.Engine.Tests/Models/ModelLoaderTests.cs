using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Tests.Models.Golden;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

public sealed class ModelLoaderTests
{
    private static string Refusal(string path, ModelLoadOptions? options = null)
    {
        var message = Assert.Throws<ModelFormatException>(() => ModelLoader.Load(path, options).Dispose()).Message;
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    [Fact]
    public void The_default_model_loads_and_is_compared_with_its_checksums()
    {
        using var model = ModelLoader.Load(TestPaths.DefaultModel, new ModelLoadOptions { Checksums = ChecksumPolicy.Always });
        Assert.Equal("SmolLM2-135M-Instruct-Q4_1", model.Id);
        Assert.Equal([2], model.EosIds);
        Assert.Equal(8192, model.ContextLen);
        Assert.Equal(30, model.Program.KvLayers.Count);
        Assert.Single(model.Program.KvGroups);
    }

    [Fact]
    public void A_directory_with_one_split_gguf_model_is_that_model()
    {
        using var model = ModelLoader.Load(Path.GetDirectoryName(TestPaths.DefaultModel)!, new ModelLoadOptions { Checksums = ChecksumPolicy.Never });
        Assert.Equal(49152, model.Config.VocabSize);
    }

    [Fact]
    public void End_tokens_and_sampling_come_from_generation_config()
    {
        using var model = ModelLoader.Load(TestPaths.HuggingFace("llama-gqa-tied"));
        Assert.Equal("llama-gqa-tied", model.Id);
        Assert.Equal([313, 318], model.EosIds);
        Assert.Equal((true, 0.6f, 0.9f), (model.Sampling.DoSample, model.Sampling.Temperature, model.Sampling.TopP));
    }

    [Fact]
    public void A_damaged_file_is_refused_by_its_checksum()
    {
        using var folder = new TemporaryFolder();
        File.Copy(TestPaths.Gguf("type-Q8_0.gguf"), folder.File("m.gguf"));
        var hash = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(folder.File("m.gguf"))));
        File.WriteAllText(folder.File("SHA256SUMS"), $"{new string('0', 64)}  other.gguf\n{hash}  m.gguf\n");
        ModelLoader.Load(folder.File("m.gguf")).Dispose();
        using (var file = File.OpenWrite(folder.File("m.gguf")))
        {
            file.Seek(-1, SeekOrigin.End);
            file.WriteByte(77);
        }
        Assert.Contains("not the file that SHA256SUMS beside it lists", Refusal(folder.File("m.gguf")), StringComparison.Ordinal);
        ModelLoader.Load(folder.File("m.gguf"), new ModelLoadOptions { Checksums = ChecksumPolicy.Never }).Dispose();
    }

    [Fact]
    public void What_is_no_model_is_refused_in_one_sentence()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("There is no model at", Refusal(folder.File("missing")), StringComparison.Ordinal);
        Assert.Contains("holds no model", Refusal(folder.Path), StringComparison.Ordinal);
        File.WriteAllText(folder.File("empty.gguf"), "");
        Assert.Contains("is empty", Refusal(folder.File("empty.gguf")), StringComparison.Ordinal);
        File.WriteAllText(folder.File("text.gguf"), "This is a text.");
        Assert.Contains("not a GGUF file", Refusal(folder.File("text.gguf")), StringComparison.Ordinal);
        Assert.Contains("give the file of one of them", Refusal(folder.Path), StringComparison.Ordinal);
        Assert.Contains("only the weights", Refusal(TestPaths.HuggingFace("mixtral") + "/model.safetensors"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("model.pt")]
    [InlineData("model.pth")]
    [InlineData("model.ckpt")]
    public void A_pickle_is_refused_by_name(string name)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(name), "x");
        Assert.Contains($"{name} is a pickle", Refusal(folder.Path), StringComparison.Ordinal);
        Assert.Contains($"{name} is a pickle", Refusal(folder.File(name)), StringComparison.Ordinal);
        File.Copy(TestPaths.HuggingFace("mixtral") + "/config.json", folder.File("config.json"));
        Assert.Contains($"{name} is a pickle", Refusal(folder.Path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"model_type\": \"llama\"", "\"model_type\": \"mamba2\"", "the architecture 'mamba2' is not supported")]
    [InlineData("\"hidden_act\": \"silu\"", "\"hidden_act\": \"relu2\"", "'relu2', which is not supported")]
    [InlineData("\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.0}", "'dynamic' is not supported")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 96", "shape")]
    [InlineData("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", "no tensor 'layers.3.input_layernorm.weight'")]
    [InlineData("\"rope_theta\": 500000.0", "\"rope_theta\": 500000.0, \"quantization_config\": {\"quant_method\": \"gptq\"}", "quantised by 'gptq'")]
    [InlineData("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", "no tensor lm_head.weight")]
    public void What_is_not_supported_is_named(string from, string to, string reason)
    {
        using var folder = new TemporaryFolder();
        Copy(TestPaths.HuggingFace("llama-gqa-tied"), folder.Path);
        var config = File.ReadAllText(folder.File("config.json"));
        Assert.Contains(from, config, StringComparison.Ordinal);
        File.WriteAllText(folder.File("config.json"), config.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(reason, Refusal(folder.Path), StringComparison.Ordinal);
    }

    [Theory]
    // Q8_0: the golden int8 limit, which rounds inputs as finely; Q4_0 has no golden limit: far below what any mistake changes.
    [InlineData("llama-gqa-tied", WeightType.Q8_0, 0.12)]
    [InlineData("mixtral", WeightType.Q8_0, 0.12)]
    [InlineData("gpt-oss-mxfp4", WeightType.Q4_0, 0.6)]
    [InlineData("gemma2-gguf", WeightType.Q4_0, 0.6)]
    public void Quantised_weights_are_made_once_and_give_nearly_the_same_logits(string name, WeightType type, double bound)
    {
        using var data = new TemporaryFolder();
        var options = new ModelLoadOptions { Quantize = type, DataDirectory = data.Path };
        var shares = new List<double>();
        using (var model = ModelLoader.Load(TestPaths.HuggingFace(name), options, new Shares(shares))) CheckQuantised(model, name, type, bound);
        Assert.Equal(1, shares[^1]);
        var made = Directory.GetFiles(Path.Combine(data.Path, "quantized"), "*.gguf").Single();
        var time = File.GetLastWriteTimeUtc(made);
        using (var again = ModelLoader.Load(TestPaths.HuggingFace(name), options)) CheckQuantised(again, name, type, bound);
        Assert.Equal(time, File.GetLastWriteTimeUtc(made));
        Assert.Empty(Directory.GetFiles(Path.Combine(data.Path, "quantized"), "*.tmp"));

        // A file that was cut short, say by a full disk, is made again.
        using (var file = File.OpenWrite(made)) file.SetLength(1000);
        using (var repaired = ModelLoader.Load(TestPaths.HuggingFace(name), options)) CheckQuantised(repaired, name, type, bound);

        // So is one whose length and header are right: a bit that flipped, here and without a trace in the time of change.
        time = File.GetLastWriteTimeUtc(made);
        var good = File.ReadAllBytes(made);
        using (var file = File.OpenWrite(made))
        {
            file.Seek(-100, SeekOrigin.End);
            file.WriteByte((byte)(good[^100] ^ 0x40));
        }
        File.SetLastWriteTimeUtc(made, time);
        using (var again = ModelLoader.Load(TestPaths.HuggingFace(name), options)) CheckQuantised(again, name, type, bound);
        Assert.Equal(good, File.ReadAllBytes(made));
    }

    [Fact]
    public void Quantised_weights_that_cannot_be_kept_are_refused_in_one_sentence()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "");
        Assert.Contains("check its free space and rights", Refusal(TestPaths.HuggingFace("llama-mqa"), new ModelLoadOptions { Quantize = WeightType.Q8_0, DataDirectory = folder.File("file") }), StringComparison.Ordinal);
        Assert.Contains("needs a data directory", Refusal(TestPaths.HuggingFace("llama-mqa"), new ModelLoadOptions { Quantize = WeightType.Q8_0 }), StringComparison.Ordinal);
    }

    private static void CheckQuantised(LoadedModel model, string name, WeightType type, double bound)
    {
        Assert.True(model.Weights.TryGet("blk.0.attn_q.weight", out var q));
        Assert.Equal(type, q.Type);
        foreach (var item in GoldenCase.OfDirectory(TestPaths.HuggingFace(name)).Take(2)) Assert.InRange(GoldenChecks.ReferenceError(model.Config, model.Weights, item), 1e-4, bound);
    }

    [Fact]
    public void A_gguf_model_of_plain_weights_is_quantised_too()
    {
        using var data = new TemporaryFolder();
        using var model = ModelLoader.Load(TestPaths.Gguf("arch-llama-mqa.gguf"), new ModelLoadOptions { Quantize = WeightType.Q8_0, DataDirectory = data.Path });
        Assert.True(model.Weights.TryGet("blk.0.ffn_up.weight", out var up));
        Assert.Equal(WeightType.Q8_0, up.Type);
        Assert.True(model.Files.Gguf!.Metadata.TryGetStrings("tokenizer.ggml.tokens", out var tokens));
        Assert.Equal(320, tokens.Count);
    }

    private sealed class Shares(List<double> all) : IProgress<double>
    {
        public void Report(double value)
        {
            lock (all) all.Add(value);
        }
    }
}

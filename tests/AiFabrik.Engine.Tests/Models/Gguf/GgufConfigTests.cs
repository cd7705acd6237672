using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Gguf;

/// <summary>What keys mean and what their absence means, where no golden file shows it. As llama.cpp's loader has it.</summary>
public sealed class GgufConfigTests
{
    private const int Layers = 7;

    /// <summary>The configuration of a file with the least keys and what <paramref name="more"/> adds.</summary>
    private static ModelConfig Read(string arch, Action<GgufWriter, string>? more = null, int layers = Layers, int heads = 8, int keyLength = 16)
    {
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter();
        writer.Add("general.architecture", arch);
        foreach (var (key, value) in (ReadOnlySpan<(string, int)>)[("block_count", layers), ("context_length", 4096), ("embedding_length", 96), ("feed_forward_length", 64), ("attention.head_count", heads), ("attention.key_length", keyLength), ("attention.value_length", keyLength)])
            writer.Add($"{arch}.{key}", (uint)value);
        writer.Add($"{arch}.attention.layer_norm_rms_epsilon", 1e-6f);
        more?.Invoke(writer, arch);
        writer.AddTensor("token_embd.weight", WeightType.F32, 96, 4);
        using (var file = File.Create(folder.File("m.gguf")))
        {
            writer.WriteHeader(file);
            writer.Write(file, new byte[96 * 4 * 4]);
        }
        using var opened = GgufFileTests.Open(folder.File("m.gguf"));
        return GgufConfig.Read(opened);
    }

    [Theory]
    [InlineData("gemma2", 42, 16)]
    [InlineData("gemma2", 46, 12)] // 27B: hidden / heads
    [InlineData("gemma3", 34, 16)]
    [InlineData("gemma3", 62, 12)]
    [InlineData("qwen3", 46, 16)]
    public void Only_the_27B_Gemmas_scale_attention_by_hidden_over_heads(string arch, int layers, int scalar) =>
        Assert.Equal((float)(1 / Math.Sqrt(scalar)), Read(arch, layers: layers).AttentionScale);

    [Fact]
    public void A_window_pattern_may_be_a_period_bools_or_counts()
    {
        static void Window(GgufWriter w, string arch) => w.Add($"{arch}.attention.sliding_window", 512u);
        int[] sixth = [512, 512, 512, 512, 512, 0, 512];
        Assert.Equal(sixth, Read("gemma3", Window).LayerWindows);
        Assert.Equal([512, 0, 512, 0, 512, 0, 512], Read("gpt-oss", (w, a) => { Window(w, a); Experts(w, a); }).LayerWindows);
        Assert.Equal([512, 0, 512, 0, 512, 0, 512], Read("gemma2", Window).LayerWindows);
        Assert.Equal([4096, 0, 4096, 0, 4096, 0, 4096], Read("gemma2").LayerWindows);
        Assert.Equal([512, 512, 0, 512, 512, 0, 512], Read("gemma3", (w, a) => { Window(w, a); w.Add($"{a}.attention.sliding_window_pattern", 3u); }).LayerWindows);
        Assert.Equal([512, 0, 0, 0, 512, 512, 0], Read("gemma3", (w, a) => { Window(w, a); w.Add($"{a}.attention.sliding_window_pattern", (ReadOnlySpan<int>)[1, 0, 0, 0, 1, 1, 0]); }).LayerWindows);
        var refusal = Assert.Throws<ModelFormatException>(() => Read("gemma3", (w, a) => { Window(w, a); w.Add($"{a}.attention.sliding_window_pattern", (ReadOnlySpan<int>)[1, 0]); }));
        Assert.Contains("has fewer items than the model has layers", refusal.Message, StringComparison.Ordinal);
        // Without a window the local layers keep their own frequencies.
        Assert.Equal([4096, 4096, 4096, 4096, 4096, 0, 4096], Read("gemma3").LayerWindows);
        // Qwen's converter writes a window that the model has switched off; a llama has none unless the file says so.
        Assert.All(Read("qwen2", Window).LayerWindows, w => Assert.Equal(0, w));
        Assert.All(Read("llama").LayerWindows, w => Assert.Equal(0, w));
        Assert.All(Read("llama", Window).LayerWindows, w => Assert.Equal(512, w));
    }

    private static void Experts(GgufWriter w, string arch)
    {
        w.Add($"{arch}.expert_count", 4u);
        w.Add($"{arch}.expert_used_count", 2u);
        w.Add($"{arch}.expert_feed_forward_length", 32u);
    }

    [Fact]
    public void Experts_are_renormalised_unless_the_file_says_no()
    {
        var moe = Read("qwen3moe", Experts);
        Assert.Equal((true, 4, 2, 32), (moe.RenormalizeExperts, moe.NExperts, moe.NExpertsUsed, moe.ExpertFfnDim));
        Assert.False(Read("qwen3moe", (w, a) => { Experts(w, a); w.Add($"{a}.expert_weights_norm", false); }).RenormalizeExperts);
        Assert.Equal(Architecture.Mixtral, Read("llama", Experts).Architecture);
        Assert.Equal(Architecture.Llama, Read("llama").Architecture);
    }

    [Fact]
    public void Frequencies_follow_every_way_of_saying_them()
    {
        static float Second(RopeTable table) => table.InverseFrequencies[0][1];
        Assert.Equal((float)Math.Pow(10_000, -2.0 / 16), Second(Read("llama").Rope));
        Assert.Equal((float)Math.Pow(500_000, -2.0 / 16), Second(Read("llama", (w, a) => w.Add($"{a}.rope.freq_base", 500_000f)).Rope));
        Assert.Equal(0.25f, Read("llama", (w, a) => { w.Add($"{a}.rope.scaling.type", "linear"); w.Add($"{a}.rope.scaling.factor", 4f); }).Rope.InverseFrequencies[0][0]);
        // As files of 2023 say it.
        Assert.Equal(0.25f, Read("llama", (w, a) => w.Add($"{a}.rope.scale_linear", 4f)).Rope.InverseFrequencies[0][0]);
        // Linear scaling acts in Gemma 3's global layers alone.
        var gemma = Read("gemma3", (w, a) => { w.Add($"{a}.rope.freq_base", 1_000_000f); w.Add($"{a}.rope.scaling.type", "linear"); w.Add($"{a}.rope.scaling.factor", 8f); });
        Assert.Equal((0.125f, 1f), (gemma.Rope.InverseFrequencies[0][0], gemma.LocalRope!.InverseFrequencies[0][0]));
        Assert.Equal((float)Math.Pow(10_000, -2.0 / 16), Second(gemma.LocalRope));
        var yarn = Read("qwen2", (w, a) => { w.Add($"{a}.rope.scaling.type", "yarn"); w.Add($"{a}.rope.scaling.factor", 4f); w.Add($"{a}.rope.scaling.original_context_length", 4096u); });
        Assert.Equal(16_384, yarn.ContextLen);
        Assert.Equal(0.1 * Math.Log(4) + 1, yarn.Rope.AttentionFactors[0], 6);
        Assert.Contains("'dynamic', which is not supported", Assert.Throws<ModelFormatException>(() => Read("llama", (w, a) => w.Add($"{a}.rope.scaling.type", "dynamic"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_value_for_all_layers_may_be_written_for_each()
    {
        Assert.Equal(2, Read("llama", (w, a) => w.Add($"{a}.attention.head_count_kv", (ReadOnlySpan<int>)[2, 2, 2, 2, 2, 2, 2])).NKvHeads);
        var refusal = Assert.Throws<ModelFormatException>(() => Read("llama", (w, a) => w.Add($"{a}.attention.head_count_kv", (ReadOnlySpan<int>)[2, 2, 2, 4, 2, 2, 2])));
        Assert.Contains("differs from layer to layer, which is not supported", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(8, Read("llama").NKvHeads);
    }

    [Theory]
    [InlineData("mamba"), InlineData("clip"), InlineData("deepseek2"), InlineData("mistral3")]
    public void Other_architectures_are_named(string arch) =>
        Assert.Contains($"the architecture '{arch}' is not supported", Assert.Throws<ModelFormatException>(() => Read(arch)).Message, StringComparison.Ordinal);
}

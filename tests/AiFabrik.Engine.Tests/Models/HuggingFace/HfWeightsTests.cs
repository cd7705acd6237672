using System.Text;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.HuggingFace;
using AiFabrik.Engine.Models.Safetensors;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.HuggingFace;

public sealed class HfWeightsTests
{
    private static readonly string Folder = TestPaths.HuggingFace("mixtral");

    [Fact]
    public void Experts_at_equal_distances_stay_where_they_are()
    {
        using var weights = Load(File.ReadAllBytes(Folder + "/model.safetensors"), out var file);
        Assert.True(weights.TryGet("blk.0.ffn_up_exps.weight", out var up));
        Assert.Equal((4, 96, 64), (up.Experts, up.Rows, up.Cols));
        Assert.InRange(up.Data, file.Address, file.Address + (nint)file.LengthBytes);
        // w1, w2 and w3 of an expert lie one after another, so the next expert's w3 is three matrices further.
        Assert.Equal(3 * 96 * 64 * 2, up.ExpertStrideBytes);
    }

    /// <summary>With ten or more experts the files are sorted 0, 1, 10, 11, 2 …: no equal distances.</summary>
    [Fact]
    public void Experts_at_unequal_distances_are_copied_together_in_order()
    {
        var bytes = File.ReadAllBytes(Folder + "/model.safetensors");
        using var plain = Load(bytes, out _);
        Swap(bytes, "layers.0.block_sparse_moe.experts.1.w3.weight", "layers.0.block_sparse_moe.experts.2.w3.weight");
        using var swapped = Load(bytes, out var file);
        Assert.True(plain.TryGet("blk.0.ffn_up_exps.weight", out var before));
        Assert.True(swapped.TryGet("blk.0.ffn_up_exps.weight", out var after));
        Assert.False(after.Data >= file.Address && after.Data < file.Address + (nint)file.LengthBytes);
        Assert.Equal(0, after.Data % FileBytes.OwnAlignmentBytes);
        int[] now = [0, 2, 1, 3];
        for (var e = 0; e < 4; e++)
            for (var row = 0; row < after.Rows; row++) Assert.True(before.RowSpan(now[e], row).SequenceEqual(after.RowSpan(e, row)));
    }

    private static void Swap(byte[] bytes, string a, string b)
    {
        var atA = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(a));
        var atB = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(b));
        Encoding.UTF8.GetBytes(b).CopyTo(bytes, atA);
        Encoding.UTF8.GetBytes(a).CopyTo(bytes, atB);
    }

    private static ModelWeights Load(byte[] bytes, out FileBytes file)
    {
        file = FileBytes.Of("model.safetensors", bytes);
        return HfWeights.Load(SafetensorsModel.Open(file), HfConfig.Read(Folder + "/config.json"), "mixtral");
    }
}

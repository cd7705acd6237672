namespace AiFabrik.Engine.Models;

/// <summary>
/// What a model may have at most, far above any published one, so that sizes derived from a lying file stay bounded.
/// </summary>
public static class ModelConfigLimits
{
    public const int LayersMax = 1_024;
    public const int HiddenDimMax = 1 << 17;
    public const int FfnDimMax = 1 << 20;
    public const int HeadsMax = 4_096;
    public const int HeadDimMax = 4_096;
    public const int VocabSizeMax = 1 << 22;
    public const int ContextLenMax = 1 << 26;
    public const int ExpertsMax = 4_096;

    /// <summary>The configuration if all of its numbers are possible and agree; else an exception with one sentence.</summary>
    /// <param name="source">The file that said the numbers.</param>
    internal static ModelConfig Checked(this ModelConfig c, string source)
    {
        void Range(string name, long value, long max)
        {
            if (value < 1 || value > max) throw new ModelFormatException($"{source}: {name} is {value}, but must be from 1 to {max}.");
        }
        void Require(bool holds, string sentence)
        {
            if (!holds) throw new ModelFormatException($"{source}: {sentence}.");
        }
        Range("the number of layers", c.NLayers, LayersMax);
        Range("the hidden size", c.HiddenDim, HiddenDimMax);
        Range("the feed-forward size", c.FfnDim, FfnDimMax);
        Range("the number of heads", c.NHeads, HeadsMax);
        Range("the number of key/value heads", c.NKvHeads, c.NHeads);
        Range("the head size", c.HeadDim, HeadDimMax);
        Range("the vocabulary size", c.VocabSize, VocabSizeMax);
        Range("the context length", c.ContextLen, ContextLenMax);
        Require(c.NHeads % c.NKvHeads == 0, $"{c.NHeads} heads cannot share {c.NKvHeads} key/value heads evenly");
        Require(c.RotaryDim > 0 && c.RotaryDim <= c.HeadDim && c.RotaryDim % 2 == 0, $"{c.RotaryDim} rotated values do not fit a head of {c.HeadDim}");
        Require(float.IsFinite(c.NormEps) && c.NormEps is > 0 and < 1, "the norm's epsilon is not a number between 0 and 1");
        Require(float.IsFinite(c.AttentionScale) && c.AttentionScale > 0, "the attention scale is not a positive number");
        Require(float.IsFinite(c.EmbeddingScale) && c.EmbeddingScale > 0, "the embedding scale is not a positive number");
        Require(float.IsFinite(c.AttentionSoftcap) && c.AttentionSoftcap >= 0 && float.IsFinite(c.LogitSoftcap) && c.LogitSoftcap >= 0, "a soft cap is not a positive number");
        Require(c.LayerWindows.Length == c.NLayers && Array.TrueForAll(c.LayerWindows, w => w >= 0), "the layers' windows are impossible");
        if (c.NExperts > 0 || c.Architecture is Architecture.Mixtral or Architecture.Qwen3Moe or Architecture.GptOss)
        {
            Range("the number of experts", c.NExperts, ExpertsMax);
            Range("the number of experts per token", c.NExpertsUsed, c.NExperts);
            Range("the experts' feed-forward size", c.ExpertFfnDim, FfnDimMax);
        }
        return c;
    }

    /// <summary>Windows of all layers.</summary>
    /// <param name="windowed">Says of a layer whether the window acts in it.</param>
    internal static int[] Windows(int nLayers, int window, Func<int, bool> windowed)
    {
        var windows = new int[Math.Clamp(nLayers, 0, LayersMax)];
        for (var i = 0; i < windows.Length; i++) windows[i] = windowed(i) ? window : 0;
        return windows;
    }
}

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>Refuses hyperparameters that no program can be built from, with one sentence that names the wrong one.</summary>
internal static class ConfigCheck
{
    public static void Run(ModelConfig c)
    {
        Positive(c.NLayers, "number of layers");
        Positive(c.HiddenDim, "hidden size");
        Positive(c.NHeads, "number of attention heads");
        Positive(c.NKvHeads, "number of key/value heads");
        Positive(c.HeadDim, "head size");
        Positive(c.VocabSize, "vocabulary size");
        Positive(c.ContextLen, "context length");
        if (c.NHeads % c.NKvHeads != 0)
            throw new ModelFormatException($"The model has {c.NHeads} attention heads, which is no multiple of its {c.NKvHeads} key/value heads.");
        if (c.RotaryDim <= 0 || c.RotaryDim > c.HeadDim || c.RotaryDim % 2 != 0)
            throw new ModelFormatException($"The model rotates {c.RotaryDim} of the {c.HeadDim} values of a head, but the number must be even, positive and at most the head size.");
        if (c.LayerWindows.Length != c.NLayers)
            throw new ModelFormatException($"The model's configuration describes {c.LayerWindows.Length} layers' windows, but there are {c.NLayers} layers.");
        if (!(c.NormEps > 0)) throw new ModelFormatException($"The model's norm epsilon is {c.NormEps}, but it must be positive.");
        Rope(c, c.Rope);
        if (c.LocalRope is not null) Rope(c, c.LocalRope);
        Experts(c);
    }

    private static void Experts(ModelConfig c)
    {
        if (c.NExperts == 0) return;
        Positive(c.ExpertFfnDim, "feed-forward size of an expert");
        if (c.NExpertsUsed <= 0 || c.NExpertsUsed > c.NExperts)
            throw new ModelFormatException($"The model uses {c.NExpertsUsed} experts for a token, but it has {c.NExperts}.");
        if (c.SparseLayers is not null && c.SparseLayers.Length != c.NLayers)
            throw new ModelFormatException($"The model's configuration says of {c.SparseLayers.Length} layers whether they have experts, but there are {c.NLayers} layers.");
    }

    private static void Rope(ModelConfig c, AiFabrik.Compute.Programs.RopeTable table)
    {
        foreach (var inverse in table.InverseFrequencies)
            if (inverse.Length != c.RotaryDim / 2)
                throw new ModelFormatException($"The model's rotation table has {inverse.Length} frequencies, but {c.RotaryDim / 2} are needed.");
    }

    private static void Positive(int value, string name)
    {
        if (value <= 0) throw new ModelFormatException($"The model's {name} is {value}, but it must be positive.");
    }
}

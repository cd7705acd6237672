namespace AiFabrik.Engine.Models.Gguf;

/// <summary>A GGUF file's tensors as <see cref="ModelWeights"/>: names are canonical already, matrices stay in the mapped file.</summary>
internal static class GgufWeights
{
    /// <summary>What the experts' matrices are called, one tensor each (<c>blk.N.ffn_gate.E.weight</c>), as files were written until early 2024.</summary>
    private static readonly string[] SingleExperts = ["ffn_gate", "ffn_up", "ffn_down"];

    /// <summary>The weights, which own <paramref name="file"/> from now on.</summary>
    public static ModelWeights Load(GgufFile file)
    {
        var set = new TensorSet();
        set.Own(file);
        var singles = new HashSet<string>();
        for (var layer = 0; file.TryGetTensor($"blk.{layer}.ffn_gate_inp.weight", out var router); layer++) AddSingleExperts(file, set, layer, router.Weight.Rows, singles);
        foreach (var tensor in file.Tensors)
        {
            if (singles.Contains(tensor.Name)) continue;
            if (!IsVector(tensor) || tensor.Type == Compute.Programs.WeightType.F32)
            {
                set.Add(tensor.Weight);
            }
            else if (FloatVectors.IsPlain(tensor.Type) && tensor.Bytes < int.MaxValue / 4)
            {
                set.AddVector(tensor.Name, tensor.Type, tensor.Weight.Rows, tensor.Weight.Cols, file.TensorBytes(tensor));
            }
            else
            {
                throw Wrong(file, set, $"tensor {ModelText.Quote(tensor.Name)} is a vector of type {tensor.Type}, which is not supported");
            }
        }
        return set;
    }

    /// <summary>Stacks a layer's experts where they stand in tensors of their own, whose names go to <paramref name="singles"/>.</summary>
    private static void AddSingleExperts(GgufFile file, TensorSet set, int layer, int count, HashSet<string> singles)
    {
        foreach (var matrix in SingleExperts)
        {
            var stacked = $"blk.{layer}.{matrix}_exps.weight";
            if (file.TryGetTensor(stacked, out _) || !file.TryGetTensor($"blk.{layer}.{matrix}.0.weight", out _)) continue;
            var experts = new List<Compute.Programs.WeightTensor>();
            for (var e = 0; e < count; e++)
            {
                var name = $"blk.{layer}.{matrix}.{e}.weight";
                if (!file.TryGetTensor(name, out var expert)) throw Wrong(file, set, $"there is no tensor {ModelText.Quote(name)}, although the layer has {count} experts");
                singles.Add(name);
                experts.Add(expert.Weight);
            }
            if (ExpertStack.Odd([.. experts]) is { } odd) throw Wrong(file, set, $"tensor {ModelText.Quote(odd.Name)} differs in shape or type from expert 0's");
            ExpertStack.Add(set, stacked, [.. experts]);
        }
    }

    private static ModelFormatException Wrong(GgufFile file, TensorSet set, string what)
    {
        set.Dispose();
        return new ModelFormatException($"{file.Path}: {what}.");
    }

    /// <summary>Norms, biases, sinks: used as float32.</summary>
    private static bool IsVector(GgufTensor tensor) => tensor.Dims.Count == 1 || tensor.Name.EndsWith(".bias", StringComparison.Ordinal);
}

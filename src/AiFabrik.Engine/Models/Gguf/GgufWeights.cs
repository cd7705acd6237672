namespace AiFabrik.Engine.Models.Gguf;

/// <summary>A GGUF file's tensors as <see cref="ModelWeights"/>: names are canonical already, matrices stay in the mapped file.</summary>
internal static class GgufWeights
{
    /// <summary>The weights, which own <paramref name="file"/> from now on.</summary>
    public static ModelWeights Load(GgufFile file)
    {
        var set = new TensorSet();
        set.Own(file);
        foreach (var tensor in file.Tensors)
        {
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
                set.Dispose();
                throw new ModelFormatException($"{file.Path}: tensor {ModelText.Quote(tensor.Name)} is a vector of type {tensor.Type}, which is not supported.");
            }
        }
        return set;
    }

    /// <summary>Norms, biases, sinks: used as float32.</summary>
    private static bool IsVector(GgufTensor tensor) => tensor.Dims.Count == 1 || tensor.Name.EndsWith(".bias", StringComparison.Ordinal);
}

using System.Globalization;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>A GGUF file's hyperparameters by their names within an architecture (<c>{arch}.NAME</c>); exceptions with one sentence.</summary>
internal readonly struct GgufKeys(GgufFile file, string arch)
{
    private GgufMetadata Metadata => file.Metadata;

    private string Key(string name) => $"{arch}.{name}";

    public bool Has(string name) => Metadata.Contains(Key(name));

    public ModelFormatException Wrong(string name, string what) => new($"{file.Path}: {Key(name)} {what}.");

    public int Int(string name, int? otherwise = null)
    {
        if (!Has(name)) return otherwise ?? throw Wrong(name, "is missing");
        if (Metadata.TryGetInt64(Key(name), out var value) && value is >= 0 and <= int.MaxValue) return (int)value;
        // Per-layer values are written as an array; where all layers agree it is one value.
        if (Metadata.TryGetInt32s(Key(name), out var layers) && layers.Length > 0 && layers[0] >= 0)
            return layers.IndexOfAnyExcept(layers[0]) < 0 ? layers[0] : throw Wrong(name, "differs from layer to layer, which is not supported");
        throw Wrong(name, "is not a count");
    }

    public float Float(string name, float? otherwise = null)
    {
        if (!Has(name)) return otherwise ?? throw Wrong(name, "is missing");
        return Metadata.TryGetFloat(Key(name), out var value) && float.IsFinite(value) ? value : throw Wrong(name, "is not a number");
    }

    public double? OptionalFloat(string name) => Has(name) ? Round(Float(name)) : null;

    public bool Bool(string name, bool otherwise)
    {
        if (!Has(name)) return otherwise;
        return Metadata.TryGetBool(Key(name), out var value) ? value : throw Wrong(name, "is not a bool");
    }

    /// <summary>One flag a layer, written as bools or as counts; null if there is no such array.</summary>
    public bool[]? Flags(string name)
    {
        if (Metadata.TryGetBools(Key(name), out var bools)) return Array.ConvertAll(bools.ToArray(), b => b != 0);
        return Metadata.TryGetInt32s(Key(name), out var counts) ? Array.ConvertAll(counts.ToArray(), c => c != 0) : null;
    }

    public string Text(string name, string otherwise)
    {
        if (!Has(name)) return otherwise;
        return Metadata.TryGetString(Key(name), out var value) && ModelText.TryToString(value, out var text) ? text : throw Wrong(name, "is not a text");
    }

    /// <summary>A float32 vector among the tensors, whole; empty if there is none.</summary>
    public float[] Vector(string name)
    {
        if (!file.TryGetTensor(name, out var tensor)) return [];
        if (tensor.Dims.Count != 1 || tensor.Type != Compute.Programs.WeightType.F32 || tensor.Dims[0] > ModelConfigLimits.HeadDimMax)
            throw new ModelFormatException($"{file.Path}: tensor {ModelText.Quote(name)} is not a float32 vector of at most {ModelConfigLimits.HeadDimMax} values.");
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(file.TensorBytes(tensor)).ToArray();
    }

    /// <summary>The decimal number that a float32 was written for: 32.0, 0.1, 1e-6.</summary>
    private static double Round(float value) => double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    public double Double(string name, double? otherwise = null) => OptionalFloat(name) ?? otherwise ?? throw Wrong(name, "is missing");
}

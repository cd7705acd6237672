using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Safetensors;

/// <summary>A tensor of a safetensors file, all of its numbers checked against the file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">Its type as the file names it: F32, BF16, U8 …</param>
/// <param name="Shape">Sizes, the slowest-varying first; empty for a scalar.</param>
/// <param name="Offset">First byte in its file.</param>
/// <param name="Bytes">Bytes it occupies.</param>
internal sealed record SafetensorsTensor(string Name, string DType, int[] Shape, long Offset, long Bytes)
{
    /// <summary>The file that holds it.</summary>
    public required FileBytes File { get; init; }

    /// <summary>Where its first value lies.</summary>
    public nint Address => File.Address + (nint)Offset;

    /// <summary>The type we compute with, where it is one.</summary>
    public bool TryWeightType(out WeightType type)
    {
        (var known, type) = DType switch
        {
            "F32" => (true, WeightType.F32),
            "F16" => (true, WeightType.F16),
            "BF16" => (true, WeightType.BF16),
            _ => (false, default),
        };
        return known;
    }

    /// <summary>Values of the tensor.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

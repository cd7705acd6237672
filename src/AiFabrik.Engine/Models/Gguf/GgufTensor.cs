using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>A tensor of a GGUF file, all of its numbers checked against the file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How it is stored.</param>
/// <param name="Dims">1 to 4 sizes, the fastest-varying first: [cols], [cols, rows] or [cols, rows, experts].</param>
/// <param name="Offset">First byte in its file.</param>
/// <param name="Bytes">Bytes it occupies.</param>
public sealed record GgufTensor(string Name, WeightType Type, IReadOnlyList<int> Dims, long Offset, long Bytes)
{
    /// <summary>The tensor in the mapped file; valid until the <see cref="GgufFile"/> is disposed.</summary>
    public WeightTensor Weight { get; private init; } = null!;

    /// <summary>This tensor with its weights at <paramref name="file"/>'s address.</summary>
    internal GgufTensor At(FileBytes file)
    {
        var rowBytes = WeightTypes.RowBytes(Type, Dims[0]);
        var rows = Dims.Count > 1 ? Dims[1] : 1;
        var experts = Dims.Count > 2 ? Dims[2] * (Dims.Count > 3 ? Dims[3] : 1) : 1;
        return this with
        {
            Weight = new WeightTensor(Name, Type, rows, Dims[0], file.Address + (nint)Offset, rowBytes) { Experts = experts, ExpertStrideBytes = rows * rowBytes },
        };
    }
}

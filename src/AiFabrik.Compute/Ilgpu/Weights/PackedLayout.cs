using AiFabrik.Compute.Ilgpu.Kernels.Decoders;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Ilgpu.Weights;

/// <summary>
/// How a matrix lies on a device: quads of quants and words of scales, each numbered by units of 32 weights through the whole matrix, so
/// that kernels load 16 bytes at a time whatever the block in the file. About as many bytes as in the file; rows of float types are
/// padded with zeros to whole units.
/// </summary>
internal static class PackedLayout
{
    /// <summary>Weights of a unit.</summary>
    public const int UnitSize = 32;

    public const int QuadBytes = 16;

    /// <summary>Units whose scales stand in a common word at most, and units of a super-block: rows are packed in multiples of it.</summary>
    public const int UnitsTogether = 8;

    /// <summary>Units of a row of <paramref name="cols"/> weights.</summary>
    public static int Units(int cols) => (cols + UnitSize - 1) / UnitSize;

    /// <summary>Bytes of the quants of eight units.</summary>
    public static int QuantBytes(WeightType type) => QuadBytes * type switch
    {
        WeightType.F32 => 64,
        WeightType.F16 or WeightType.BF16 => 32,
        WeightType.Q8_0 => 16,
        WeightType.Q2_K or WeightType.Q3_K => 4,
        _ => 8,
    };

    /// <summary>Bytes of the scales of eight units.</summary>
    public static int ScaleBytes(WeightType type) => type switch
    {
        WeightType.F32 or WeightType.F16 or WeightType.BF16 => 0,
        WeightType.MXFP4 => 8,
        WeightType.Q4_0 or WeightType.Q8_0 or WeightType.IQ4_NL => 16,
        WeightType.Q4_1 => 32,
        WeightType.Q5_0 or WeightType.Q5_1 => 64,
        WeightType.Q2_K => 4 * Q2_KDecoder.Words,
        WeightType.Q3_K => 4 * Q3_KDecoder.Words,
        WeightType.Q4_K => 4 * Q4_KDecoder.Words,
        WeightType.Q5_K => 4 * Q5_KDecoder.Words,
        WeightType.Q6_K => 4 * Q6_KDecoder.Words,
        WeightType.IQ4_XS => 4 * IQ4_XSDecoder.Words,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No such weight type."),
    };

    /// <summary>Bytes of quants for some units, in whole eights.</summary>
    public static long QuantBytes(WeightType type, long units) => Eights(units) * QuantBytes(type);

    /// <summary>Bytes of scales for some units, in whole eights.</summary>
    public static long ScaleBytes(WeightType type, long units) => Eights(units) * ScaleBytes(type);

    private static long Eights(long units) => (units + UnitsTogether - 1) / UnitsTogether;
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = d·scale·q − dmin·min. A quad of 4-bit quants a unit; words of 256 weights: d | dmin, 8 pairs of bytes scale, min.</summary>
internal struct Q4_KDecoder : IBlockDecoder
{
    public const int Words = 5;

    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        int at = (unit >> 3) * Words, within = unit & 7;
        var dm = scales[at];
        float step = NumberFormats.FromHalf(dm & 0xFFFF) * Scales.Byte(scales, at + 1, within * 2), minimum = NumberFormats.FromHalf(dm >> 16) * Scales.Byte(scales, at + 1, within * 2 + 1);
        return Vectors.Affine(Vectors.Nibbles(Vectors.Word(quants[unit], part), 0), step, -minimum);
    }
}

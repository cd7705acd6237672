using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>As Q4_K, with a word of fifth bits for each unit behind the scales.</summary>
internal struct Q5_KDecoder : IBlockDecoder
{
    public const int Words = 13;

    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        int at = (unit >> 3) * Words, within = unit & 7;
        var dm = scales[at];
        float step = NumberFormats.FromHalf(dm & 0xFFFF) * Scales.Byte(scales, at + 1, within * 2), minimum = NumberFormats.FromHalf(dm >> 16) * Scales.Byte(scales, at + 1, within * 2 + 1);
        return Vectors.Affine(Vectors.Fives(Vectors.Word(quants[unit], part), scales[at + 5 + within] >> 8 * part, 0), step, -minimum);
    }
}

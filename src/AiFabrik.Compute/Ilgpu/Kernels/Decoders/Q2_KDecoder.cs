using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = d·scale·q − dmin·min, a scale and a minimum for each 16. Half a quad of 2-bit quants a unit; words of 256 weights: d | dmin, 16 bytes scale | min.</summary>
internal struct Q2_KDecoder : IBlockDecoder
{
    public const int Words = 5;

    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        int at = (unit >> 3) * Words, within = unit & 7;
        var dm = scales[at];
        var packed = Scales.Byte(scales, at + 1, within * 2 + (part >> 1));
        var q = Vectors.Word(quants[unit >> 1], (unit & 1) * 2 + (part >> 1)) >> ((part & 1) << 4);
        return Vectors.Affine(Vectors.Pairs(q), NumberFormats.FromHalf(dm & 0xFFFF) * (packed & 15), -(NumberFormats.FromHalf(dm >> 16) * (packed >> 4)));
    }
}

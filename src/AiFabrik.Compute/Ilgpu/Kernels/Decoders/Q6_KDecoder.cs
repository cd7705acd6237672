using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = d·scale·(q − 32), a scale for each 16. A quad of low bits a unit; words of 256 weights: d, 16 signed bytes, two words of upper bits a unit.</summary>
internal struct Q6_KDecoder : IBlockDecoder
{
    public const int Words = 21;

    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        int at = (unit >> 3) * Words, within = unit & 7;
        var step = NumberFormats.FromHalf(scales[at] & 0xFFFF) * Scales.SignedByte(scales, at + 1, within * 2 + (part >> 1));
        var high = scales[at + 5 + within * 2 + (part >> 1)] >> ((part & 1) << 4);
        return Vectors.Scale(Vectors.Sixes(Vectors.Word(quants[unit], part), high, 32), step);
    }
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = d·scale·(q − 4), a scale for each 16. Half a quad of low bits a unit; words of 256 weights: d, 16 signed bytes, third bits.</summary>
internal struct Q3_KDecoder : IBlockDecoder
{
    public const int Words = 13;

    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        int at = (unit >> 3) * Words, within = unit & 7;
        var step = NumberFormats.FromHalf(scales[at] & 0xFFFF) * Scales.SignedByte(scales, at + 1, within * 2 + (part >> 1));
        var q = Vectors.Word(quants[unit >> 1], (unit & 1) * 2 + (part >> 1)) >> ((part & 1) << 4);
        return Vectors.Scale(Vectors.Triples(q, scales[at + 5 + within] >> 8 * part), step);
    }
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = d·(scale − 32) · level(q), a scale for each 32. A quad of 4-bit indices a unit; words of 256 weights: d, 8 signed bytes.</summary>
internal struct IQ4_XSDecoder : IBlockDecoder
{
    public const int Words = 3;

    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        int at = (unit >> 3) * Words, within = unit & 7;
        var step = NumberFormats.FromHalf(scales[at] & 0xFFFF) * Scales.SignedByte(scales, at + 1, within);
        return Vectors.Scale(Vectors.Look(Vectors.Word(quants[unit], part), IQ4_NLDecoder.LowLevels, IQ4_NLDecoder.HighLevels), step);
    }
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = q·d + m. A quad of 4-bit quants and a word d | m a unit.</summary>
internal struct Q4_1Decoder : IBlockDecoder
{
    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        var dm = scales[unit];
        return Vectors.Affine(Vectors.Nibbles(Vectors.Word(quants[unit], part), 0), NumberFormats.FromHalf(dm & 0xFFFF), NumberFormats.FromHalf(dm >> 16));
    }
}

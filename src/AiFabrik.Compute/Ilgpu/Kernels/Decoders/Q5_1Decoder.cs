using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = q·d + m. A quad of low bits a unit; words d | m, fifth bits.</summary>
internal struct Q5_1Decoder : IBlockDecoder
{
    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        var dm = scales[2 * unit];
        return Vectors.Affine(Vectors.Fives(Vectors.Word(quants[unit], part), scales[2 * unit + 1] >> 8 * part, 0), NumberFormats.FromHalf(dm & 0xFFFF), NumberFormats.FromHalf(dm >> 16));
    }
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = (q − 16)·d. A quad of low bits a unit; words d, fifth bits.</summary>
internal struct Q5_0Decoder : IBlockDecoder
{
    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part) =>
        Vectors.Scale(Vectors.Fives(Vectors.Word(quants[unit], part), scales[2 * unit + 1] >> 8 * part, 16), NumberFormats.FromHalf(scales[2 * unit] & 0xFFFF));
}

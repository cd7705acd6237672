using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = (q − 8)·d. A quad of 4-bit quants and a half a unit.</summary>
internal struct Q4_0Decoder : IBlockDecoder
{
    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part) =>
        Vectors.Scale(Vectors.Nibbles(Vectors.Word(quants[unit], part), 8), Scales.Half(scales, unit));
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = d · level(q). A quad of 4-bit indices and a half a unit.</summary>
internal struct IQ4_NLDecoder : IBlockDecoder
{
    /// <summary>Levels −127, −104, −83, −65, −49, −35, −22, −10 | 1, 13, 25, 38, 53, 69, 89, 113, lowest byte first.</summary>
    public const ulong LowLevels = 0xF6EA_DDCF_BFAD_9881, HighLevels = 0x7159_4535_2619_0D01;

    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part) =>
        Vectors.Scale(Vectors.Look(Vectors.Word(quants[unit], part), LowLevels, HighLevels), Scales.Half(scales, unit));
}

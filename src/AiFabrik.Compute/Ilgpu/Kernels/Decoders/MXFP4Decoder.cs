using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = 2^(e − 127) · fp4(q). A quad of 4-bit indices and a byte e a unit.</summary>
internal struct MXFP4Decoder : IBlockDecoder
{
    /// <summary>FP4 (E2M1) doubled: 0, 1, 2, 3, 4, 6, 8, 12 and the same negative, lowest byte first.</summary>
    private const ulong Positive = 0x0C08_0604_0302_0100, Negative = 0xF4F8_FAFC_FDFE_FF00;

    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        // The table is doubled, so the scale is 2^(e − 128), which is subnormal for e = 0 and 1.
        var e = (uint)Scales.Byte(scales, 0, unit);
        var scale = Interop.IntAsFloat(e < 2 ? 0x0020_0000u << (int)e : e - 1 << 23);
        return Vectors.Scale(Vectors.Look(Vectors.Word(quants[unit], part), Positive, Negative), scale);
    }
}

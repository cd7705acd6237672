using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>IEEE half: a quad a part.</summary>
internal struct F16Decoder : IBlockDecoder
{
    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        var quad = quants[unit * 4 + part];
        return new Float8
        {
            A = NumberFormats.FromHalf(quad.X & 0xFFFF), B = NumberFormats.FromHalf(quad.X >> 16), C = NumberFormats.FromHalf(quad.Y & 0xFFFF), D = NumberFormats.FromHalf(quad.Y >> 16),
            E = NumberFormats.FromHalf(quad.Z & 0xFFFF), F = NumberFormats.FromHalf(quad.Z >> 16), G = NumberFormats.FromHalf(quad.W & 0xFFFF), H = NumberFormats.FromHalf(quad.W >> 16),
        };
    }
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>bfloat16: a quad a part.</summary>
internal struct BF16Decoder : IBlockDecoder
{
    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        var quad = quants[unit * 4 + part];
        return new Float8
        {
            A = NumberFormats.FromBFloat16(quad.X & 0xFFFF), B = NumberFormats.FromBFloat16(quad.X >> 16), C = NumberFormats.FromBFloat16(quad.Y & 0xFFFF), D = NumberFormats.FromBFloat16(quad.Y >> 16),
            E = NumberFormats.FromBFloat16(quad.Z & 0xFFFF), F = NumberFormats.FromBFloat16(quad.Z >> 16), G = NumberFormats.FromBFloat16(quad.W & 0xFFFF), H = NumberFormats.FromBFloat16(quad.W >> 16),
        };
    }
}

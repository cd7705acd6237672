using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>float32: two quads a part.</summary>
internal struct F32Decoder : IBlockDecoder
{
    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        Quad low = quants[unit * 8 + part * 2], high = quants[unit * 8 + part * 2 + 1];
        return new Float8
        {
            A = Interop.IntAsFloat(low.X), B = Interop.IntAsFloat(low.Y), C = Interop.IntAsFloat(low.Z), D = Interop.IntAsFloat(low.W),
            E = Interop.IntAsFloat(high.X), F = Interop.IntAsFloat(high.Y), G = Interop.IntAsFloat(high.Z), H = Interop.IntAsFloat(high.W),
        };
    }
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>w = q·d. Two quads of signed bytes and a half a unit.</summary>
internal struct Q8_0Decoder : IBlockDecoder
{
    public readonly Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part)
    {
        var quad = quants[2 * unit + (part >> 1)];
        var bytes = (part & 1) == 0 ? Vectors.Bytes(quad.X, quad.Y) : Vectors.Bytes(quad.Z, quad.W);
        return Vectors.Scale(bytes, Scales.Half(scales, unit));
    }
}

using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels.Decoders;

/// <summary>
/// Decodes weights inside a kernel. A <b>unit</b> is 32 consecutive weights of a row; its four <b>parts</b> are 8 weights each. Units are
/// numbered through the whole matrix, [expert][row][unit of the row]. The layout that each decoder reads is written by
/// <see cref="Weights.BlockPacker"/>; decoders are structures, so that a kernel is compiled once for each.
/// </summary>
internal interface IBlockDecoder
{
    /// <param name="quants">Packed quants.</param>
    /// <param name="scales">Scales, minima and upper bits.</param>
    Float8 Decode(ArrayView<Quad> quants, ArrayView<uint> scales, int unit, int part);
}

/// <summary>Scales that several decoders read in the same way.</summary>
internal static class Scales
{
    /// <summary>The half at an index, two in a word.</summary>
    public static float Half(ArrayView<uint> scales, int index) => NumberFormats.FromHalf(scales[index >> 1] >> ((index & 1) << 4) & 0xFFFF);

    /// <summary>The unsigned byte at an index, four in a word.</summary>
    public static int Byte(ArrayView<uint> scales, int word, int index) => (int)(scales[word + (index >> 2)] >> ((index & 3) << 3) & 0xFF);

    /// <summary>The signed byte at an index, four in a word.</summary>
    public static int SignedByte(ArrayView<uint> scales, int word, int index) => (int)(scales[word + (index >> 2)] << (24 - ((index & 3) << 3))) >> 24;
}

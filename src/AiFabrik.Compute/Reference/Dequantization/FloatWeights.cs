using System.Buffers.Binary;

namespace AiFabrik.Compute.Reference.Dequantization;

/// <summary>Weights stored as numbers: float32, IEEE half and bfloat16 (the upper half of a float32), little-endian.</summary>
internal static class FloatWeights
{
    public static void F32(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++) values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]);
    }

    public static void F16(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++) values[i] = Half(bytes, 2 * i);
    }

    public static void BF16(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
    }

    /// <summary>The half at a byte offset, as float32 (exact).</summary>
    public static float Half(ReadOnlySpan<byte> bytes, int offset) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[offset..]);
}

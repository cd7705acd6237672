using System.Buffers.Binary;

namespace AiFabrik.Compute.Reference.Dequantization;

/// <summary>Blocks whose 4-bit quants are indices into a table of values. Byte j holds weight j in its low and weight j + 16 in its high half.</summary>
internal static class TableBlocks
{
    private const int HalfBlock = 16;

    /// <summary>The 16 levels of IQ4_NL and IQ4_XS.</summary>
    private static ReadOnlySpan<sbyte> Levels => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>The 16 values of FP4 (E2M1), doubled to be whole.</summary>
    private static ReadOnlySpan<sbyte> Fp4Doubled => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary>d | 16 bytes: w = d · level.</summary>
    public static void IQ4_NL(ReadOnlySpan<byte> bytes, Span<float> values) => Look(FloatWeights.Half(bytes, 0), Levels, bytes[2..], values);

    /// <summary>d | 16 bits of high scale bits | 4 bytes of low scale bits | 128 bytes: w = d · (scale − 32) · level, a scale for each 32.</summary>
    public static void IQ4_XS(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        var d = FloatWeights.Half(bytes, 0);
        int highBits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        ReadOnlySpan<byte> lowBits = bytes.Slice(4, 4), quants = bytes[8..];
        for (var group = 0; group < 8; group++)
        {
            var scale = lowBits[group / 2] >> 4 * (group % 2) & 0xF | (highBits >> 2 * group & 3) << 4;
            Look(d * (scale - 32), Levels, quants.Slice(group * HalfBlock, HalfBlock), values.Slice(group * 2 * HalfBlock, 2 * HalfBlock));
        }
    }

    /// <summary>exponent e (E8M0, bias 127) | 16 bytes: w = 2^(e − 127) · fp4 (OCP microscaling specification).</summary>
    public static void MXFP4(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        // The table is doubled, so the scale is 2^(e − 128), which is subnormal for e = 0 and 1.
        int e = bytes[0];
        var scale = BitConverter.UInt32BitsToSingle(e < 2 ? 0x0020_0000u << e : (uint)(e - 1) << 23);
        Look(scale, Fp4Doubled, bytes[1..], values);
    }

    private static void Look(float scale, ReadOnlySpan<sbyte> table, ReadOnlySpan<byte> quants, Span<float> values)
    {
        for (var j = 0; j < HalfBlock; j++)
        {
            values[j] = scale * table[quants[j] & 0xF];
            values[j + HalfBlock] = scale * table[quants[j] >> 4];
        }
    }
}

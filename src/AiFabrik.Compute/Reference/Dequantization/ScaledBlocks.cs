using System.Buffers.Binary;

namespace AiFabrik.Compute.Reference.Dequantization;

/// <summary>
/// Blocks of 32 weights with one half as scale d (and one as minimum m): GGUF's "legacy" types. 4-bit quants: byte j holds
/// weight j in its low and weight j + 16 in its high half; the fifth bits of the 5-bit types stand in one 32-bit word.
/// </summary>
internal static class ScaledBlocks
{
    private const int HalfBlock = 16;

    /// <summary>d | 16 bytes: w = (q − 8) · d.</summary>
    public static void Q4_0(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        var d = FloatWeights.Half(bytes, 0);
        for (var j = 0; j < HalfBlock; j++)
        {
            var q = bytes[2 + j];
            values[j] = ((q & 0xF) - 8) * d;
            values[j + HalfBlock] = ((q >> 4) - 8) * d;
        }
    }

    /// <summary>d | m | 16 bytes: w = q · d + m.</summary>
    public static void Q4_1(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        float d = FloatWeights.Half(bytes, 0), m = FloatWeights.Half(bytes, 2);
        for (var j = 0; j < HalfBlock; j++)
        {
            var q = bytes[4 + j];
            values[j] = (q & 0xF) * d + m;
            values[j + HalfBlock] = (q >> 4) * d + m;
        }
    }

    /// <summary>d | fifth bits | 16 bytes: w = (q − 16) · d.</summary>
    public static void Q5_0(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        var d = FloatWeights.Half(bytes, 0);
        var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[2..]);
        for (var j = 0; j < HalfBlock; j++)
        {
            var q = bytes[6 + j];
            values[j] = ((q & 0xF | FifthBit(high, j)) - 16) * d;
            values[j + HalfBlock] = ((q >> 4 | FifthBit(high, j + HalfBlock)) - 16) * d;
        }
    }

    /// <summary>d | m | fifth bits | 16 bytes: w = q · d + m.</summary>
    public static void Q5_1(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        float d = FloatWeights.Half(bytes, 0), m = FloatWeights.Half(bytes, 2);
        var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        for (var j = 0; j < HalfBlock; j++)
        {
            var q = bytes[8 + j];
            values[j] = (q & 0xF | FifthBit(high, j)) * d + m;
            values[j + HalfBlock] = (q >> 4 | FifthBit(high, j + HalfBlock)) * d + m;
        }
    }

    /// <summary>d | 32 signed bytes: w = q · d.</summary>
    public static void Q8_0(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        var d = FloatWeights.Half(bytes, 0);
        for (var j = 0; j < values.Length; j++) values[j] = (sbyte)bytes[2 + j] * d;
    }

    private static int FifthBit(uint bits, int j) => (int)(bits >> j & 1) << 4;
}

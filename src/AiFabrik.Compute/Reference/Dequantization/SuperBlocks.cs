namespace AiFabrik.Compute.Reference.Dequantization;

/// <summary>
/// Super-blocks of 256 weights: one half as scale d (and one as scale dmin of the minima), and small integer scales for
/// each 16 or 32 weights (ggml-common.h's block_q*_K).
/// </summary>
internal static class SuperBlocks
{
    private const int Chunk = 128;
    private const int ChunkQuantBytes = 32;

    /// <summary>16 bytes scale | min (4 bits each) | 64 bytes of 2-bit quants | d | dmin: w = d·scale·q − dmin·min.</summary>
    public static void Q2_K(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        ReadOnlySpan<byte> scales = bytes[..16], quants = bytes.Slice(16, 64);
        float d = FloatWeights.Half(bytes, 80), dmin = FloatWeights.Half(bytes, 82);
        for (var i = 0; i < values.Length; i++)
        {
            // Within 128 weights, 32 bytes hold weights l, l + 32, l + 64 and l + 96 in their four pairs of bits.
            int chunk = i / Chunk, within = i % Chunk, scale = scales[i / 16];
            var q = quants[chunk * ChunkQuantBytes + within % 32] >> 2 * (within / 32) & 3;
            var step = d * (scale & 0xF);
            var minimum = dmin * (scale >> 4);
            values[i] = step * q - minimum;
        }
    }

    /// <summary>32 bytes of third bits | 64 bytes of 2-bit quants | 12 bytes of sixteen 6-bit scales | d: w = d·(scale − 32)·q, q in −4 … 3.</summary>
    public static void Q3_K(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        ReadOnlySpan<byte> highBits = bytes[..32], quants = bytes.Slice(32, 64), packed = bytes.Slice(96, 12);
        var d = FloatWeights.Half(bytes, 108);
        for (var group = 0; group < 16; group++)
        {
            // Low four bits: bytes 0-7, low halves first; high two bits: bytes 8-11, four scales apart in each.
            var low = packed[group % 8] >> 4 * (group / 8) & 0xF;
            var high = packed[8 + group % 4] >> 2 * (group / 4) & 3;
            var step = d * ((low | high << 4) - 32);
            for (var i = group * 16; i < group * 16 + 16; i++)
            {
                int chunk = i / Chunk, within = i % Chunk;
                var q = quants[chunk * ChunkQuantBytes + within % 32] >> 2 * (within / 32) & 3;
                if ((highBits[within % 32] >> 4 * chunk + within / 32 & 1) == 0) q -= 4;
                values[i] = step * q;
            }
        }
    }

    /// <summary>d | dmin | 12 bytes of 6-bit scales and minima | 128 bytes of 4-bit quants: w = d·scale·q − dmin·min.</summary>
    public static void Q4_K(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        float d = FloatWeights.Half(bytes, 0), dmin = FloatWeights.Half(bytes, 2);
        ReadOnlySpan<byte> packed = bytes.Slice(4, 12), quants = bytes[16..];
        for (var group = 0; group < 8; group++)
        {
            ScaleAndMin(packed, group, out var scale, out var min);
            float step = d * scale, minimum = dmin * min;
            for (var l = 0; l < 32; l++)
            {
                var q = quants[group / 2 * 32 + l] >> 4 * (group % 2) & 0xF;
                values[group * 32 + l] = step * q - minimum;
            }
        }
    }

    /// <summary>As <see cref="Q4_K"/>, with 32 bytes of fifth bits before the quants.</summary>
    public static void Q5_K(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        float d = FloatWeights.Half(bytes, 0), dmin = FloatWeights.Half(bytes, 2);
        ReadOnlySpan<byte> packed = bytes.Slice(4, 12), highBits = bytes.Slice(16, 32), quants = bytes[48..];
        for (var group = 0; group < 8; group++)
        {
            ScaleAndMin(packed, group, out var scale, out var min);
            float step = d * scale, minimum = dmin * min;
            for (var l = 0; l < 32; l++)
            {
                var q = quants[group / 2 * 32 + l] >> 4 * (group % 2) & 0xF | (highBits[l] >> group & 1) << 4;
                values[group * 32 + l] = step * q - minimum;
            }
        }
    }

    /// <summary>128 bytes of low four bits | 64 bytes of high two bits | 16 signed scales | d: w = d·scale·(q − 32).</summary>
    public static void Q6_K(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        ReadOnlySpan<byte> lowBits = bytes[..128], highBits = bytes.Slice(128, 64), scales = bytes.Slice(192, 16);
        var d = FloatWeights.Half(bytes, 208);
        for (var i = 0; i < values.Length; i++)
        {
            // A chunk of 128 weights: quarters 0 and 1 in the low, 2 and 3 in the high halves of 64 bytes.
            int chunk = i / Chunk, within = i % Chunk, quarter = within / 32, l = within % 32;
            var low = lowBits[chunk * 64 + quarter % 2 * 32 + l] >> 4 * (quarter / 2) & 0xF;
            var high = highBits[chunk * ChunkQuantBytes + l] >> 2 * quarter & 3;
            var step = d * (sbyte)scales[i / 16];
            values[i] = step * ((low | high << 4) - 32);
        }
    }

    /// <summary>
    /// Eight 6-bit scales and minima in 12 bytes: the first four of each in bytes 0-7, whose upper two bits complete the other
    /// four, whose lower four bits stand in bytes 8-11.
    /// </summary>
    private static void ScaleAndMin(ReadOnlySpan<byte> packed, int group, out int scale, out int min)
    {
        if (group < 4)
        {
            scale = packed[group] & 63;
            min = packed[group + 4] & 63;
            return;
        }
        scale = packed[group + 4] & 0xF | packed[group - 4] >> 6 << 4;
        min = packed[group + 4] >> 4 | packed[group] >> 6 << 4;
    }
}

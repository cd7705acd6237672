using System.Buffers.Binary;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Quantization;

/// <summary>
/// Float32 to 8- and 4-bit blocks of 32, rounded exactly as ggml's reference does (quantize_row_q8_0_ref and its neighbours), so that our
/// files equal llama.cpp's; and to the plain types, to the nearest, ties to even.
/// </summary>
public static class Quantizer
{
    private const int BlockValues = 32, HalfBlock = 16;

    /// <summary>True for the types that <see cref="Row"/> writes.</summary>
    public static bool CanWrite(WeightType type) => type is WeightType.Q8_0 or WeightType.Q4_0 or WeightType.Q4_1 or WeightType.F32 or WeightType.F16 or WeightType.BF16;

    /// <summary>Quantises a row. <paramref name="values"/>.Length is a multiple of the block size; <paramref name="blocks"/> holds RowBytes of it.</summary>
    public static void Row(WeightType type, ReadOnlySpan<float> values, Span<byte> blocks)
    {
        int size = WeightTypes.BlockSize(type), bytes = WeightTypes.BlockBytes(type);
        if (values.Length % size != 0 || blocks.Length != values.Length / size * bytes) throw new ArgumentException($"{values.Length} values of type {type} do not fill {blocks.Length} bytes.", nameof(blocks));
        for (var i = 0; i < values.Length / size; i++) Block(type, values.Slice(i * size, size), blocks.Slice(i * bytes, bytes));
    }

    private static void Block(WeightType type, ReadOnlySpan<float> x, Span<byte> block)
    {
        switch (type)
        {
            case WeightType.Q8_0: Q8_0(x, block); break;
            case WeightType.Q4_0: Q4_0(x, block); break;
            case WeightType.Q4_1: Q4_1(x, block); break;
            case WeightType.F32: BinaryPrimitives.WriteSingleLittleEndian(block, x[0]); break;
            case WeightType.F16: BinaryPrimitives.WriteHalfLittleEndian(block, (Half)x[0]); break;
            case WeightType.BF16: BinaryPrimitives.WriteUInt16LittleEndian(block, BFloat16(x[0])); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "This type cannot be written.");
        }
    }

    /// <summary>d = max|x| / 127; q = round(x / d), ties away from zero. Block: half d, 32 signed bytes.</summary>
    private static void Q8_0(ReadOnlySpan<float> x, Span<byte> block)
    {
        var max = 0f;
        foreach (var v in x) max = MathF.Max(max, MathF.Abs(v));
        var d = max / 127;
        var inverse = d != 0 ? 1 / d : 0;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)d);
        for (var i = 0; i < BlockValues; i++) block[2 + i] = (byte)(sbyte)MathF.Round(x[i] * inverse, MidpointRounding.AwayFromZero);
    }

    /// <summary>d = m / −8 with m the value of the largest magnitude; q = floor(x / d + 8.5), at most 15. Block: half d, nibbles i and i + 16 in byte i.</summary>
    private static void Q4_0(ReadOnlySpan<float> x, Span<byte> block)
    {
        float magnitude = 0, max = 0;
        foreach (var v in x)
            if (MathF.Abs(v) > magnitude) (magnitude, max) = (MathF.Abs(v), v);
        var d = max / -8;
        var inverse = d != 0 ? 1 / d : 0;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)d);
        for (var i = 0; i < HalfBlock; i++) block[2 + i] = (byte)(Nibble(x[i] * inverse + 8.5f) | Nibble(x[i + HalfBlock] * inverse + 8.5f) << 4);
    }

    /// <summary>d = (max − min) / 15; q = floor((x − min) / d + 0.5), at most 15. Block: half d, half min, nibbles as in Q4_0.</summary>
    private static void Q4_1(ReadOnlySpan<float> x, Span<byte> block)
    {
        float min = float.MaxValue, max = float.MinValue;
        foreach (var v in x)
        {
            if (v < min) min = v;
            if (v > max) max = v;
        }
        var d = (max - min) / 15;
        var inverse = d != 0 ? 1 / d : 0;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)d);
        BinaryPrimitives.WriteHalfLittleEndian(block[2..], (Half)min);
        for (var i = 0; i < HalfBlock; i++) block[4 + i] = (byte)(Nibble((x[i] - min) * inverse + 0.5f) | Nibble((x[i + HalfBlock] - min) * inverse + 0.5f) << 4);
    }

    private static int Nibble(float value) => Math.Clamp((int)value, 0, 15);

    private static ushort BFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return (ushort)(bits >> 16 | 0x40);
        return (ushort)((bits + (0x7FFF + (bits >> 16 & 1))) >> 16);
    }
}

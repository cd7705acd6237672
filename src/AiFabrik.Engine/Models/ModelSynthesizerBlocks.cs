using System.Buffers.Binary;
using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>
/// Random weights of any type, written as blocks directly: random bits for the quants, fixed scales such that the values have zero mean and
/// a standard deviation of about 0.02, as trained matrices have.
/// </summary>
internal static class ModelSynthesizerBlocks
{
    private const float Deviation = 0.02f;

    /// <summary>Fills whole blocks. The same state gives the same bytes; it is advanced.</summary>
    public static void Fill(WeightType type, Span<byte> blocks, ref ulong state)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(blocks);
        for (var i = 0; i < words.Length; i++) words[i] = Next(ref state);
        for (var i = words.Length * sizeof(ulong); i < blocks.Length; i++) blocks[i] = (byte)Next(ref state);
        if (WeightTypes.BlockSize(type) == 1) { Shape(type, blocks); return; }
        var size = WeightTypes.BlockBytes(type);
        for (var at = 0; at < blocks.Length; at += size) Scale(type, blocks.Slice(at, size));
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014).</summary>
    private static ulong Next(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Keeps sign, mantissa and the exponent's last bit of random values and fixes the rest: magnitudes from 2^-7 to 2^-5.</summary>
    private static void Shape(WeightType type, Span<byte> values)
    {
        var (keep, set) = type switch
        {
            WeightType.F16 => (0x87FFul * 0x0001_0001_0001_0001, 0x2000ul * 0x0001_0001_0001_0001),
            WeightType.BF16 => (0x80FFul * 0x0001_0001_0001_0001, 0x3C00ul * 0x0001_0001_0001_0001),
            _ => (0x80FF_FFFFul * 0x0000_0001_0000_0001, 0x3C00_0000ul * 0x0000_0001_0000_0001),
        };
        var words = MemoryMarshal.Cast<byte, ulong>(values);
        for (var i = 0; i < words.Length; i++) words[i] = (words[i] & keep) | set;
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        var tail = values[(words.Length * sizeof(ulong))..];
        last.Clear();
        tail.CopyTo(last);
        BinaryPrimitives.WriteUInt64LittleEndian(last, (BinaryPrimitives.ReadUInt64LittleEndian(last) & keep) | set);
        last[..tail.Length].CopyTo(tail);
    }

    /// <summary>Scales of one block: where they stand, and what the random quants' deviation and mean are without them.</summary>
    private static void Scale(WeightType type, Span<byte> block)
    {
        switch (type)
        {
            case WeightType.Q4_0: Half(block, 0, Deviation / 4.6f); break;
            case WeightType.Q4_1: Half(block, 0, Deviation / 4.6f); Half(block, 2, -7.5f * Deviation / 4.6f); break;
            case WeightType.Q5_0: Half(block, 0, Deviation / 9.2f); break;
            case WeightType.Q5_1: Half(block, 0, Deviation / 9.2f); Half(block, 2, -15.5f * Deviation / 9.2f); break;
            case WeightType.Q8_0: Half(block, 0, Deviation / 74f); break;
            case WeightType.Q2_K: Half(block, 80, Deviation / 13f); Half(block, 82, 1.5f * Deviation / 13f); break;
            case WeightType.Q3_K: Half(block, 108, Deviation / 43f); break;
            case WeightType.Q4_K: Half(block, 0, Deviation / 260f); Half(block, 2, 7.5f * Deviation / 260f); break;
            case WeightType.Q5_K: Half(block, 0, Deviation / 520f); Half(block, 2, 15.5f * Deviation / 520f); break;
            case WeightType.Q6_K: Half(block, 208, Deviation / 1350f); break;
            case WeightType.IQ4_NL: Half(block, 0, Deviation / 70f); break;
            case WeightType.IQ4_XS: Half(block, 0, Deviation / 1300f); break;
            case WeightType.MXFP4: block[0] = 120; break; // 2^-7: quants have a deviation of about 3
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "No such weight type.");
        }
    }

    private static void Half(Span<byte> block, int offset, float value) => BinaryPrimitives.WriteHalfLittleEndian(block[offset..], (Half)value);
}

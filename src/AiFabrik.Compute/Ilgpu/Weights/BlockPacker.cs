using System.Runtime.InteropServices;
using AiFabrik.Compute.Ilgpu.Kernels.Decoders;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Ilgpu.Weights;

/// <summary>
/// Brings rows as GGUF stores them (ggml-common.h's blocks; meaning: Reference/Dequantization) into the layout that the decoders read.
/// Quants are put in the order of the weights: word i of a unit's quants holds weights 8i … 8i + 7, the first in the lowest bits.
/// </summary>
internal static class BlockPacker
{
    private const int UnitSize = PackedLayout.UnitSize, SuperBlock = 256, UnitsOfSuperBlock = SuperBlock / UnitSize;

    /// <summary>Packs a row. <paramref name="unit"/>: the row's first unit in the two destinations, which must be zeroed.</summary>
    public static void Row(WeightType type, ReadOnlySpan<byte> row, int unit, Span<uint> quants, Span<uint> scales)
    {
        switch (type)
        {
            case WeightType.F32: row.CopyTo(MemoryMarshal.AsBytes(quants[(unit * UnitSize)..])); return;
            case WeightType.F16 or WeightType.BF16: row.CopyTo(MemoryMarshal.AsBytes(quants[(unit * UnitSize / 2)..])); return;
        }
        var bytes = WeightTypes.BlockBytes(type);
        var unitsOfBlock = WeightTypes.BlockSize(type) / UnitSize;
        for (; row.Length > 0; row = row[bytes..], unit += unitsOfBlock)
        {
            if (unitsOfBlock == 1) Small(type, row[..bytes], unit, quants, scales);
            else Super(type, row[..bytes], unit, quants, scales);
        }
    }

    private static void Small(WeightType type, ReadOnlySpan<byte> block, int unit, Span<uint> quants, Span<uint> scales)
    {
        Span<byte> q = stackalloc byte[UnitSize];
        if (type == WeightType.Q8_0)
        {
            block[2..].CopyTo(MemoryMarshal.AsBytes(quants[(unit * 8)..]));
        }
        else
        {
            Split(block[^16..], q);
            Nibbles(q, quants[(unit * 4)..]);
        }
        switch (type)
        {
            case WeightType.MXFP4:
                MemoryMarshal.AsBytes(scales)[unit] = block[0];
                break;
            case WeightType.Q4_1:
                scales[unit] = MemoryMarshal.Read<uint>(block);
                break;
            case WeightType.Q5_0:
                scales[2 * unit] = MemoryMarshal.Read<ushort>(block);
                scales[2 * unit + 1] = MemoryMarshal.Read<uint>(block[2..]);
                break;
            case WeightType.Q5_1:
                scales[2 * unit] = MemoryMarshal.Read<uint>(block);
                scales[2 * unit + 1] = MemoryMarshal.Read<uint>(block[4..]);
                break;
            default:
                MemoryMarshal.Cast<uint, ushort>(scales)[unit] = MemoryMarshal.Read<ushort>(block);
                break;
        }
    }

    private static void Super(WeightType type, ReadOnlySpan<byte> block, int unit, Span<uint> quants, Span<uint> scales)
    {
        Span<byte> q = stackalloc byte[SuperBlock];
        var at = unit / UnitsOfSuperBlock;
        switch (type)
        {
            case WeightType.Q2_K: Q2_K(block, q, quants[(unit * 2)..], scales[(at * Q2_KDecoder.Words)..]); break;
            case WeightType.Q3_K: Q3_K(block, q, quants[(unit * 2)..], scales[(at * Q3_KDecoder.Words)..]); break;
            case WeightType.Q4_K: Q4_K(block, q, quants[(unit * 4)..], scales[(at * Q4_KDecoder.Words)..]); break;
            case WeightType.Q5_K: Q5_K(block, q, quants[(unit * 4)..], scales[(at * Q5_KDecoder.Words)..]); break;
            case WeightType.Q6_K: Q6_K(block, q, quants[(unit * 4)..], scales[(at * Q6_KDecoder.Words)..]); break;
            case WeightType.IQ4_XS: IQ4_XS(block, q, quants[(unit * 4)..], scales[(at * IQ4_XSDecoder.Words)..]); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "No such weight type.");
        }
    }

    private static void Q2_K(ReadOnlySpan<byte> block, Span<byte> q, Span<uint> quants, Span<uint> scales)
    {
        scales[0] = MemoryMarshal.Read<uint>(block[80..]);
        block[..16].CopyTo(MemoryMarshal.AsBytes(scales[1..]));
        TwoBits(block.Slice(16, 64), q);
        Pairs(q, quants);
    }

    private static void Q3_K(ReadOnlySpan<byte> block, Span<byte> q, Span<uint> quants, Span<uint> scales)
    {
        scales[0] = MemoryMarshal.Read<ushort>(block[108..]);
        var packed = block.Slice(96, 12);
        var signed = MemoryMarshal.AsBytes(scales.Slice(1, 4));
        for (var group = 0; group < 16; group++)
        {
            var low = packed[group % 8] >> 4 * (group / 8) & 0xF;
            var high = packed[8 + group % 4] >> 2 * (group / 4) & 3;
            signed[group] = (byte)((low | high << 4) - 32);
        }
        TwoBits(block.Slice(32, 64), q);
        Pairs(q, quants);
        // Bit u of byte l is the third bit of weight 32·u + l.
        for (var u = 0; u < UnitsOfSuperBlock; u++)
            for (var l = 0; l < UnitSize; l++) scales[5 + u] |= (uint)(block[l] >> u & 1) << l;
    }

    private static void Q4_K(ReadOnlySpan<byte> block, Span<byte> q, Span<uint> quants, Span<uint> scales)
    {
        ScalesAndMinima(block, scales);
        HalvesOf64(block[16..], q);
        Nibbles(q, quants);
    }

    private static void Q5_K(ReadOnlySpan<byte> block, Span<byte> q, Span<uint> quants, Span<uint> scales)
    {
        ScalesAndMinima(block, scales);
        HalvesOf64(block[48..], q);
        Nibbles(q, quants);
        for (var u = 0; u < UnitsOfSuperBlock; u++)
            for (var l = 0; l < UnitSize; l++) scales[5 + u] |= (uint)(block[16 + l] >> u & 1) << l;
    }

    private static void Q6_K(ReadOnlySpan<byte> block, Span<byte> q, Span<uint> quants, Span<uint> scales)
    {
        scales[0] = MemoryMarshal.Read<ushort>(block[208..]);
        block.Slice(192, 16).CopyTo(MemoryMarshal.AsBytes(scales[1..]));
        for (var i = 0; i < SuperBlock; i++)
        {
            int chunk = i / 128, quarter = i % 128 / 32, l = i % 32;
            q[i] = (byte)(block[chunk * 64 + quarter % 2 * 32 + l] >> 4 * (quarter / 2) & 0xF);
            var high = (uint)(block[128 + chunk * 32 + l] >> 2 * quarter & 3);
            scales[5 + i / 16] |= high << 2 * (i % 16);
        }
        Nibbles(q, quants);
    }

    private static void IQ4_XS(ReadOnlySpan<byte> block, Span<byte> q, Span<uint> quants, Span<uint> scales)
    {
        scales[0] = MemoryMarshal.Read<ushort>(block);
        int highBits = MemoryMarshal.Read<ushort>(block[2..]);
        var signed = MemoryMarshal.AsBytes(scales.Slice(1, 2));
        for (var u = 0; u < UnitsOfSuperBlock; u++)
        {
            signed[u] = (byte)((block[4 + u / 2] >> 4 * (u % 2) & 0xF | (highBits >> 2 * u & 3) << 4) - 32);
            Split(block.Slice(8 + 16 * u, 16), q.Slice(UnitSize * u, UnitSize));
        }
        Nibbles(q, quants);
    }

    /// <summary>d | dmin, then pairs of bytes scale, min for eight units, from Q4_K's and Q5_K's twelve bytes of 6-bit numbers.</summary>
    private static void ScalesAndMinima(ReadOnlySpan<byte> block, Span<uint> scales)
    {
        scales[0] = MemoryMarshal.Read<uint>(block);
        var packed = block.Slice(4, 12);
        var pairs = MemoryMarshal.AsBytes(scales.Slice(1, 4));
        for (var u = 0; u < 4; u++)
        {
            pairs[2 * u] = (byte)(packed[u] & 63);
            pairs[2 * u + 1] = (byte)(packed[u + 4] & 63);
            pairs[2 * u + 8] = (byte)(packed[u + 8] & 0xF | packed[u] >> 6 << 4);
            pairs[2 * u + 9] = (byte)(packed[u + 8] >> 4 | packed[u + 4] >> 6 << 4);
        }
    }

    /// <summary>Byte j holds quant j in its low and quant j + 16 in its high half.</summary>
    private static void Split(ReadOnlySpan<byte> bytes, Span<byte> q)
    {
        for (var j = 0; j < 16; j++)
        {
            q[j] = (byte)(bytes[j] & 0xF);
            q[j + 16] = (byte)(bytes[j] >> 4);
        }
    }

    /// <summary>32 bytes hold 64 quants: the first 32 in their low, the others in their high halves.</summary>
    private static void HalvesOf64(ReadOnlySpan<byte> bytes, Span<byte> q)
    {
        for (var i = 0; i < SuperBlock; i++) q[i] = (byte)(bytes[i / 64 * 32 + i % 32] >> 4 * (i % 64 / 32) & 0xF);
    }

    /// <summary>32 bytes hold 128 quants l, l + 32, l + 64 and l + 96 in their four pairs of bits.</summary>
    private static void TwoBits(ReadOnlySpan<byte> bytes, Span<byte> q)
    {
        for (var i = 0; i < SuperBlock; i++) q[i] = (byte)(bytes[i / 128 * 32 + i % 32] >> 2 * (i % 128 / 32) & 3);
    }

    private static void Nibbles(ReadOnlySpan<byte> q, Span<uint> to)
    {
        for (var i = 0; i < q.Length; i += 8)
        {
            to[i / 8] = (uint)(q[i] | q[i + 1] << 4 | q[i + 2] << 8 | q[i + 3] << 12 | q[i + 4] << 16 | q[i + 5] << 20 | q[i + 6] << 24 | q[i + 7] << 28);
        }
    }

    private static void Pairs(ReadOnlySpan<byte> q, Span<uint> to)
    {
        for (var i = 0; i < q.Length; i += 16)
        {
            var word = 0u;
            for (var j = 0; j < 16; j++) word |= (uint)q[i + j] << 2 * j;
            to[i / 16] = word;
        }
    }
}

using System.Buffers.Binary;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>What the CUDA kernels compute, in plain C# and double precision.</summary>
internal static class CudaReference
{
    /// <summary>The bf16 nearest to a float, ties to even.</summary>
    public static ushort ToBf16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    public static float FromBf16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>out[t, n] = Σ_k x[t, k]·w[n, k], and Σ|x·w| to measure an error by.</summary>
    public static (double[] Sum, double[] Size) MatMul(float[] x, float[] w, int tokens, int rows, int cols)
    {
        double[] sum = new double[tokens * rows], size = new double[tokens * rows];
        for (int t = 0; t < tokens; t++)
        {
            for (int n = 0; n < rows; n++)
            {
                double s = 0, a = 0;
                for (int k = 0; k < cols; k++)
                {
                    double product = (double)x[t * cols + k] * w[n * cols + k];
                    s += product;
                    a += Math.Abs(product);
                }
                (sum[t * rows + n], size[t * rows + n]) = (s, a);
            }
        }
        return (sum, size);
    }
}

/// <summary>
/// A random matrix: GGUF blocks, the values that they stand for (GGUF's own formulas), and the planes that the executor uploads: quants of 32 values after
/// one another (q8_0 bytes as they are; q4 nibbles in the order of the values, the first in the lowest bits), and apart the scales as stored.
/// </summary>
internal sealed class BlockMatrix
{
    public BlockMatrix(WeightType type, int rows, int cols, int seed)
    {
        var random = new Random(seed);
        int blockBytes = WeightTypes.BlockBytes(type), blocks = cols / 32;
        int scaleBytes = type == WeightType.Q4_1 ? 4 : 2, quantBytes = type == WeightType.Q8_0 ? 32 : 16;
        Values = new float[rows * cols];
        Quants = new byte[rows * blocks * quantBytes];
        Scales = new byte[rows * blocks * scaleBytes];
        byte[] block = new byte[blockBytes];
        for (int i = 0; i < rows * blocks; i++)
        {
            random.NextBytes(block);
            BinaryPrimitives.WriteHalfLittleEndian(block, (Half)((random.NextSingle() - 0.3f) * 0.1f));
            if (type == WeightType.Q4_1)
            {
                BinaryPrimitives.WriteHalfLittleEndian(block.AsSpan(2), (Half)(random.NextSingle() - 0.5f));
            }
            Decode(type, block, Values.AsSpan(i * 32, 32));
            block.AsSpan(0, scaleBytes).CopyTo(Scales.AsSpan(i * scaleBytes));
            Pack(block.AsSpan(scaleBytes), Quants.AsSpan(i * quantBytes, quantBytes));
        }
    }

    /// <summary>GGUF's byte j holds values j and j + 16; here byte j holds values 2j and 2j + 1.</summary>
    private static void Pack(ReadOnlySpan<byte> quants, Span<byte> packed)
    {
        if (packed.Length == 32)
        {
            quants.CopyTo(packed);
            return;
        }
        int Value(ReadOnlySpan<byte> q, int i) => i < 16 ? q[i] & 15 : q[i - 16] >> 4;
        for (int j = 0; j < 16; j++)
        {
            packed[j] = (byte)(Value(quants, 2 * j) | (Value(quants, 2 * j + 1) << 4));
        }
    }

    public float[] Values { get; }

    public byte[] Quants { get; }

    public byte[] Scales { get; }

    private static void Decode(WeightType type, ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = (float)BinaryPrimitives.ReadHalfLittleEndian(block);
        for (int i = 0; i < 32; i++)
        {
            values[i] = type switch
            {
                WeightType.Q8_0 => d * (sbyte)block[2 + i],
                WeightType.Q4_0 => d * ((i < 16 ? block[2 + i] & 15 : block[2 + i - 16] >> 4) - 8),
                WeightType.Q4_1 => d * (i < 16 ? block[4 + i] & 15 : block[4 + i - 16] >> 4) + (float)BinaryPrimitives.ReadHalfLittleEndian(block[2..]),
                _ => throw new ArgumentException("Not packed here.", nameof(type)),
            };
        }
    }
}

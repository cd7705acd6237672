using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference.Dequantization;

/// <summary>
/// Turns stored weights into float32: the definition of what each <see cref="WeightType"/> means. Products and differences
/// are rounded one by one to float32, never fused, so that the values equal ggml's and gguf-py's bit by bit.
/// </summary>
public static class Dequantizer
{
    /// <summary>Dequantises one row of a matrix into <paramref name="values"/> [Cols].</summary>
    public static unsafe void Row(WeightTensor matrix, int expert, int row, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)expert, (uint)matrix.Experts, nameof(expert));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)matrix.Rows, nameof(row));
        var data = (byte*)matrix.Data + expert * matrix.ExpertStrideBytes + row * matrix.RowStrideBytes;
        Blocks(matrix.Type, new ReadOnlySpan<byte>(data, (int)WeightTypes.RowBytes(matrix.Type, matrix.Cols)), values[..matrix.Cols]);
    }

    /// <summary>Dequantises whole blocks: <paramref name="values"/>.Length weights from as many bytes as they take.</summary>
    public static void Blocks(WeightType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        int blockBytes = WeightTypes.BlockBytes(type), blockSize = WeightTypes.BlockSize(type);
        if (blockBytes == 0 || values.Length % blockSize != 0 || bytes.Length != values.Length / blockSize * blockBytes)
            throw new ArgumentException($"{values.Length} weights of type {type} don't lie in {bytes.Length} bytes.");
        switch (type)
        {
            case WeightType.F32: FloatWeights.F32(bytes, values); return;
            case WeightType.F16: FloatWeights.F16(bytes, values); return;
            case WeightType.BF16: FloatWeights.BF16(bytes, values); return;
        }
        for (var i = 0; i * blockSize < values.Length; i++)
            Block(type, bytes.Slice(i * blockBytes, blockBytes), values.Slice(i * blockSize, blockSize));
    }

    private static void Block(WeightType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (type)
        {
            case WeightType.Q4_0: ScaledBlocks.Q4_0(bytes, values); break;
            case WeightType.Q4_1: ScaledBlocks.Q4_1(bytes, values); break;
            case WeightType.Q5_0: ScaledBlocks.Q5_0(bytes, values); break;
            case WeightType.Q5_1: ScaledBlocks.Q5_1(bytes, values); break;
            case WeightType.Q8_0: ScaledBlocks.Q8_0(bytes, values); break;
            case WeightType.Q2_K: SuperBlocks.Q2_K(bytes, values); break;
            case WeightType.Q3_K: SuperBlocks.Q3_K(bytes, values); break;
            case WeightType.Q4_K: SuperBlocks.Q4_K(bytes, values); break;
            case WeightType.Q5_K: SuperBlocks.Q5_K(bytes, values); break;
            case WeightType.Q6_K: SuperBlocks.Q6_K(bytes, values); break;
            case WeightType.IQ4_NL: TableBlocks.IQ4_NL(bytes, values); break;
            case WeightType.IQ4_XS: TableBlocks.IQ4_XS(bytes, values); break;
            case WeightType.MXFP4: TableBlocks.MXFP4(bytes, values); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "No such weight type.");
        }
    }
}

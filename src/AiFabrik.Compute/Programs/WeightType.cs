namespace AiFabrik.Compute.Programs;

/// <summary>How a weight matrix is stored. The numbers are ggml's own, since they stand in GGUF files.</summary>
public enum WeightType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q2_K = 10,
    Q3_K = 11,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    IQ4_NL = 20,
    IQ4_XS = 23,
    BF16 = 30,
    MXFP4 = 39,
}

/// <summary>Block geometry of each <see cref="WeightType"/> (GGUF specification, ggml-common.h's layouts).</summary>
public static class WeightTypes
{
    /// <summary>True for the types this product computes with.</summary>
    public static bool IsSupported(int ggmlType) => ggmlType >= 0 && BlockBytes((WeightType)ggmlType) > 0;

    /// <summary>Weights in one block.</summary>
    public static int BlockSize(WeightType type) => type switch
    {
        WeightType.F32 or WeightType.F16 or WeightType.BF16 => 1,
        WeightType.Q2_K or WeightType.Q3_K or WeightType.Q4_K or WeightType.Q5_K or WeightType.Q6_K or WeightType.IQ4_XS => 256,
        _ => 32,
    };

    /// <summary>Bytes of one block; 0 for a type that is not supported.</summary>
    public static int BlockBytes(WeightType type) => type switch
    {
        WeightType.F32 => 4,
        WeightType.F16 or WeightType.BF16 => 2,
        WeightType.Q4_0 or WeightType.IQ4_NL => 18,
        WeightType.Q4_1 => 20,
        WeightType.Q5_0 => 22,
        WeightType.Q5_1 => 24,
        WeightType.Q8_0 => 34,
        WeightType.Q2_K => 84,
        WeightType.Q3_K => 110,
        WeightType.Q4_K => 144,
        WeightType.Q5_K => 176,
        WeightType.Q6_K => 210,
        WeightType.IQ4_XS => 136,
        WeightType.MXFP4 => 17,
        _ => 0,
    };

    /// <summary>Bytes of a row of <paramref name="cols"/> weights, which must be a multiple of the block size.</summary>
    public static long RowBytes(WeightType type, int cols) => (long)(cols / BlockSize(type)) * BlockBytes(type);
}

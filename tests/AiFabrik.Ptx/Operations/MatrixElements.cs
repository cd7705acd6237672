namespace AiFabrik.Ptx;

/// <summary>Elements of matrix operands: their width in bits, and their values from raw bits.</summary>
internal static class MatrixElements
{
    public static int Width(PtxType type) => type switch
    {
        PtxType.U4 or PtxType.S4 => 4,
        PtxType.U8 or PtxType.S8 or PtxType.E4M3 or PtxType.E5M2 => 8,
        PtxType.F16 or PtxType.BF16 => 16,
        PtxType.F64 => 64,
        _ => 32,
    };

    public static bool IsInteger(PtxType type) => type is PtxType.U4 or PtxType.S4 or PtxType.U8 or PtxType.S8;

    public static bool IsOperand(PtxType type) =>
        IsInteger(type) || type is PtxType.F16 or PtxType.BF16 or PtxType.TF32 or PtxType.E4M3 or PtxType.E5M2 or PtxType.F64;

    /// <summary>The value; integers are exact in a double. Tensor cores ignore the low 13 bits of a tf32.</summary>
    public static double Value(PtxType type, ulong bits) => type switch
    {
        PtxType.F16 => FloatFormat.F16.ToDouble(bits & 0xFFFF),
        PtxType.BF16 => FloatFormat.BF16.ToDouble(bits & 0xFFFF),
        PtxType.TF32 => BitConverter.UInt32BitsToSingle((uint)bits & 0xFFFF_E000),
        PtxType.F32 => BitConverter.UInt32BitsToSingle((uint)bits),
        PtxType.F64 => BitConverter.UInt64BitsToDouble(bits),
        PtxType.E4M3 => EightBit.ToDouble(bits & 0xFF, true),
        PtxType.E5M2 => EightBit.ToDouble(bits & 0xFF, false),
        PtxType.S8 => (sbyte)bits,
        PtxType.U8 => (byte)bits,
        PtxType.S4 => (sbyte)(bits << 4) >> 4,
        PtxType.U4 => bits & 0xF,
        _ => (int)bits,
    };
}

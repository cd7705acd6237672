using System.Collections.Frozen;

namespace AiFabrik.Ptx;

/// <summary>The fundamental and packed types of PTX (PTX ISA, "Types").</summary>
internal enum PtxType : byte
{
    None, Pred,
    B8, B16, B32, B64, B128,
    U8, U16, U32, U64,
    S8, S16, S32, S64,
    F16, F16x2, BF16, BF16x2, TF32, F32, F64,
    E4M3, E5M2, E4M3x2, E5M2x2,
    U4, S4,
}

internal static class PtxTypes
{
    private static readonly FrozenDictionary<string, PtxType> s_names =
        Enum.GetValues<PtxType>().Where(t => t != PtxType.None)
            .ToFrozenDictionary(t => t.ToString().ToLowerInvariant(), t => t);

    public static PtxType Parse(string name) => s_names.GetValueOrDefault(name);

    /// <summary>Bytes of one value in memory or in a register; a predicate counts as one.</summary>
    public static int Size(this PtxType type) => type switch
    {
        PtxType.B8 or PtxType.U8 or PtxType.S8 or PtxType.Pred or PtxType.E4M3 or PtxType.E5M2 or PtxType.U4 or PtxType.S4 => 1,
        PtxType.B16 or PtxType.U16 or PtxType.S16 or PtxType.F16 or PtxType.BF16 or PtxType.E4M3x2 or PtxType.E5M2x2 => 2,
        PtxType.B64 or PtxType.U64 or PtxType.S64 or PtxType.F64 => 8,
        PtxType.B128 => 16,
        _ => 4,
    };

    public static bool IsSigned(this PtxType type) => type is PtxType.S8 or PtxType.S16 or PtxType.S32 or PtxType.S64;

    public static bool IsFloat(this PtxType type) =>
        type is PtxType.F16 or PtxType.F16x2 or PtxType.BF16 or PtxType.BF16x2 or PtxType.TF32 or PtxType.F32 or PtxType.F64;

    public static bool IsHalf(this PtxType type) =>
        type is PtxType.F16 or PtxType.F16x2 or PtxType.BF16 or PtxType.BF16x2;

    /// <summary>The CLR type with the same width and signedness; bit types count as unsigned.</summary>
    public static Type Clr(this PtxType type) => type switch
    {
        PtxType.S8 => typeof(sbyte),
        PtxType.S16 => typeof(short),
        PtxType.S32 => typeof(int),
        PtxType.S64 => typeof(long),
        PtxType.F32 => typeof(float),
        PtxType.F64 => typeof(double),
        _ => type.Size() switch { 1 => typeof(byte), 2 => typeof(ushort), 8 => typeof(ulong), _ => typeof(uint) },
    };
}

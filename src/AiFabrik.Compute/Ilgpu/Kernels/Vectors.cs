using System.Runtime.InteropServices;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>16 bytes of packed weights: one load.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Quad
{
    public uint X, Y, Z, W;
}

/// <summary>Four consecutive activations: one load.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Float4
{
    public float X, Y, Z, W;
}

/// <summary>Eight consecutive weights, or eight running sums. A structure, because kernels have no arrays in registers.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Float8
{
    public float A, B, C, D, E, F, G, H;
}

/// <summary>What kernels do with the structures above.</summary>
internal static class Vectors
{
    /// <summary>The <paramref name="part"/>-th of a quad's four words.</summary>
    public static uint Word(Quad quad, int part) => part == 0 ? quad.X : part == 1 ? quad.Y : part == 2 ? quad.Z : quad.W;

    /// <summary>sums + w ⊙ x, x in two halves.</summary>
    public static Float8 MultiplyAdd(Float8 w, Float4 low, Float4 high, Float8 sums) => new()
    {
        A = sums.A + w.A * low.X, B = sums.B + w.B * low.Y, C = sums.C + w.C * low.Z, D = sums.D + w.D * low.W,
        E = sums.E + w.E * high.X, F = sums.F + w.F * high.Y, G = sums.G + w.G * high.Z, H = sums.H + w.H * high.W,
    };

    /// <summary>sums + w · x for one w.</summary>
    public static Float8 MultiplyAdd(float w, Float8 x, Float8 sums) => new()
    {
        A = sums.A + w * x.A, B = sums.B + w * x.B, C = sums.C + w * x.C, D = sums.D + w * x.D,
        E = sums.E + w * x.E, F = sums.F + w * x.F, G = sums.G + w * x.G, H = sums.H + w * x.H,
    };

    public static float Sum(Float8 v) => ((v.A + v.E) + (v.B + v.F)) + ((v.C + v.G) + (v.D + v.H));

    /// <summary>d · q.</summary>
    public static Float8 Scale(Float8 q, float d) => new()
    {
        A = q.A * d, B = q.B * d, C = q.C * d, D = q.D * d, E = q.E * d, F = q.F * d, G = q.G * d, H = q.H * d,
    };

    /// <summary>d · q + m.</summary>
    public static Float8 Affine(Float8 q, float d, float m) => new()
    {
        A = q.A * d + m, B = q.B * d + m, C = q.C * d + m, D = q.D * d + m, E = q.E * d + m, F = q.F * d + m, G = q.G * d + m, H = q.H * d + m,
    };

    /// <summary>Eight 4-bit numbers less <paramref name="zero"/>.</summary>
    public static Float8 Nibbles(uint word, int zero) => new()
    {
        A = (int)(word & 15) - zero, B = (int)(word >> 4 & 15) - zero, C = (int)(word >> 8 & 15) - zero, D = (int)(word >> 12 & 15) - zero,
        E = (int)(word >> 16 & 15) - zero, F = (int)(word >> 20 & 15) - zero, G = (int)(word >> 24 & 15) - zero, H = (int)(word >> 28) - zero,
    };

    /// <summary>Eight 5-bit numbers less <paramref name="zero"/>; the fifth bits are the low eight of <paramref name="high"/>.</summary>
    public static Float8 Fives(uint word, uint high, int zero) => new()
    {
        A = (int)(word & 15 | (high & 1) << 4) - zero, B = (int)(word >> 4 & 15 | (high >> 1 & 1) << 4) - zero,
        C = (int)(word >> 8 & 15 | (high >> 2 & 1) << 4) - zero, D = (int)(word >> 12 & 15 | (high >> 3 & 1) << 4) - zero,
        E = (int)(word >> 16 & 15 | (high >> 4 & 1) << 4) - zero, F = (int)(word >> 20 & 15 | (high >> 5 & 1) << 4) - zero,
        G = (int)(word >> 24 & 15 | (high >> 6 & 1) << 4) - zero, H = (int)(word >> 28 | (high >> 7 & 1) << 4) - zero,
    };

    /// <summary>Eight 6-bit numbers less <paramref name="zero"/>; the upper two bits are the low sixteen of <paramref name="high"/>.</summary>
    public static Float8 Sixes(uint word, uint high, int zero) => new()
    {
        A = (int)(word & 15 | (high & 3) << 4) - zero, B = (int)(word >> 4 & 15 | (high >> 2 & 3) << 4) - zero,
        C = (int)(word >> 8 & 15 | (high >> 4 & 3) << 4) - zero, D = (int)(word >> 12 & 15 | (high >> 6 & 3) << 4) - zero,
        E = (int)(word >> 16 & 15 | (high >> 8 & 3) << 4) - zero, F = (int)(word >> 20 & 15 | (high >> 10 & 3) << 4) - zero,
        G = (int)(word >> 24 & 15 | (high >> 12 & 3) << 4) - zero, H = (int)(word >> 28 | (high >> 14 & 3) << 4) - zero,
    };

    /// <summary>Eight 2-bit numbers in the low sixteen bits.</summary>
    public static Float8 Pairs(uint word) => new()
    {
        A = word & 3, B = word >> 2 & 3, C = word >> 4 & 3, D = word >> 6 & 3, E = word >> 8 & 3, F = word >> 10 & 3, G = word >> 12 & 3, H = word >> 14 & 3,
    };

    /// <summary>Eight 3-bit numbers less 4: two low bits each, third bits in the low eight of <paramref name="high"/>.</summary>
    public static Float8 Triples(uint word, uint high) => new()
    {
        A = (int)(word & 3 | (high & 1) << 2) - 4, B = (int)(word >> 2 & 3 | (high >> 1 & 1) << 2) - 4,
        C = (int)(word >> 4 & 3 | (high >> 2 & 1) << 2) - 4, D = (int)(word >> 6 & 3 | (high >> 3 & 1) << 2) - 4,
        E = (int)(word >> 8 & 3 | (high >> 4 & 1) << 2) - 4, F = (int)(word >> 10 & 3 | (high >> 5 & 1) << 2) - 4,
        G = (int)(word >> 12 & 3 | (high >> 6 & 1) << 2) - 4, H = (int)(word >> 14 & 3 | (high >> 7 & 1) << 2) - 4,
    };

    /// <summary>Eight signed bytes of two words.</summary>
    public static Float8 Bytes(uint low, uint high) => new()
    {
        A = (int)(low << 24) >> 24, B = (int)(low << 16) >> 24, C = (int)(low << 8) >> 24, D = (int)low >> 24,
        E = (int)(high << 24) >> 24, F = (int)(high << 16) >> 24, G = (int)(high << 8) >> 24, H = (int)high >> 24,
    };

    /// <summary>Eight entries of a table of sixteen signed bytes, half of it in each number.</summary>
    public static Float8 Look(uint word, ulong lowHalf, ulong highHalf) => new()
    {
        A = Look1(word, lowHalf, highHalf), B = Look1(word >> 4, lowHalf, highHalf), C = Look1(word >> 8, lowHalf, highHalf), D = Look1(word >> 12, lowHalf, highHalf),
        E = Look1(word >> 16, lowHalf, highHalf), F = Look1(word >> 20, lowHalf, highHalf), G = Look1(word >> 24, lowHalf, highHalf), H = Look1(word >> 28, lowHalf, highHalf),
    };

    private static float Look1(uint q, ulong lowHalf, ulong highHalf) =>
        (int)((uint)(((q & 8) == 0 ? lowHalf : highHalf) >> (int)((q & 7) * 8)) << 24) >> 24;
}

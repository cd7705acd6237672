using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>
/// <c>mma.sync</c> with A in rows and B in columns. All shapes but the oldest share one layout of fragments (PTX ISA, "Matrix Fragments for
/// mma"). With P elements in a register, g = lane / 4 and t = lane % 4: register r of A holds row g + 8 (r mod 2) and columns
/// 4P (r / 2) + tP + 0…P-1 (only row g where M is 8); register r of B holds rows 4Pr + tP + 0…P-1 of column g;
/// element i of C and D is row g + 8 (i / 2), column 2t + i mod 2. Products and sums are exact or rounded in double, the result once.
/// </summary>
internal sealed class MatrixMultiply : Collective
{
    private readonly double[] _a, _b;
    private readonly double[] _row;

    public MatrixMultiply(int m, int n, int k, PtxType typeD, PtxType typeA, PtxType typeB, PtxType typeC, bool satfinite)
    {
        (M, N, K, TypeD, TypeA, TypeB, TypeC, Satfinite) = (m, n, k, typeD, typeA, typeB, typeC, satfinite);
        _a = new double[m * k];
        _b = new double[k * n];
        _row = new double[n];
    }

    public int M { get; }
    public int N { get; }
    public int K { get; }
    public PtxType TypeD { get; }
    public PtxType TypeA { get; }
    public PtxType TypeB { get; }
    public PtxType TypeC { get; }
    public bool Satfinite { get; }
    public override bool IsAligned => true;

    private static int PerRegister(PtxType type) => Math.Max(32 / MatrixElements.Width(type), 1);

    public int RegistersA => M * K / 32 / PerRegister(TypeA);
    public int RegistersB => N * K / 32 / PerRegister(TypeB);
    public int RegistersOf(PtxType accumulator) => M * N / 32 / (accumulator == PtxType.F16 ? 2 : 1);

    public override void Compute(Warp warp, Instruction i, uint members)
    {
        // A kernel's instructions belong to a module that several machines may run at once.
        lock (this)
        {
            LoadA(warp, i);
            LoadB(warp, i);
            Span<double> sums = stackalloc double[M * N];
            Multiply(sums);
            for (uint rest = members; rest != 0; rest &= rest - 1)
            {
                Store(warp, i, BitOperations.TrailingZeroCount(rest), sums);
            }
        }
    }

    private void LoadA(Warp warp, Instruction i)
    {
        int per = PerRegister(TypeA), width = MatrixElements.Width(TypeA), rowsStep = M == 16 ? 2 : 1;
        for (int r = 0; r < i.List2.Length; r++)
        {
            Span<ulong> register = warp.Slot(i.List2[r]);
            for (int lane = 0; lane < 32; lane++)
            {
                int row = lane / 4 + (rowsStep == 2 ? 8 * (r & 1) : 0);
                int column = r / rowsStep * 4 * per + lane % 4 * per;
                for (int e = 0; e < per; e++)
                {
                    _a[row * K + column + e] = MatrixElements.Value(TypeA, register[lane] >> (e * width));
                }
            }
        }
    }

    private void LoadB(Warp warp, Instruction i)
    {
        int per = PerRegister(TypeB), width = MatrixElements.Width(TypeB);
        for (int r = 0; r < i.List3.Length; r++)
        {
            Span<ulong> register = warp.Slot(i.List3[r]);
            for (int lane = 0; lane < 32; lane++)
            {
                int row = r * 4 * per + lane % 4 * per;
                for (int e = 0; e < per; e++)
                {
                    _b[(row + e) * N + lane / 4] = MatrixElements.Value(TypeB, register[lane] >> (e * width));
                }
            }
        }
    }

    private void Multiply(Span<double> sums)
    {
        for (int row = 0; row < M; row++)
        {
            Span<double> sum = _row;
            sum.Clear();
            for (int k = 0; k < K; k++)
            {
                double a = _a[row * K + k];
                ReadOnlySpan<double> b = _b.AsSpan(k * N, N);
                for (int column = 0; column < sum.Length; column++)
                {
                    sum[column] += a * b[column];
                }
            }
            sum.CopyTo(sums[(row * N)..]);
        }
    }

    private void Store(Warp warp, Instruction i, int lane, ReadOnlySpan<double> sums)
    {
        int perC = TypeC == PtxType.F16 ? 2 : 1, perD = TypeD == PtxType.F16 ? 2 : 1;
        Span<ulong> results = stackalloc ulong[i.List.Length];
        results.Clear();
        for (int e = 0; e < i.List.Length * perD; e++)
        {
            int row = lane / 4 + 8 * (e / 2), column = lane % 4 * 2 + e % 2;
            ulong c = warp.Slot(i.List4[e / perC])[lane] >> (perC == 2 ? 16 * (e % 2) : 0);
            results[e / perD] |= Accumulate(TypeD, TypeC, c, sums[row * N + column], Satfinite) << (perD == 2 ? 16 * (e % 2) : 0);
        }
        for (int r = 0; r < i.List.Length; r++)
        {
            warp.Slot(i.List[r])[lane] = results[r];
        }
    }

    /// <summary>Adds a sum of products to an accumulator: rounded once, or modulo 2^32, or clamped.</summary>
    public static ulong Accumulate(PtxType typeD, PtxType typeC, ulong c, double sum, bool satfinite)
    {
        switch (typeD)
        {
            case PtxType.S32:
                long exact = (int)c + (long)sum;
                return (uint)(satfinite ? Math.Clamp(exact, int.MinValue, int.MaxValue) : exact);
            case PtxType.F64:
                return BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(c) + sum);
            default:
                double total = MatrixElements.Value(typeC, c) + sum;
                return typeD == PtxType.F16 ? FloatFormat.F16.FromDouble(total, Rounding.Nearest) : BitConverter.SingleToUInt32Bits((float)total);
        }
    }
}

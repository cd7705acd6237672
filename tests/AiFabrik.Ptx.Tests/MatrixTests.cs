using System.Runtime.InteropServices;
using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>
/// Shapes of mma that the golden cases do not have. Fragments are made on the host by the formulas that the PTX ISA gives for each shape, element by
/// element, and the result is compared with the product of the matrices.
/// </summary>
public sealed class MatrixTests
{
    private static int A(int row, int column) => (row * 5 + column * 3) % 15 - 7;

    private static int B(int row, int column) => (row * 7 + column * 11 + row * column) % 13 - 6;

    private static int C(int row, int column) => row * 100 - column * 9;

    private delegate (int Row, int Column) Place(int lane, int element);

    private static int[] Run(string opcode, int k, int bits, Place placeA, int elementsA, Place placeB, int elementsB, Func<int, uint> encode)
    {
        int perRegister = 32 / bits, registersA = elementsA / perRegister, registersB = elementsB / perRegister;
        var words = new int[32 * 16];
        for (int lane = 0; lane < 32; lane++)
        {
            for (int e = 0; e < elementsA; e++)
            {
                (int row, int column) = placeA(lane, e);
                words[lane * 16 + e / perRegister] |= (int)(encode(A(row, column)) << (e % perRegister * bits));
            }
            for (int e = 0; e < elementsB; e++)
            {
                (int row, int column) = placeB(lane, e);
                Assert.True(row < k);
                words[lane * 16 + 4 + e / perRegister] |= (int)(encode(B(row, column)) << (e % perRegister * bits));
            }
            for (int e = 0; e < 4; e++)
            {
                int c = C(lane / 4 + (e >= 2 ? 8 : 0), lane % 4 * 2 + (e & 1));
                words[lane * 16 + 8 + e] = opcode.Contains(".f32.", StringComparison.Ordinal) ? BitConverter.SingleToInt32Bits(c) : c;
            }
        }
        string List(int first, int count) => "{" + string.Join(", ", Enumerable.Range(first, count).Select(r => $"%r{r}")) + "}";
        string body = "mul.wide.u32 %rd0, %r0, 64; add.u64 %rd0, %rd0, %o; " + string.Concat(Enumerable.Range(0, 12).Select(r => $"ld.global.b32 %r{10 + r}, [%rd0+{4 * r}]; "))
            + $"{opcode} {List(30, 4)}, {List(10, registersA)}, {List(14, registersB)}, {List(18, 4)}; "
            + string.Concat(Enumerable.Range(0, 4).Select(r => $"st.global.b32 [%rd0+{48 + 4 * r}], %r{30 + r}; "));
        int[] result = Snippet.Good(Snippet.Kernel(body), 32, words.Length, input: words);
        var d = new int[16 * 8];
        for (int lane = 0; lane < 32; lane++)
        {
            for (int e = 0; e < 4; e++)
            {
                int value = result[lane * 16 + 12 + e];
                d[(lane / 4 + (e >= 2 ? 8 : 0)) * 8 + lane % 4 * 2 + (e & 1)] =
                    opcode.Contains(".f32.", StringComparison.Ordinal) ? (int)BitConverter.Int32BitsToSingle(value) : value;
            }
        }
        return d;
    }

    private static int[] Product(int k)
    {
        var d = new int[16 * 8];
        for (int row = 0; row < 16; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                d[row * 8 + column] = C(row, column) + Enumerable.Range(0, k).Sum(x => A(row, x) * B(x, column));
            }
        }
        return d;
    }

    [Fact]
    public void Tf32_with_k_4() => Assert.Equal(Product(4), Run(
        "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32", 4, 32,
        (lane, i) => (lane / 4 + (i == 1 ? 8 : 0), lane % 4), 2,
        (lane, i) => (lane % 4, lane / 4), 1,
        v => BitConverter.SingleToUInt32Bits(v)));

    [Fact]
    public void Bf16_with_k_8() => Assert.Equal(Product(8), Run(
        "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32", 8, 16,
        (lane, i) => (lane / 4 + (i >= 2 ? 8 : 0), lane % 4 * 2 + (i & 1)), 4,
        (lane, i) => (lane % 4 * 2 + i, lane / 4), 2,
        v => BitConverter.SingleToUInt32Bits(v) >> 16));

    [Fact]
    public void S8_with_k_16() => Assert.Equal(Product(16), Run(
        "mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32", 16, 8,
        (lane, i) => (lane / 4 + (i >= 4 ? 8 : 0), lane % 4 * 4 + (i & 3)), 8,
        (lane, i) => (lane % 4 * 4 + i, lane / 4), 4,
        v => (byte)v));

    [Fact]
    public void S4_with_k_64() => Assert.Equal(Product(64), Run(
        "mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32", 64, 4,
        (lane, i) => (lane / 4 + (i is < 8 or (>= 16 and < 24) ? 0 : 8), lane % 4 * 8 + (i & 7) + (i < 16 ? 0 : 32)), 32,
        (lane, i) => (lane % 4 * 8 + (i & 7) + (i < 8 ? 0 : 32), lane / 4), 16,
        v => (uint)v & 0xF));

    [Fact]
    public void E4m3_with_k_32() => Assert.Equal(Product(32), Run(
        "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32", 32, 8,
        (lane, i) => (lane / 4 + (i is < 4 or (>= 8 and < 12) ? 0 : 8), lane % 4 * 4 + (i & 3) + (i < 8 ? 0 : 16)), 16,
        (lane, i) => (lane % 4 * 4 + (i & 3) + (i < 4 ? 0 : 16), lane / 4), 8,
        v => (uint)EightBit.FromDouble(v, true, false)));

    [Fact]
    public void F64_with_k_4()
    {
        const string Body = """
            shl.b32 %r2, %r0, 5; cvt.u64.u32 %rd0, %r2; add.u64 %rd0, %rd0, %o;
            ld.global.f64 %d0, [%rd0]; ld.global.f64 %d1, [%rd0+8]; ld.global.v2.f64 {%d2, %d3}, [%rd0+16];
            mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%d4, %d5}, {%d0}, {%d1}, {%d2, %d3};
            st.global.v2.f64 [%rd0+16], {%d4, %d5};
            """;
        double[] input = [.. Enumerable.Range(0, 32).SelectMany(l => new double[] { A(l / 4, l % 4), B(l % 4, l / 4), C(l / 4, l % 4 * 2), C(l / 4, l % 4 * 2 + 1) })];
        int[] words = Snippet.Good(Snippet.Kernel(Body), 32, 256, input: MemoryMarshal.Cast<double, int>(input).ToArray());
        ReadOnlySpan<double> output = MemoryMarshal.Cast<int, double>(words);
        int[] expected = Product(4);
        for (int lane = 0; lane < 32; lane++)
        {
            Assert.Equal(expected[lane / 4 * 8 + lane % 4 * 2], output[lane * 4 + 2]);
            Assert.Equal(expected[lane / 4 * 8 + lane % 4 * 2 + 1], output[lane * 4 + 3]);
        }
    }

    [Fact]
    public void A_matrix_in_registers_is_transposed()
    {
        const string Body = """
            shl.b32 %r2, %r0, 1; add.u32 %r3, %r2, 1; shl.b32 %r3, %r3, 16; or.b32 %r3, %r3, %r2;
            movmatrix.sync.aligned.m8n8.trans.b16 %r4, %r3;
            mad.wide.u32 %rd0, %r0, 4, %o; st.global.u32 [%rd0], %r4;
            """;
        int[] expected = [.. Enumerable.Range(0, 32).Select(l => (l % 4 * 2 * 8 + l / 4) | (((l % 4 * 2) + 1) * 8 + l / 4) << 16)];
        Assert.Equal(expected, Snippet.Good(Snippet.Kernel(Body), 32, 32));
    }
}

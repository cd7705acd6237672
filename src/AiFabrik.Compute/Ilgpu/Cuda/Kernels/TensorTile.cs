using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// What the tensor-core products share. A stage of a tile is a row of 32 bf16 values of K: 64 bytes, four 16-byte chunks, chunk c of row r at
/// place c ^ (r / 2 % 4), so that the eight rows that <c>ldmatrix</c> reads at once, and eight threads that write, touch all 32 banks.
/// </summary>
/// <remarks>
/// ILGPU gives every output operand of inline PTX a slot in local memory. So all state lives in registers that the kernel's first
/// <c>Emit</c> declares (<see cref="TensorText"/>), and operands only go in. The methods here must be inlined: names are the function's own.
/// </remarks>
internal static class TensorTile
{
    /// <summary>Values of K in a stage.</summary>
    public const int StageCols = 32;

    /// <summary>Bytes of a row in a stage.</summary>
    public const int StageRowBytes = 64;

    /// <summary>Bytes from one row to the next where accumulators are put down: 32 floats and a gap that keeps 8-byte writes free of conflicts.</summary>
    private const int OutRowBytes = 160;

    /// <summary>Address of the 16-byte chunk <paramref name="chunk"/> of a row at value <paramref name="col"/> of K; rows past the end repeat the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Chunk(long matrix, int row, int rows, int stride, int col, int chunk) =>
        matrix + ((long)IntrinsicMath.Min(row, rows - 1) * stride + col) * 2 + chunk * 16;

    /// <summary>Where a chunk of a row lies in a stage, in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Place(int row, int chunk) => row * StageRowBytes + ((chunk ^ ((row >> 1) & 3)) << 4);

    /// <summary>This lane's address for <c>ldmatrix</c> of 16 token rows × 16 values: rows by lane % 16, chunk by lane / 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ActivationPlace(int lane) => Place(lane & 15, lane >> 4);

    /// <summary>This lane's address for <c>ldmatrix</c> of 16 weight rows × 16 values: both chunks of rows 0–7, then of rows 8–15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WeightPlace(int lane) => Place(((lane >> 4) << 3) + (lane & 7), (lane >> 3) & 1);

    /// <summary>Sets where the next stage goes (bytes into the shared tile) and how much of this thread's 16 bytes exists.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AimCopy(int place, int bytesLeft)
    {
        CudaAsm.Emit("mov.u32 to, tile;");
        CudaAsm.Emit("add.s32 to, to, %0;", place);
        CudaAsm.Emit("max.s32 size, %0, 0;", bytesLeft);
        CudaAsm.Emit("min.s32 size, size, 16;");
    }

    /// <summary>Sets the two addresses that fragments are loaded from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AimLoad(int activations, int weights)
    {
        CudaAsm.Emit("mov.u32 la, tile;");
        CudaAsm.Emit("add.s32 lb, la, %0;", weights);
        CudaAsm.Emit("add.s32 la, la, %0;", activations);
    }

    /// <summary>From the first 16 values of a stage to the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SecondHalf()
    {
        CudaAsm.Emit("xor.b32 la, la, 32;");
        CudaAsm.Emit("xor.b32 lb, lb, 32;");
    }

    /// <summary>Sets where this lane puts down its accumulators: c0, c1 in row lane / 4, c2, c3 eight rows on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AimStage(int warpPlace, int lane)
    {
        CudaAsm.Emit("mov.u32 es, tile;");
        CudaAsm.Emit("add.s32 es, es, %0;", warpPlace + (lane >> 2) * OutRowBytes + (lane & 3) * 8);
    }

    /// <summary>
    /// Writes 32 columns that the warp has put down: out[token, row] (+)= value + bias[row], four values a lane, eight lanes a row.
    /// Sixteen bytes at once where the row exists so far and <paramref name="wide"/> says that addresses allow it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteOut(long output, long bias, int warpPlace, int lane, int token, int tokens, int tileTokens, int row, int rows, int stride, int accumulate, int wide)
    {
        CudaAsm.Emit("bar.warp.sync 0xffffffff;");
        int column = (lane & 7) << 2;
        int left = rows - row - column;
        for (int r = lane >> 3; r < tileTokens; r += 4)
        {
            if (token + r < tokens && left > 0)
            {
                CudaAsm.Emit("mov.u32 to, tile;");
                CudaAsm.Emit("add.s32 to, to, %0;", warpPlace + r * OutRowBytes + column * 4);
                CudaAsm.Emit("ld.shared.v4.f32 {e0, e1, e2, e3}, [to];");
                long at = output + ((long)(token + r) * stride + row + column) * 4;
                long from = bias + (long)(row + column) * 4;
                if (left >= 4 && wide != 0)
                {
                    WriteWide(at, from, bias, accumulate);
                }
                else
                {
                    WriteSome(at, from, bias, accumulate, left);
                }
            }
        }
        CudaAsm.Emit("bar.warp.sync 0xffffffff;");
    }

    /// <summary>Whether rows of the output and the bias can be accessed 16 bytes at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Wide(long output, long bias, int stride) => ((output | bias) & 15) == 0 && (stride & 3) == 0 ? 1 : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteWide(long at, long from, long bias, int accumulate)
    {
        if (bias != 0)
        {
            CudaAsm.Emit("ld.global.nc.v4.f32 {o0, o1, o2, o3}, [%0];", from);
            CudaAsm.Emit(AddFour);
        }
        if (accumulate != 0)
        {
            CudaAsm.Emit("ld.global.v4.f32 {o0, o1, o2, o3}, [%0];", at);
            CudaAsm.Emit(AddFour);
        }
        CudaAsm.Emit("st.global.v4.f32 [%0], {e0, e1, e2, e3};", at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteSome(long at, long from, long bias, int accumulate, int left)
    {
        CudaAsm.Emit("setp.gt.s32 q0, %0, 0;\nsetp.gt.s32 q1, %0, 1;\nsetp.gt.s32 q2, %0, 2;\nsetp.gt.s32 q3, %0, 3;", left);
        if (bias != 0)
        {
            CudaAsm.Emit(LoadSome, from);
            CudaAsm.Emit(AddFour);
        }
        if (accumulate != 0)
        {
            CudaAsm.Emit(LoadSome, at);
            CudaAsm.Emit(AddFour);
        }
        CudaAsm.Emit("@q0 st.global.f32 [%0], e0;\n@q1 st.global.f32 [%0+4], e1;\n@q2 st.global.f32 [%0+8], e2;\n@q3 st.global.f32 [%0+12], e3;", at);
    }

    private const string AddFour = "add.f32 e0, e0, o0;\nadd.f32 e1, e1, o1;\nadd.f32 e2, e2, o2;\nadd.f32 e3, e3, o3;";

    private const string LoadSome = """
        mov.f32 o0, 0f00000000;
        mov.f32 o1, 0f00000000;
        mov.f32 o2, 0f00000000;
        mov.f32 o3, 0f00000000;
        @q0 ld.global.f32 o0, [%0];
        @q1 ld.global.f32 o1, [%0+4];
        @q2 ld.global.f32 o2, [%0+8];
        @q3 ld.global.f32 o3, [%0+12];
        """;
}

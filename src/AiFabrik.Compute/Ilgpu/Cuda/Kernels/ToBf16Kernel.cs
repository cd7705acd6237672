using ILGPU;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>out[t, k] = bf16(x[t, k]), rounded to nearest even: what the tensor-core products take.</summary>
/// <remarks>
/// <para>Shapes: x fp32 [tokens, cols], row stride in floats; out bf16 [tokens, cols], row stride in values a multiple of 8, base aligned to 16 bytes. Values
/// between cols and the next multiple of 8 are written as 0.</para>
/// <para>Bytes: 6·tokens·cols, which bind. Reference: <c>CudaReference.ToBf16</c> in the tests; rows in <c>KernelParityTests</c>.</para>
/// </remarks>
internal static class ToBf16Kernel
{
    public const int Threads = 128;
    private const int Values = 8;

    public static LaunchShape Launch(int tokens, int cols) => new(LaunchShape.Tiles(cols, Threads * Values), tokens, 1, Threads);

    public static void Run(long output, long x, int cols, int outputStride, int inputStride)
    {
        CudaAsm.Emit(".reg .f32 v<8>;\n.reg .b32 h<4>;\n.reg .pred g;");
        int col = (Grid.IdxX * Threads + Group.IdxX) * Values, token = Grid.IdxY;
        if (col < cols)
        {
            long from = x + ((long)token * inputStride + col) * 4;
            if (col + Values <= cols && (from & 15) == 0)
            {
                CudaAsm.Emit("ld.global.nc.v4.f32 {v0, v1, v2, v3}, [%0];\nld.global.nc.v4.f32 {v4, v5, v6, v7}, [%0+16];", from);
            }
            else
            {
                CudaAsm.Emit(LoadSome, cols - col, from);
            }
            CudaAsm.Emit("cvt.rn.bf16x2.f32 h0, v1, v0;\ncvt.rn.bf16x2.f32 h1, v3, v2;\ncvt.rn.bf16x2.f32 h2, v5, v4;\ncvt.rn.bf16x2.f32 h3, v7, v6;");
            CudaAsm.Emit("st.global.v4.b32 [%0], {h0, h1, h2, h3};", output + ((long)token * outputStride + col) * 2);
        }
    }

    private const string LoadSome = """
        mov.f32 v0, 0f00000000;
        mov.f32 v1, v0;
        mov.f32 v2, v0;
        mov.f32 v3, v0;
        mov.f32 v4, v0;
        mov.f32 v5, v0;
        mov.f32 v6, v0;
        mov.f32 v7, v0;
        setp.gt.s32 g, %0, 0;
        @g ld.global.nc.f32 v0, [%1];
        setp.gt.s32 g, %0, 1;
        @g ld.global.nc.f32 v1, [%1+4];
        setp.gt.s32 g, %0, 2;
        @g ld.global.nc.f32 v2, [%1+8];
        setp.gt.s32 g, %0, 3;
        @g ld.global.nc.f32 v3, [%1+12];
        setp.gt.s32 g, %0, 4;
        @g ld.global.nc.f32 v4, [%1+16];
        setp.gt.s32 g, %0, 5;
        @g ld.global.nc.f32 v5, [%1+20];
        setp.gt.s32 g, %0, 6;
        @g ld.global.nc.f32 v6, [%1+24];
        setp.gt.s32 g, %0, 7;
        @g ld.global.nc.f32 v7, [%1+28];
        """;
}

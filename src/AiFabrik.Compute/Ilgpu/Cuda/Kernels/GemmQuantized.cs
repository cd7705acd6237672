using System.Runtime.CompilerServices;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// How blocks become bf16 in the tensor-core products. A byte u becomes a float by sewing it into a power of two (PRMT, one instruction, where a
/// conversion would run at a quarter of the rate), and one FMA takes the power away and scales: value = (2^p + u)·d + c, rounded once to bf16.
/// </summary>
/// <remarks>
/// q8_0: 2^15 + u with u = q + 128, c = −(2^15 + 128)·d, exact in fp32 since d has 11 bits. q4_0: 2^7 + u, c = −136·d, exact. q4_1: c = m − 128·d.
/// </remarks>
internal static class GemmQuantized
{
    /// <summary>Registers and constants for q8_0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BeginQ8()
    {
        CudaAsm.Emit(TensorText.DeclareDecode);
        CudaAsm.Emit("mov.b32 magic, 0x47000000;\nmov.b32 s0, 0x7404;\nmov.b32 s1, 0x7414;\nmov.b32 s2, 0x7424;\nmov.b32 s3, 0x7434;");
    }

    /// <summary>Registers and constants for q4_0 and q4_1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BeginQ4()
    {
        CudaAsm.Emit(TensorText.DeclareDecode);
        CudaAsm.Emit("mov.b32 magic, 0x43000000;\nmov.b32 s0, 0x7044;\nmov.b32 s1, 0x7144;\nmov.b32 s2, 0x7244;\nmov.b32 s3, 0x7344;");
    }

    /// <summary>Starts loading a block's fp16 scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadScale(long scales, int block) => CudaAsm.Emit("ld.global.nc.b16 dh, [%0];", scales + (long)block * 2);

    /// <summary>Starts loading a block's fp16 scale and minimum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadScaleAndMinimum(long scales, int block) => CudaAsm.Emit("ld.global.nc.b32 dm, [%0];", scales + (long)block * 4);

    /// <summary>d and c of a q8_0 block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScaleQ8() => CudaAsm.Emit("cvt.f32.f16 d, dh;\nmul.f32 c, d, 0fC7008000;");

    /// <summary>d and c of a q4_0 or q4_1 block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScaleQ4(int hasMinimum)
    {
        if (hasMinimum != 0)
        {
            CudaAsm.Emit("mov.b32 {dh, mh}, dm;\ncvt.f32.f16 d, dh;\ncvt.f32.f16 c, mh;\nfma.rn.f32 c, d, 0fC3000000, c;");
        }
        else
        {
            CudaAsm.Emit("cvt.f32.f16 d, dh;\nmul.f32 c, d, 0fC3080000;");
        }
    }
}

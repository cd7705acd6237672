using System.Runtime.CompilerServices;
using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>What the matrix-vector kernels share: a group's shape and the way out of the sums.</summary>
internal static class GemvRows
{
    /// <summary>Threads of a group: four warps, each with rows of its own, so that no barrier is needed.</summary>
    public const int Threads = 128;

    /// <summary>Warps of a group.</summary>
    public const int Warps = Threads / 32;

    /// <summary>Groups along x cover the rows, along y the splits of K.</summary>
    public static LaunchShape Launch(int rows, int rowsPerWarp, int splits) => new(LaunchShape.Tiles(rows, rowsPerWarp * Warps), splits, 1, Threads);

    /// <summary>Lane r &lt; <paramref name="count"/> writes the sum of row + r, which stands in register a0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(long output, long bias, int lane, int count, int row, int rows, int accumulate)
    {
        if (lane < count && row + lane < rows)
        {
            long at = output + (long)(row + lane) * 4;
            if (bias != 0)
            {
                CudaAsm.Emit("ld.global.nc.f32 old, [%0];\nadd.f32 a0, a0, old;", bias + (long)(row + lane) * 4);
            }
            if (accumulate != 0)
            {
                CudaAsm.Emit("ld.global.f32 old, [%0];\nadd.f32 a0, a0, old;", at);
            }
            CudaAsm.Emit("st.global.f32 [%0], a0;", at);
        }
    }

    /// <summary>a0 of lane r becomes the sum of row r, for 4 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PickOfFour(int lane) => CudaAsm.Emit(
        "{\n.reg .pred g;\nsetp.eq.s32 g, %0, 1;\n@g mov.f32 a0, a1;\nsetp.eq.s32 g, %0, 2;\n@g mov.f32 a0, a2;\nsetp.eq.s32 g, %0, 3;\n@g mov.f32 a0, a3;\n}", lane);

    /// <summary>a0 of lane 1 becomes the sum of row 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PickOfTwo(int lane) => CudaAsm.Emit("{\n.reg .pred g;\nsetp.eq.s32 g, %0, 1;\n@g mov.f32 a0, a1;\n}", lane);
}

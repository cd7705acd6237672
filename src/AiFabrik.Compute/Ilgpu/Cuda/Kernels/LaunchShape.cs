namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>The grid of a launch in groups, and the threads of a group. No kernel here uses dynamic shared memory.</summary>
internal readonly record struct LaunchShape(int GridX, int GridY, int GridZ, int Threads)
{
    /// <summary>Tiles of <paramref name="size"/> that cover <paramref name="count"/>.</summary>
    public static int Tiles(int count, int size) => (count + size - 1) / size;
}

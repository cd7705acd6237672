using ILGPU.Runtime.Cuda;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>From a device's compute capability to the target of its PTX. PTX runs on everything newer, so a device between two targets takes the older.</summary>
internal static class CudaTarget
{
    private static readonly (int Major, int Minor, string Target)[] s_targets =
        [(8, 0, "sm_80"), (8, 6, "sm_86"), (8, 7, "sm_87"), (8, 9, "sm_89"), (9, 0, "sm_90"), (10, 0, "sm_100"), (12, 0, "sm_120")];

    /// <summary>The newest known target that the device runs; null where it is older than sm_80, whose instructions the kernels need.</summary>
    public static string? For(CudaArchitecture architecture) => For(architecture.Major, architecture.Minor);

    /// <inheritdoc cref="For(CudaArchitecture)"/>
    public static string? For(int major, int minor)
    {
        string? found = null;
        foreach ((int targetMajor, int targetMinor, string target) in s_targets)
        {
            if ((targetMajor, targetMinor).CompareTo((major, minor)) <= 0)
            {
                found = target;
            }
        }
        return found;
    }
}

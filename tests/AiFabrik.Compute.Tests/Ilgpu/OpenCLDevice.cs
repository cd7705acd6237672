using AiFabrik.Compute.Ilgpu;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>The device of the tests that run kernels for real: the first usable OpenCL one, which is PoCL on a machine without a GPU.</summary>
internal static class OpenCLDevice
{
    private static readonly IlgpuDeviceInfo Found = Find();

    /// <summary>Its name; skips the test, and says why, where there is none.</summary>
    public static string Name
    {
        get
        {
            if (!Found.Usable) Assert.Skip(Found.Detail);
            return Found.Name;
        }
    }

    private static IlgpuDeviceInfo Find()
    {
        var rows = IlgpuDevices.List().Where(row => row.Name.StartsWith("opencl", StringComparison.Ordinal)).ToList();
        return rows.Find(row => row.Usable) ?? rows[0];
    }
}

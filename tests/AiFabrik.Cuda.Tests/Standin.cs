using System.Runtime.CompilerServices;
using AiFabrik.Ptx;
using ILGPU;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// The device is one, and a test that makes it fail must not meet another.
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace AiFabrik.Cuda.Tests;

/// <summary>The stand-in for the CUDA driver, loaded before any test can ask for the real one.</summary>
internal static class Standin
{
    private static string s_reason = "";

#pragma warning disable CA2255 // this assembly is a program
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Load() => CudaStandin.TryLoad(Path.Combine(AppContext.BaseDirectory, CudaStandin.FileName), typeof(Context).Assembly, new StandinOptions(), out s_reason);

    /// <summary>Skips the test, and says why, where there is no stand-in; forgets what an earlier test made fail.</summary>
    public static void Require()
    {
        Assert.SkipWhen(s_reason.Length > 0, s_reason);
        CudaStandin.Recover();
    }

    /// <summary>No kernel has failed.</summary>
    public static void ExpectNoFaults() => Assert.Empty(CudaStandin.Faults);
}

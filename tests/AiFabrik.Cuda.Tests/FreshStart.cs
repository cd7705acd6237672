using System.Reflection;
using System.Runtime.Loader;
using AiFabrik.Ptx;

namespace AiFabrik.Cuda.Tests;

/// <summary>
/// Runs a static method as if the process had just begun: Compute, Engine, ILGPU and these tests are loaded once more, so that whatever they keep about
/// devices and drivers is asked for anew. The stand-in is the same, with other options.
/// </summary>
internal sealed class FreshStart : AssemblyLoadContext
{
    private static readonly string[] Again = ["AiFabrik.Compute", "AiFabrik.Engine", "AiFabrik.Cuda.Tests", "ILGPU", "ILGPU.Algorithms"];

    private FreshStart() : base(nameof(FreshStart)) { }

    /// <param name="options">What the device is meanwhile.</param>
    /// <param name="scenario">A static method without closure.</param>
    public static string With(StandinOptions options, Func<string> scenario)
    {
        var before = CudaStandin.Options;
        CudaStandin.Options = options;
        try
        {
            var tests = new FreshStart().LoadFromAssemblyName(typeof(FreshStart).Assembly.GetName());
            return (string)tests.ManifestModule.ResolveMethod(scenario.Method.MetadataToken)!.Invoke(null, BindingFlags.DoNotWrapExceptions, null, null, null)!;
        }
        finally
        {
            CudaStandin.Options = before;
            CudaStandin.Recover();
        }
    }

    protected override Assembly? Load(AssemblyName assemblyName) =>
        Again.Contains(assemblyName.Name) ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll")) : null;
}

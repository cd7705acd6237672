using System.Reflection;
using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Ptx;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>The portable kernels as a CUDA device would get them: the patch serves them too, nothing stands in local memory, ptxas and the PTX machine accept them.</summary>
public sealed class PortableKernelAuditTests
{
    private static readonly Lazy<List<(string Name, string Ptx)>> s_texts = new(Compile);

    private static List<(string Name, string Ptx)> Compile()
    {
        using var compiler = new PtxCompiler();
        var texts = new List<(string Name, string Ptx)>();
        foreach ((string name, MethodInfo method) in KernelCatalog.All())
        {
            texts.Add((name, compiler.Compile(method)));
        }
        return texts;
    }

    [Fact]
    public void No_kernel_uses_local_memory_or_calls_functions_and_every_text_is_known_to_the_machine()
    {
        var faults = new List<string>();
        foreach ((string name, string ptx) in s_texts.Value)
        {
            if (ptx.Contains(".local", StringComparison.Ordinal))
            {
                faults.Add(name + ": local memory");
            }
            if (!PtxModule.TryParse(ptx, out _, out PtxError? error))
            {
                faults.Add($"{name}: {error}");
            }
        }
        Assert.True(faults.Count == 0, string.Join("; ", faults));
    }

    [Fact]
    public void Ptxas_accepts_every_kernel_and_none_spills()
    {
        CudaTools? tools = CudaTools.Found;
        Assert.SkipWhen(tools is null, CudaTools.Missing);
        bool everything = Environment.GetEnvironmentVariable("AIFABRIK_WRITE_AUDIT") == "1";
        var faults = new List<string>();
        foreach ((string name, Resources? resources, string messages) in Assemble(tools!, everything))
        {
            if (resources is not { StackBytes: 0, SpillBytes: 0 })
            {
                faults.Add($"{name}: {messages}");
            }
        }
        Assert.True(faults.Count == 0, string.Join("\n", faults));
    }

    /// <summary>
    /// Assembles the portable kernels for sm_90 (those for CUDA alone are assembled for all): with every weight type, or with the usual ones only, since
    /// the other decoders differ in their integer arithmetic alone and ptxas takes its time.
    /// </summary>
    internal static List<(string Name, Resources? Resources, string Messages)> Assemble(CudaTools tools, bool everything)
    {
        string[] usual = ["/BF16", "/Q8_0", "/Q4_0", "/Q4_K"];
        string directory = Directory.CreateTempSubdirectory("aifabrik-audit").FullName;
        try
        {
            var results = new List<(string, Resources?, string)>();
            foreach ((string name, string ptx) in s_texts.Value.Where(t => everything || !t.Name.Contains('/', StringComparison.Ordinal) || usual.Any(u => t.Name.EndsWith(u, StringComparison.Ordinal))))
            {
                (bool ok, string messages) = tools.Assemble(ptx, "sm_90", Path.Combine(directory, "kernel.cubin"));
                results.Add((name, ok ? Resources.Parse(messages) : null, messages));
            }
            return results;
        }
        finally
        {
            Directory.Delete(directory, true);
        }
    }
}

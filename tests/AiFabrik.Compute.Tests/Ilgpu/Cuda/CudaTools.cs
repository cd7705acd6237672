using System.Diagnostics;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>NVIDIA's assembler and disassembler, where they are: on PATH, in AIFABRIK_CUDA_TOOLS, or packed in ../shared/cuda beside the project.</summary>
internal sealed class CudaTools
{
    /// <summary>What a test says when it is skipped for want of them.</summary>
    public const string Missing = "skipped: ptxas and nvdisasm are neither on PATH, nor in AIFABRIK_CUDA_TOOLS, nor in ../shared/cuda";

    private static readonly Lazy<CudaTools?> s_found = new(Find);

    private readonly string _assembler, _disassembler;

    private CudaTools(string assembler, string disassembler) => (_assembler, _disassembler) = (assembler, disassembler);

    /// <summary>The tools, or null.</summary>
    public static CudaTools? Found => s_found.Value;

    /// <summary>The project's root: where AiFabrik.sln lies.</summary>
    public static string? Root
    {
        get
        {
            string? at = AppContext.BaseDirectory;
            while (at is not null && !File.Exists(Path.Combine(at, "AiFabrik.sln")))
            {
                at = Path.GetDirectoryName(at);
            }
            return at;
        }
    }

    /// <summary>Assembles a text; the messages hold registers, stack, spills and shared memory.</summary>
    public (bool Ok, string Messages) Assemble(string ptx, string architecture, string cubin)
    {
        string source = Path.ChangeExtension(cubin, ".ptx");
        File.WriteAllText(source, ptx);
        (int code, string output) = Start(_assembler, ["-v", $"-arch={architecture}", source, "-o", cubin]);
        return (code == 0, output);
    }

    /// <summary>The machine code as text.</summary>
    public string Disassemble(string cubin) => Start(_disassembler, ["-c", cubin]).Output;

    private static CudaTools? Find()
    {
        List<string> places = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)];
        if (Environment.GetEnvironmentVariable("AIFABRIK_CUDA_TOOLS") is { Length: > 0 } named)
        {
            places.Insert(0, named);
        }
        foreach (string place in places)
        {
            if (File.Exists(Path.Combine(place, "ptxas")) && File.Exists(Path.Combine(place, "nvdisasm")))
            {
                return new CudaTools(Path.Combine(place, "ptxas"), Path.Combine(place, "nvdisasm"));
            }
        }
        return Unpack();
    }

    private static CudaTools? Unpack()
    {
        if (Root is not { } root || !OperatingSystem.IsLinux())
        {
            return null;
        }
        string packed = Path.Combine(root, "..", "shared", "cuda", "unpack.sh");
        if (!File.Exists(packed))
        {
            return null;
        }
        // Unpacked once for each version of the tools; a directory of its own first, so that two test runs do not see half a file.
        string target = Path.Combine(Path.GetTempPath(), $"aifabrik-cuda-tools-{Environment.UserName}-{File.GetLastWriteTimeUtc(packed).Ticks:x}");
        if (!Directory.Exists(target))
        {
            string temporary = target + "." + Environment.ProcessId;
            if (Start("sh", [packed, temporary]).Code != 0)
            {
                return null;
            }
            try
            {
                Directory.Move(temporary, target);
            }
            catch (IOException)
            {
                // Another run was quicker.
                Directory.Delete(temporary, true);
            }
        }
        return new CudaTools(Path.Combine(target, "ptxas"), Path.Combine(target, "nvdisasm"));
    }

    private static (int Code, string Output) Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        string messages = errors.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output + messages);
    }
}

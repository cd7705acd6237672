using System.Reflection;
using System.Runtime.InteropServices;

namespace AiFabrik.Ptx;

/// <summary>
/// A stand-in for NVIDIA's driver: whoever calls libcuda.so.1 in this process gets a device whose kernels the PTX machine executes, with all its
/// checks. Source: CUDA Driver API 12. It is loaded once, before anyone asks for the driver, and stays until the process ends.
/// </summary>
public static unsafe class CudaStandin
{
    /// <summary>The library's file name, where the native build leaves it.</summary>
    public const string FileName = "libcuda_standin.so";

    private static nint s_library;

    /// <summary>Loads the library with its C symbols and gives it what stands behind them; once, whatever the number of importers.</summary>
    /// <param name="path">The library.</param>
    /// <param name="importer">An assembly that imports the driver under a name without a version, such as ILGPU.</param>
    /// <param name="options">What the device is; those of the first call count.</param>
    /// <param name="reason">Why there is no stand-in, in a sentence; else empty.</param>
    public static bool TryLoad(string path, Assembly importer, StandinOptions options, out string reason)
    {
        reason = "";
        if (s_library == 0 && !TryFill(path, options))
        {
            reason = "The stand-in for the CUDA driver is not built: run ./build.sh build on Linux.";
            return false;
        }
        NativeLibrary.SetDllImportResolver(importer, (name, _, _) => name is "cuda" or "nvcuda" ? s_library : 0);
        return true;
    }

    private static bool TryFill(string path, StandinOptions options)
    {
        if (!File.Exists(path) || !NativeLibrary.TryLoad(path, out s_library))
        {
            return false;
        }
        StandinCalls.Device = new StandinDevice(options);
        foreach ((string name, nint address) in StandinCalls.All())
        {
            *(nint*)NativeLibrary.GetExport(s_library, name + "_target") = address;
        }
        return true;
    }

    /// <summary>Whether the stand-in has a call of this name.</summary>
    public static bool Has(string name) => StandinCalls.All().Any(call => call.Name == name);

    /// <summary>What the device is from now on; memory that is in use stays.</summary>
    public static StandinOptions Options
    {
        get => StandinCalls.Device.Options;
        set => StandinCalls.Device.Options = value;
    }

    /// <summary>Everything that went wrong: faults of kernels with their place, PTX that was refused.</summary>
    public static IReadOnlyList<string> Faults
    {
        get
        {
            lock (StandinCalls.Device.Gate)
            {
                return [.. StandinCalls.Device.Faults];
            }
        }
    }

    /// <summary>How often each kernel has been executed.</summary>
    public static IReadOnlyDictionary<string, int> Launches
    {
        get
        {
            lock (StandinCalls.Device.Gate)
            {
                return new Dictionary<string, int>(StandinCalls.Device.Launches);
            }
        }
    }

    /// <summary>Device memory in use.</summary>
    public static long UsedBytes => StandinCalls.Device.UsedBytes;

    /// <summary>Forgets faults, and that contexts have failed: no driver can do that.</summary>
    public static void Recover()
    {
        lock (StandinCalls.Device.Gate)
        {
            StandinCalls.Device.Faults.Clear();
            foreach (StandinContext context in StandinCalls.Device.Contexts)
            {
                context.Failure = CuResult.Success;
            }
        }
    }
}

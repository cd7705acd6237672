using System.Runtime.InteropServices;

namespace AiFabrik.Compute.Native;

/// <summary>What the native library finds on this machine.</summary>
public static class NativeDevice
{
    /// <summary>Bytes that <see cref="MeasureReadBandwidth"/> reads unless told otherwise: far beyond any cache.</summary>
    public const long BandwidthBytes = 512L << 20;

    /// <summary>The instruction set in use: "generic", "avx2", "avx512" or "neon", with extras. AIFABRIK_ISA forces one.</summary>
    public static string InstructionSet => Marshal.PtrToStringUTF8(NativeMethods.af_isa_name()) ?? "";

    /// <summary>Physical cores that the affinity mask and the control group leave to this process.</summary>
    public static int DefaultThreads => NativeMethods.af_default_threads();

    /// <summary>Read bandwidth of the memory in bytes per second: the limit of decoding. Takes a fraction of a second.</summary>
    /// <param name="threads">0: <see cref="DefaultThreads"/>.</param>
    public static double MeasureReadBandwidth(int threads = 0, long bytes = BandwidthBytes) => NativeMethods.af_measure_read_bandwidth(threads, bytes);
}

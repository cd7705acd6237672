using System.Runtime.InteropServices;

namespace AiFabrik.Compute.Native;

/// <summary>The functions of native/include/aifabrik.h. The library lies next to this assembly.</summary>
internal static unsafe partial class NativeMethods
{
    private const string Library = "aifabrik_native";

    /// <summary>AF_ABI_VERSION of the header that these declarations follow.</summary>
    public const int AbiVersion = 1;

    /// <summary>Entries of <see cref="af_model_profile"/>.</summary>
    public const int ProfileEntries = 16;

    [LibraryImport(Library)]
    public static partial int af_abi_version();

    [LibraryImport(Library)]
    public static partial nint af_last_error();

    [LibraryImport(Library)]
    public static partial nint af_isa_name();

    [LibraryImport(Library)]
    public static partial int af_default_threads();

    [LibraryImport(Library)]
    public static partial int af_model_create(NativeProgram* program, NativeLimits* limits, NativeOptionsBlock* options, out nint model);

    [LibraryImport(Library)]
    public static partial void af_model_destroy(nint model);

    [LibraryImport(Library)]
    public static partial void af_model_describe(NativeModelHandle model, NativeModelInfo* info);

    [LibraryImport(Library)]
    public static partial int af_model_step(NativeModelHandle model, NativeBatch* batch);

    [LibraryImport(Library)]
    public static partial int* af_model_best(NativeModelHandle model);

    [LibraryImport(Library)]
    public static partial float* af_model_logits(NativeModelHandle model);

    [LibraryImport(Library)]
    public static partial int af_model_clear_blocks(NativeModelHandle model, int group, int* blocks, int count);

    [LibraryImport(Library)]
    public static partial void af_model_clear_activations(NativeModelHandle model);

    [LibraryImport(Library)]
    public static partial void af_model_profile(NativeModelHandle model, double* seconds);

    [LibraryImport(Library)]
    public static partial double af_measure_read_bandwidth(int threads, long bytes);

    [LibraryImport(Library)]
    public static partial void* af_pages_allocate(long bytes, out int refused);

    [LibraryImport(Library)]
    public static partial void af_pages_free(void* pages, long bytes);

    [LibraryImport(Library)]
    public static partial void af_pages_zero(void* memory, long bytes);

    /// <summary>The sentence that goes with the calling thread's last failure.</summary>
    public static string LastError() => Marshal.PtrToStringUTF8(af_last_error()) ?? "";
}

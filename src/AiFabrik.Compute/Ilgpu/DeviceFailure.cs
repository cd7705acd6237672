using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>Errors of drivers as sentences for people.</summary>
internal static class DeviceFailure
{
    /// <summary>What it means that a driver gave an error while a model was brought to a device. What was allocated goes with its finalizers.</summary>
    public static IlgpuException WhileLoading(string device, AcceleratorException error) => new(
        IsOutOfMemory(error)
            ? $"The device {device} has too little free memory: ask for less context or fewer sequences, or take a smaller model."
            : $"The device {device} failed while the model was brought to it: {error.Message.TrimEnd('.')}.",
        error);

    /// <summary>Disposes a driver's object. A device that has failed refuses, and frees it when the process ends.</summary>
    public static void Tolerate(AcceleratorStream stream)
    {
        try
        {
            stream.Dispose();
        }
        catch (AcceleratorException)
        {
            // Nothing on the host's side depends on it.
        }
    }

    private static bool IsOutOfMemory(AcceleratorException error) => error switch
    {
        CudaException cuda => cuda.Error == nameof(CudaError.CUDA_ERROR_OUT_OF_MEMORY),
        CLException cl => cl.Error is CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE or CLError.CL_OUT_OF_RESOURCES or CLError.CL_OUT_OF_HOST_MEMORY,
        _ => false,
    };
}

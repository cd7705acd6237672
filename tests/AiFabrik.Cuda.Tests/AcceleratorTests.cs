using AiFabrik.Ptx;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace AiFabrik.Cuda.Tests;

/// <summary>ILGPU's own CUDA accelerator on the stand-in: what the executor builds on.</summary>
public sealed class AcceleratorTests
{
    private static void Scale(ArrayView<float> values, float factor)
    {
        int index = Grid.GlobalIndex.X;
        if (index < values.Length)
        {
            values[index] *= factor;
        }
    }

    [Fact]
    public void A_kernel_runs_and_memory_is_copied()
    {
        Standin.Require();
        using var context = Context.Create(builder => builder.Cuda());
        using CudaAccelerator accelerator = context.CreateCudaAccelerator(0);
        float[] values = [.. Enumerable.Range(0, 1000).Select(i => (float)i)];
        using MemoryBuffer1D<float, Stride1D.Dense> buffer = accelerator.Allocate1D(values);
        Action<KernelConfig, ArrayView<float>, float> kernel = accelerator.LoadStreamKernel<ArrayView<float>, float>(Scale);
        kernel(new KernelConfig(8, 128), buffer.View, 3);
        Assert.Equal(values.Select(v => 3 * v), buffer.GetAsArray1D());
        Assert.Equal(new Version(8, 0).Major, accelerator.Architecture.Major);
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void Page_locked_memory_is_read_when_the_stream_comes_to_it()
    {
        Standin.Require();
        using var context = Context.Create(builder => builder.Cuda());
        using CudaAccelerator accelerator = context.CreateCudaAccelerator(0);
        using AcceleratorStream stream = accelerator.CreateStream();
        using PageLockedArray1D<int> host = accelerator.AllocatePageLocked1D<int>(256);
        using MemoryBuffer1D<int, Stride1D.Dense> buffer = accelerator.Allocate1D<int>(256);
        host.Span.Fill(1);
        buffer.View.CopyFromPageLockedAsync(stream, host);
        host.Span.Fill(2);
        stream.Synchronize();
        // The copy was only queued when the array changed.
        Assert.All(buffer.GetAsArray1D(), value => Assert.Equal(2, value));
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void A_kernel_out_of_bounds_is_an_error_with_a_place()
    {
        Standin.Require();
        using var context = Context.Create(builder => builder.Cuda());
        using CudaAccelerator accelerator = context.CreateCudaAccelerator(0);
        using MemoryBuffer1D<float, Stride1D.Dense> buffer = accelerator.Allocate1D<float>(100);
        Action<KernelConfig, ArrayView<float>, float> kernel = accelerator.LoadStreamKernel<ArrayView<float>, float>(Overrun);
        kernel(new KernelConfig(1, 128), buffer.View, 3);
        CudaException error = Assert.Throws<CudaException>(accelerator.Synchronize);
        IReadOnlyList<string> faults = CudaStandin.Faults;
        // Without this the accelerator could not be closed: all calls report the failure.
        CudaStandin.Recover();
        Assert.Contains("ILLEGAL_ADDRESS", error.Message, StringComparison.Ordinal);
        Assert.Contains("OutOfBounds Write of 4 bytes", Assert.Single(faults), StringComparison.Ordinal);
    }

    private static void Overrun(ArrayView<float> values, float factor) => values[Grid.GlobalIndex.X] = factor;
}

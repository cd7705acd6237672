using System.Globalization;
using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Devices;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using AiFabrik.Engine.Tests.Models;
using AiFabrik.Ptx;
using Xunit;

namespace AiFabrik.Cuda.Tests;

/// <summary>Drivers and devices that do not do: each gives one sentence, and <c>auto</c> goes on with the processor.</summary>
public sealed class FailureTests
{
    private static readonly StandinOptions s_usual = new();

    [Theory]
    [InlineData(0, 12_040)]
    [InlineData(1, 10_020)]
    public void Without_a_device_that_the_driver_serves_the_sentence_says_so(int devices, int version)
    {
        Standin.Require();
        Assert.Equal("The NVIDIA driver finds no GPU, or is too old for this one.|cpu", FreshStart.With(s_usual with { Devices = devices, DriverVersion = version }, OpenBoth));
    }

    /// <summary>The driver's calls of CUDA 12 are not there; ILGPU's are.</summary>
    [Fact]
    public void A_driver_before_CUDA_12_is_told_and_its_device_still_computes()
    {
        Standin.Require();
        Assert.Equal("The NVIDIA driver is older than CUDA 12.0; install a newer one.|cuda:0", FreshStart.With(s_usual with { DriverVersion = 11_040 }, DescribeAndOpen));
    }

    [Fact]
    public void A_model_that_does_not_fit_is_refused_before_anything_is_allocated()
    {
        Standin.Require();
        var answer = FreshStart.With(s_usual with { MemoryBytes = 1 << 16 }, OpenBoth);
        Assert.StartsWith("The model needs ", answer, StringComparison.Ordinal);
        Assert.EndsWith(".|cpu", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_that_others_took_meanwhile_is_told_like_memory_that_was_never_there()
    {
        Standin.Require();
        Assert.Equal("The device cuda:0 has too little free memory: ask for less context or fewer sequences, or take a smaller model.|cpu", FreshStart.With(s_usual with { HiddenBytes = s_usual.MemoryBytes - (1 << 16) }, OpenBoth));
    }

    /// <summary>The fault comes while the executor warms up.</summary>
    [Fact]
    public void A_kernel_that_fails_at_the_start_is_told()
    {
        Standin.Require();
        Assert.Equal("The device cuda:0 failed while the model was brought to it: CUDA_ERROR_LAUNCH_FAILED.|cpu", FreshStart.With(s_usual with { FailingLaunch = 3 }, OpenBoth));
    }

    /// <summary>After a failure every call of the driver fails; closing must go through all the same, so that the host's side is zeroed.</summary>
    [Fact]
    public void An_executor_whose_device_failed_can_be_closed()
    {
        Standin.Require();
        Assert.Equal("LAUNCH_FAILED, closed", FreshStart.With(s_usual, FailAndClose));
    }

    private static string OpenBoth()
    {
        using var model = new TinyModel();
        var error = Assert.Throws<DeviceUnavailableException>(() => model.Open("cuda"));
        using var best = model.Open("auto");
        return error.Message + "|" + (best.Info.Device.StartsWith("cpu", StringComparison.Ordinal) ? "cpu" : best.Info.Device);
    }

    private static string DescribeAndOpen()
    {
        using var model = new TinyModel();
        Assert.False(CudaDriver.TryOpen(out var status));
        using var executor = model.Open("cuda");
        using var runner = new SequenceRunner(executor, model.Program);
        Assert.InRange(runner.AppendAndPredict([1, 2, 3]), 0, model.Program.VocabSize - 1);
        return CudaDriver.Describe(status) + "|" + executor.Info.Device;
    }

    private static string FailAndClose()
    {
        using var model = new TinyModel();
        var executor = IlgpuExecutor.Create("cuda", model.Program, model.Limits, new IlgpuOptions { WarmUp = false });
        var runner = new SequenceRunner(executor, model.Program);
        runner.Append([1, 2, 3], [2], (_, _) => { });
        CudaStandin.Options = CudaStandin.Options with { FailingLaunch = 5 };
        var error = Assert.ThrowsAny<Exception>(() => runner.AppendAndPredict([4]));
        var before = executor.Logits(0).ContainsAnyExcept(0f);
        Assert.ThrowsAny<Exception>(executor.ClearActivations);
        // What lies on the host is zeroed even so.
        Assert.True(before && !executor.Logits(0).ContainsAnyExcept(0f));
        executor.Dispose();
        return string.Create(CultureInfo.InvariantCulture, $"{(error.Message.Contains("LAUNCH_FAILED", StringComparison.Ordinal) ? "LAUNCH_FAILED" : error.Message)}, closed");
    }

    private sealed class TinyModel : IDisposable
    {
        private readonly ModelFiles _files = ModelFiles.Open(TestPaths.HuggingFace("llama-gqa-tied"));

        public TinyModel()
        {
            Program = ArchitectureRegistry.Build(_files.Config, _files.Weights);
            Limits = SequenceRunner.LimitsFor(Program, 16, 4, 2);
        }

        public TransformerProgram Program { get; }

        public StepLimits Limits { get; }

        public IExecutor Open(string device) => DeviceSelection.Open(device, 1, Program, Limits);

        public void Dispose() => _files.Dispose();
    }
}

using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using AiFabrik.Compute.Tests.Native;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>Whole programs on the OpenCL device: against the reference, without allocation, without residue.</summary>
public sealed class IlgpuExecutorTests
{
    /// <summary>rms(ours − reference) / rms(reference) of logits: the cache's halves are all that differs.</summary>
    private const double Bound = 3e-3;

    private static readonly IlgpuOptions Cold = new() { WarmUp = false };

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 16)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_programs_and_batches_give_what_the_reference_gives(int seed)
    {
        var program = new RandomProgram(seed).Program;
        if (seed % 2 == 0) program = Fusion.Apply(program);
        var steps = new MixedSteps(program, seed);
        using var device = IlgpuExecutor.Create(OpenCLDevice.Name, program, steps.Limits, Cold);
        using var reference = new ReferenceExecutor(program, steps.Limits);
        using var native = NativeExecutor.Create(program, steps.Limits, new NativeOptions { Threads = 1, PinThreads = false });
        for (var step = 0; step < 8; step++)
        {
            steps.Next();
            device.Run(steps.Batch);
            reference.Run(steps.Batch);
            native.Run(steps.Batch);
            for (var row = 0; row < steps.Batch.LogitRowCount; row++)
            {
                var error = Parity.Error(device.Logits(row), reference.Logits(row));
                // Where two experts are almost tied, the cache's rounding decides which is chosen: then the native executor, which rounds
                // alike, must agree.
                if (error > Bound && program.TopK > 0) error = Parity.Error(device.Logits(row), native.Logits(row));
                Assert.InRange(error, 0, Bound);
                Assert.Equal(IndexOfLargest(device.Logits(row)), device.Argmax(row));
            }
        }
    }

    [Fact]
    public void Nothing_is_left_on_the_device_when_blocks_and_activations_are_cleared()
    {
        var program = new RandomProgram(3).Program;
        var steps = new MixedSteps(program, 3);
        using var device = IlgpuExecutor.Create(OpenCLDevice.Name, program, steps.Limits, Cold);
        for (var step = 0; step < 4; step++)
        {
            steps.Next();
            device.Run(steps.Batch);
        }
        // The positive control: before, every arena holds something.
        foreach (var (name, arena) in device.ContentArenas) Assert.True(Residue.Bytes(arena).ContainsAnyExcept((byte)0), name);
        for (var group = 0; group < program.KvGroups.Count; group++) device.ClearBlocks(group, [.. Enumerable.Range(0, steps.Limits.BlocksPerGroup[group]).Reverse()]);
        device.ClearActivations();
        foreach (var (name, arena) in device.ContentArenas) Assert.False(Residue.Bytes(arena).ContainsAnyExcept((byte)0), name);
        Assert.False(device.Logits(0).ContainsAnyExcept(0f));
        Assert.Equal(0, device.Argmax(0));
    }

    [Fact]
    public void Only_the_blocks_that_are_named_are_cleared()
    {
        var program = new RandomProgram(9).Program;
        var steps = new MixedSteps(program, 9);
        using var device = IlgpuExecutor.Create(OpenCLDevice.Name, program, steps.Limits, Cold);
        steps.Next();
        device.Run(steps.Batch);
        var arena = device.ContentArenas.Single(item => item.Name == "kv").Arena;
        var before = Residue.Bytes(arena).Count((byte)0);
        var used = steps.Batch.BlockTable(0, 0)[0];
        device.ClearBlocks(0, [used]);
        var after = Residue.Bytes(arena).Count((byte)0);
        Assert.True(after > before, "The block is not cleared.");
        device.ClearBlocks(0, [used]);
        Assert.Equal(after, Residue.Bytes(arena).Count((byte)0));
        Assert.True(after < arena.LengthBytes, "Other blocks are cleared too.");
        Assert.Throws<ArgumentOutOfRangeException>(() => device.ClearBlocks(0, [steps.Limits.BlocksPerGroup[0]]));
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var program = new RandomProgram(2).Program;
        var steps = new MixedSteps(program, 2);
        using var device = IlgpuExecutor.Create(OpenCLDevice.Name, program, steps.Limits);
        steps.Next();
        (steps.Batch.Wanted[0], steps.Batch.TopWanted[0]) = ((int)LogitsWanted.Top, 5);
        int[] blocks = [0, 3];
        Assert.Equal(0, Allocations.Steady(() =>
        {
            device.Run(steps.Batch);
            _ = device.Argmax(0) + device.Logits(0).Length + device.Top(0).Ids.Length;
            device.ClearBlocks(0, blocks);
            device.ClearActivations();
        }));
    }

    [Fact]
    public void A_batch_beyond_the_cache_is_refused()
    {
        var program = new RandomProgram(7).Program;
        var steps = new MixedSteps(program, 7);
        using var device = IlgpuExecutor.Create(OpenCLDevice.Name, program, steps.Limits, Cold);
        steps.Next();
        steps.Batch.BlockTable(0, 0)[0] = steps.Limits.BlocksPerGroup[0];
        Assert.Throws<ArgumentException>(() => device.Run(steps.Batch));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(TopLogits.CountMax + 1)]
    public void More_of_the_best_than_an_executor_gives_is_refused(int count)
    {
        var program = new RandomProgram(7).Program;
        var steps = new MixedSteps(program, 7);
        using var device = IlgpuExecutor.Create(OpenCLDevice.Name, program, steps.Limits, Cold);
        steps.Next();
        (steps.Batch.Wanted[0], steps.Batch.TopWanted[0]) = ((int)LogitsWanted.Top, count);
        Assert.Throws<ArgumentException>(() => device.Run(steps.Batch));
    }

    [Fact]
    public void A_model_that_does_not_fit_is_refused_before_anything_is_allocated()
    {
        var program = new RandomProgram(1).Program;
        var limits = new StepLimits(16, 1, 1, 512, [.. program.KvGroups.Select(_ => 40_000)], 1000);
        var error = Assert.Throws<IlgpuException>(() => IlgpuExecutor.Create(OpenCLDevice.Name, program with
        {
            KvLayers = [.. Enumerable.Range(0, 2000).Select(i => program.KvLayers[i % program.KvLayers.Count])],
        }, limits));
        Assert.Contains("GB", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Devices_that_are_not_there_are_refused_with_a_sentence()
    {
        var program = new RandomProgram(1).Program;
        var limits = new MixedSteps(program, 1).Limits;
        foreach (var name in (string[])["opencl:99", "cuda:99", "cuda:x", "metal"])
        {
            var error = Assert.Throws<IlgpuException>(() => IlgpuExecutor.Create(name, program, limits));
            Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        }
        Assert.True(IlgpuDevices.IsDeviceName("cuda") && IlgpuDevices.IsDeviceName("opencl:1"));
        Assert.False(IlgpuDevices.IsDeviceName("opencl:") || IlgpuDevices.IsDeviceName("cpu") || IlgpuDevices.IsDeviceName("cuda:-1"));
    }

    [Fact]
    public void It_says_what_it_is_and_how_far_it_has_come()
    {
        var program = new RandomProgram(5).Program;
        var seen = new Seen();
        using var device = IlgpuExecutor.Create(OpenCLDevice.Name, program, new MixedSteps(program, 5).Limits, new IlgpuOptions { Progress = seen });
        Assert.Equal((OpenCLDevice.Name, ExactnessClass.Float16, 0), (device.Info.Device, device.Info.Class, device.Info.Threads));
        Assert.True(device.WeightBytes > 0 && device.KvBytes > 0 && device.ActivationBytes > 0);
        Assert.Equal(1, seen.Last);
        foreach (var (name, arena) in device.ContentArenas) Assert.False(Residue.Bytes(arena).ContainsAnyExcept((byte)0), name);
    }

    private sealed class Seen : IProgress<double>
    {
        public double Last { get; private set; }

        public void Report(double value)
        {
            Assert.True(value >= Last);
            Last = value;
        }
    }

    private static int IndexOfLargest(ReadOnlySpan<float> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++) if (values[i] > values[best]) best = i;
        return best;
    }
}

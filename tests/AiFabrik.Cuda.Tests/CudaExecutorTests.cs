using AiFabrik.Compute.Ilgpu;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using AiFabrik.Compute.Tests.Ilgpu;
using AiFabrik.Compute.Tests.Native;
using AiFabrik.Ptx;
using ILGPU;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace AiFabrik.Cuda.Tests;

/// <summary>The executor in CUDA mode on the stand-in: products on the tensor cores, captured decode steps, what is told and what is left.</summary>
public sealed class CudaExecutorTests
{
    /// <summary>rms(ours − reference) / rms(reference) of logits: activations are rounded to bf16 before products of several tokens.</summary>
    private const double Bound = 3e-2;

    private static readonly IlgpuOptions Cold = new() { WarmUp = false };

    /// <summary>seed, type of the matrices. Of F32 the portable kernels serve all.</summary>
    public static TheoryData<int, WeightType> Programs => new()
    {
        { 1, WeightType.F32 }, { 2, WeightType.BF16 }, { 3, WeightType.Q8_0 }, { 4, WeightType.Q4_0 }, { 5, WeightType.Q4_1 }, { 6, WeightType.BF16 }, { 7, WeightType.Q5_0 },
        { 8, WeightType.Q8_0 }, { 9, WeightType.Q4_0 },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public void Graphs_change_no_bit_and_both_ways_give_what_the_reference_gives(int seed, WeightType type)
    {
        Standin.Require();
        var program = Fusion.Apply(new RandomProgram(seed, type).Program);
        var steps = new MixedSteps(program, seed);
        using var plain = IlgpuExecutor.Create("cuda", program, steps.Limits, Cold with { GraphsMax = 0 });
        using var graphs = IlgpuExecutor.Create("cuda", program, steps.Limits, Cold with { Notice = Fail });
        using var reference = new ReferenceExecutor(program, steps.Limits);
        Assert.Equal(type is WeightType.F32 or WeightType.Q5_0 ? ExactnessClass.Float16 : ExactnessClass.BFloat16, graphs.Info.Class);
        for (var step = 0; step < 9; step++)
        {
            // Prefill chunks and single tokens side by side, decode steps in between.
            if (step % 5 == 0) steps.Next();
            else steps.NextDecode(step < 5 ? 3 : 4);
            foreach (var executor in (IExecutor[])[plain, graphs, reference]) executor.Run(steps.Batch);
            for (var row = 0; row < steps.Batch.LogitRowCount; row++)
            {
                Assert.Equal(plain.Logits(row), graphs.Logits(row));
                Assert.Equal(plain.Argmax(row), graphs.Argmax(row));
                // Rounding may choose another expert where two are almost tied.
                if (program.TopK == 0) Assert.InRange(Parity.Error(graphs.Logits(row), reference.Logits(row)), 0, Bound);
            }
        }
        Assert.Equal((0, 0L), plain.GraphCounts);
        Assert.True(graphs.GraphCounts is { Count: > 0, Replays: > 3 }, $"{graphs.GraphCounts}");
        Assert.Equal(Residue.Bytes(plain.ContentArenas.First().Arena), Residue.Bytes(graphs.ContentArenas.First().Arena));
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void Any_length_from_one_to_the_context_is_decoded()
    {
        Standin.Require();
        var program = new RandomProgram(12, WeightType.BF16).Program;
        var limits = new StepLimits(16, 1, 1, 16, [.. program.KvGroups.Select(_ => 17)], 17);
        using var plain = IlgpuExecutor.Create("cuda", program, limits, Cold with { GraphsMax = 0 });
        using var graphs = IlgpuExecutor.Create("cuda", program, limits, Cold);
        using var reference = new ReferenceExecutor(program, limits);
        var batch = new StepBatch(limits, program.KvGroups.Count);
        var position = 0;
        // Around the ends of blocks and buckets token by token, in between in chunks.
        foreach (var looked in (int[])[0, 1, 2, 15, 16, 17, 31, 32, 126, 127, 128, 129, 130, 200, 201, 254, 255, 256, 257, 258, 270, 271])
        {
            for (; position < looked; position = batch.ContextLen[0])
            {
                Fill(batch, position, Math.Min(looked - position, limits.MaxTokens));
                foreach (var executor in (IExecutor[])[plain, graphs, reference]) executor.Run(batch);
            }
            Fill(batch, position++, 1);
            foreach (var executor in (IExecutor[])[plain, graphs, reference]) executor.Run(batch);
            Assert.Equal(plain.Logits(0), graphs.Logits(0));
            // Contexts beyond 256 are split.
            if (program.TopK == 0) Assert.InRange(Parity.Error(graphs.Logits(0), reference.Logits(0)), 0, Bound);
        }
        Assert.Equal(3, graphs.GraphCounts.Count);
        Standin.ExpectNoFaults();
    }

    [Theory]
    [InlineData(66, 128)]
    [InlineData(70, 70)]
    public void More_sequences_than_a_tile_are_one_graph(int sequences, int rows)
    {
        Standin.Require();
        var program = new RandomProgram(8, WeightType.Q8_0).Program;
        var limits = new StepLimits(rows, sequences, rows, 16, [.. program.KvGroups.Select(_ => sequences)], 1);
        using var plain = IlgpuExecutor.Create("cuda", program, limits, Cold with { GraphsMax = 0 });
        using var graphs = IlgpuExecutor.Create("cuda", program, limits, Cold);
        var batch = new StepBatch(limits, program.KvGroups.Count) { TokenCount = sequences, SequenceCount = sequences, LogitRowCount = sequences };
        for (var step = 0; step < 3; step++)
        {
            for (var s = 0; s < sequences; s++)
            {
                (batch.Tokens[s], batch.Positions[s], batch.ContextLen[s], batch.QueryStart[s + 1]) = (s % 5, step, step + 1, s + 1);
                (batch.LogitRows[s], batch.Wanted[s]) = (s, (int)LogitsWanted.Full);
                for (var g = 0; g < batch.KvGroups; g++) (batch.BlockTable(g, s)[0], batch.SlotMapping(g)[s]) = (sequences - 1 - s, (sequences - 1 - s) * 16 + step);
            }
            plain.Run(batch);
            graphs.Run(batch);
            for (var s = 0; s < sequences; s++) Assert.Equal(plain.Logits(s), graphs.Logits(s));
        }
        Assert.Equal((1, 2L), graphs.GraphCounts);
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void Graphs_are_bounded_and_the_least_recently_used_makes_room()
    {
        Standin.Require();
        var program = new RandomProgram(2, WeightType.BF16).Program;
        var steps = new MixedSteps(program, 2);
        using var device = IlgpuExecutor.Create("cuda", program, steps.Limits, Cold with { GraphsMax = 2 });
        foreach (var sequences in (int[])[1, 1, 2, 2, 1, 4, 4, 1])
        {
            steps.NextDecode(sequences);
            device.Run(steps.Batch);
            Assert.InRange(device.GraphCounts.Count, 0, 2);
        }
        // Captured and launched: 1, 2, 4; launched from what was there: 1, and 1 again, since 2 made room for 4.
        Assert.Equal((2, 5L), device.GraphCounts);
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void Graphs_go_with_their_executor_and_memory_is_given_back()
    {
        Standin.Require();
        var program = new RandomProgram(2, WeightType.Q8_0).Program;
        var steps = new MixedSteps(program, 2);
        var before = CudaStandin.UsedBytes;
        var device = IlgpuExecutor.Create("cuda", program, steps.Limits);
        Assert.Equal((1, 2L), device.GraphCounts);
        device.Dispose();
        Assert.Equal(0, device.GraphCounts.Count);
        Assert.Equal(before, CudaStandin.UsedBytes);
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void Nothing_is_left_on_the_device_when_blocks_and_activations_are_cleared()
    {
        Standin.Require();
        var program = new RandomProgram(3, WeightType.Q4_0).Program;
        var steps = new MixedSteps(program, 3);
        using var device = IlgpuExecutor.Create("cuda", program, steps.Limits, Cold);
        for (var step = 0; step < 4; step++)
        {
            if (step == 0) steps.Next(); else steps.NextDecode(3);
            (steps.Batch.Wanted[0], steps.Batch.TopWanted[0]) = ((int)LogitsWanted.Top, 5);
            device.Run(steps.Batch);
        }
        foreach (var (name, arena) in device.ContentArenas) Assert.True(Residue.Bytes(arena).ContainsAnyExcept((byte)0), name);
        for (var group = 0; group < program.KvGroups.Count; group++) device.ClearBlocks(group, [.. Enumerable.Range(0, steps.Limits.BlocksPerGroup[group])]);
        device.ClearActivations();
        foreach (var (name, arena) in device.ContentArenas) Assert.False(Residue.Bytes(arena).ContainsAnyExcept((byte)0), name);
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void The_best_few_of_a_replayed_step_are_those_of_its_row()
    {
        Standin.Require();
        var program = new RandomProgram(4, WeightType.Q8_0).Program;
        var steps = new MixedSteps(program, 4);
        using var device = IlgpuExecutor.Create("cuda", program, steps.Limits, Cold);
        using var other = IlgpuExecutor.Create("cuda", program, steps.Limits, Cold);
        int[] ids = new int[TopLogits.CountMax];
        var best = new float[TopLogits.CountMax];
        for (var step = 0; step < 4; step++)
        {
            steps.NextDecode(3);
            other.Run(steps.Batch);
            (steps.Batch.Wanted[1], steps.Batch.TopWanted[1]) = ((int)LogitsWanted.Top, 20);
            device.Run(steps.Batch);
            Assert.Equal(TopK.Select(other.Logits(1), 20, ids, best).Ids, device.Top(1).Ids);
            Assert.Equal(other.Logits(0), device.Logits(0));
        }
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void Progress_goes_up_and_kernels_are_kept_on_disk()
    {
        Standin.Require();
        var directory = Directory.CreateTempSubdirectory("aifabrik-kernels");
        try
        {
            using var context = Context.Create(builder => builder.Cuda().Optimize(OptimizationLevel.O1).EnableAlgorithms());
            using var accelerator = context.CreateCudaAccelerator(0);
            var program = new RandomProgram(5, WeightType.Q4_1).Program;
            var seen = new Seen();
            var options = new IlgpuOptions { Progress = seen, Notice = Fail, KernelDirectory = directory.FullName };
            using (IlgpuExecutor.Create(new IlgpuDevice("cuda:0", accelerator), program, new MixedSteps(program, 5).Limits, options)) Assert.Equal(1, seen.Last);
            var kept = directory.GetFiles("*.ptx");
            // Those for CUDA alone, and the portable ones that the program uses.
            Assert.InRange(kept.Length, CudaKernelTable.All.Count + 8, CudaKernelTable.All.Count + 20);
            foreach (var file in kept) File.SetLastWriteTimeUtc(file.FullName, DateTime.UnixEpoch);
            // Another process would start with what is kept, and write nothing.
            using (IlgpuExecutor.Create(new IlgpuDevice("cuda:0", accelerator), program, new MixedSteps(program, 5).Limits, options with { Progress = null })) { }
            Assert.All(directory.GetFiles("*.ptx"), file => Assert.Equal(DateTime.UnixEpoch, file.LastWriteTimeUtc));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
        Assert.Contains("class bfloat16", IlgpuDevices.List().Single(row => row.Name == "cuda:0").Detail, StringComparison.Ordinal);
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void A_device_before_sm_80_is_served_by_the_portable_kernels()
    {
        Standin.Require();
        var options = CudaStandin.Options;
        try
        {
            CudaStandin.Options = options with { Capability = 75 };
            using var context = Context.Create(builder => builder.Cuda().Optimize(OptimizationLevel.O1).EnableAlgorithms());
            using var accelerator = context.CreateCudaAccelerator(0);
            var program = new RandomProgram(8, WeightType.Q8_0).Program;
            var steps = new MixedSteps(program, 8);
            using var device = IlgpuExecutor.Create(new IlgpuDevice("cuda:0", accelerator), program, steps.Limits, Cold);
            using var reference = new ReferenceExecutor(program, steps.Limits);
            Assert.Equal(ExactnessClass.Float16, device.Info.Class);
            steps.Next();
            device.Run(steps.Batch);
            reference.Run(steps.Batch);
            if (program.TopK == 0) Assert.InRange(Parity.Error(device.Logits(0), reference.Logits(0)), 0, 3e-3);
        }
        finally
        {
            CudaStandin.Options = options;
        }
        Standin.ExpectNoFaults();
    }

    [Fact]
    public void Where_capture_fails_it_is_told_once_and_steps_are_launched_one_by_one()
    {
        Standin.Require();
        using var context = Context.Create(builder => builder.Cuda());
        using var accelerator = context.CreateCudaAccelerator(0);
        accelerator.Bind();
        using var stream = accelerator.CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        var told = new List<string>();
        var plan = new StepPlan(2, 2, 128, 1, 0);
        using (var graphs = new StepGraphs(stream, 4, told.Add))
        {
            Assert.Equal(GraphUse.None, graphs.Next(plan));
            // Somebody else captures: a second capture of the stream is refused.
            Assert.Equal(CudaStatus.Success, CudaGraph.BeginCapture(stream.StreamPtr));
            Assert.Equal(GraphUse.None, graphs.Next(plan));
            Assert.Equal(GraphUse.None, graphs.Next(plan));
            Assert.Equal(CudaStatus.Success, CudaDriver.StreamEndCapture(stream.StreamPtr, out var graph));
            Assert.Equal(CudaStatus.Success, CudaDriver.GraphDestroy(graph));
        }
        using (var graphs = new StepGraphs(stream, 4, told.Add))
        {
            Assert.Equal(GraphUse.None, graphs.Next(plan));
            Assert.Equal(GraphUse.Capture, graphs.Next(plan));
            graphs.Abandon("A kernel was refused.");
            Assert.Equal(GraphUse.None, graphs.Next(plan));
        }
        stream.Synchronize();
        Assert.Equal(2, told.Count);
        Assert.All(told, text => Assert.EndsWith(".", text, StringComparison.Ordinal));
        Standin.ExpectNoFaults();
    }

    private static void Fail(string notice) => Assert.Fail(notice);

    /// <summary>Tokens of one sequence, whose blocks are in falling order.</summary>
    private static void Fill(StepBatch batch, int first, int count)
    {
        batch.Clear();
        (batch.ContextLen[0], batch.QueryStart[1]) = (first + count, count);
        for (var i = 0; i < count; i++) (batch.Tokens[i], batch.Positions[i]) = ((first + i) % 7, first + i);
        for (var g = 0; g < batch.KvGroups; g++)
        {
            for (var b = 0; b <= (first + count - 1) / 16; b++) batch.BlockTable(g, 0)[b] = 16 - b;
            for (var i = 0; i < count; i++) batch.SlotMapping(g)[i] = (16 - (first + i) / 16) * 16 + (first + i) % 16;
        }
        (batch.TokenCount, batch.SequenceCount, batch.LogitRowCount) = (count, 1, 1);
        (batch.LogitRows[0], batch.Wanted[0]) = (count - 1, (int)LogitsWanted.Full);
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
}

using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Programs;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>What needs no device: the driver's absence, buckets of graphs, plans of splits, the table of kernels.</summary>
public sealed class CudaPlanTests
{
    [Fact]
    public void A_machine_without_the_driver_says_so_in_one_sentence()
    {
        bool open = CudaDriver.TryOpen(out CudaStatus status);
        Assert.Equal(open, status == CudaStatus.Success);
        string text = CudaDriver.Describe(status);
        Assert.EndsWith(".", text, StringComparison.Ordinal);
        Assert.Equal(status, CudaStreamHandle.TryCreate(out CudaStreamHandle? stream) is CudaStatus.Success ? CudaStatus.Success : status);
        stream?.Dispose();
        foreach (CudaStatus value in Enum.GetValues<CudaStatus>())
        {
            Assert.EndsWith(".", CudaDriver.Describe(value), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(2, 1, 2)]
    [InlineData(3, 2, 4)]
    [InlineData(64, 6, 64)]
    [InlineData(65, 7, 128)]
    [InlineData(256, 8, 256)]
    public void A_batch_falls_into_the_smallest_bucket_that_holds_it(int batch, int bucket, int size)
    {
        Assert.Equal(bucket, CudaGraph.BucketOf(batch));
        Assert.Equal(size, CudaGraph.BucketSize(bucket));
    }

    [Theory]
    [InlineData(7, 5, null)]
    [InlineData(8, 0, "sm_80")]
    [InlineData(8, 6, "sm_86")]
    [InlineData(8, 8, "sm_87")]
    [InlineData(8, 9, "sm_89")]
    [InlineData(9, 0, "sm_90")]
    [InlineData(10, 3, "sm_100")]
    [InlineData(12, 1, "sm_120")]
    [InlineData(13, 0, "sm_120")]
    public void The_target_is_the_newest_that_the_device_runs(int major, int minor, string? target)
    {
        Assert.Equal(target, CudaTarget.For(major, minor));
        if (target is not null) Assert.Contains(target, PtxPatch.Retarget(".version 7.0\n.target sm_80", target), StringComparison.Ordinal);
    }

    [Fact]
    public void Batches_beyond_the_largest_bucket_have_none()
    {
        Assert.Equal(-1, CudaGraph.BucketOf(CudaGraph.BatchSizeMax + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => CudaGraph.BucketOf(0));
        using var graph = new CudaGraph();
        Assert.False(graph.Has(0));
        Assert.Equal(CudaStatus.InvalidValue, graph.Launch(0, 0));
    }

    [Fact]
    public void Splits_cover_every_column_once_and_none_is_empty()
    {
        for (int cols = 32; cols < 5000; cols += 96)
        {
            foreach (int unit in (int[])[32, 256, 512, 1024])
            {
                foreach (int tiles in (int[])[1, 7, 100, 10_000])
                {
                    var plan = SplitPlan.For(cols, unit, tiles, 132, 4);
                    Assert.InRange(plan.Count, 1, SplitPlan.CountMax);
                    Assert.True(plan.Count == 1 || plan.Cols % unit == 0);
                    Assert.InRange(cols, (long)(plan.Count - 1) * plan.Cols + 1, (long)plan.Count * plan.Cols);
                }
            }
        }
        Assert.Equal(1, SplitPlan.For(4096, 256, 10_000, 132, 4).Count);
        Assert.Equal(0, SplitPlan.Whole(4096).WorkspaceFloats(8, 8));
    }

    [Fact]
    public void Parts_of_split_products_fit_into_the_scratch()
    {
        const int Multiprocessors = 132;
        long room = (CudaMatMul.ScratchBytes(Multiprocessors, 1, 32) - CudaMatMul.ScratchBytes(0, 1, 32)) / sizeof(float);
        foreach (int rows in (int[])[1, 63, 512, 2048, 4096, 14_336, 128_256])
        {
            foreach (int cols in (int[])[32, 576, 4096, 14_336])
            {
                foreach (int tokens in (int[])[2, 17, 64, 65, 200])
                {
                    Assert.InRange(CudaMatMul.PlanNarrow(tokens, rows, cols, Multiprocessors).WorkspaceFloats(tokens, rows), 0, room);
                }
                foreach (WeightType type in (WeightType[])[WeightType.BF16, WeightType.Q8_0, WeightType.Q4_0])
                {
                    Assert.InRange(CudaMatMul.PlanVector(type, rows, cols, Multiprocessors).WorkspaceFloats(1, rows), 0, room);
                }
            }
        }
    }

    [Fact]
    public void The_table_stands_in_the_order_of_the_identifiers()
    {
        Assert.Equal(Enum.GetValues<CudaKernelId>(), CudaKernelTable.All.Select(k => k.Id));
        Assert.All(CudaKernelTable.All, k => Assert.Equal(k.Id + "Kernel", k.Type.Name));
    }
}

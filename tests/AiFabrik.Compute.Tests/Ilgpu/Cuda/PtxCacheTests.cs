using AiFabrik.Compute.Ilgpu.Cuda;
using ILGPU;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

public sealed class PtxCacheTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "aifabrik-ptx-cache-" + Guid.NewGuid().ToString("N"));

    public void Dispose()
    {
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, true);
        }
    }

    [Fact]
    public void What_was_written_is_read_back()
    {
        var cache = new PtxCache(_directory);
        Assert.False(cache.TryRead("a", out _));
        Assert.True(cache.TryWrite("a", ".version 8.0\n"));
        Assert.True(cache.TryRead("a", out string ptx));
        Assert.Equal(".version 8.0\n", ptx);
        Assert.Single(Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_damaged_file_is_as_good_as_none()
    {
        var cache = new PtxCache(_directory);
        Assert.True(cache.TryWrite("a", ".version 8.0\n"));
        string file = Directory.GetFiles(_directory).Single();
        byte[] bytes = File.ReadAllBytes(file);
        foreach (int i in (int[])[0, 63, 64, bytes.Length - 1])
        {
            byte[] damaged = [.. bytes];
            damaged[i] ^= 1;
            File.WriteAllBytes(file, damaged);
            Assert.False(cache.TryRead("a", out _));
        }
        File.WriteAllBytes(file, bytes[..10]);
        Assert.False(cache.TryRead("a", out _));
        File.WriteAllBytes(file, bytes);
        Assert.True(cache.TryRead("a", out _));
    }

    [Fact]
    public void A_disk_that_refuses_costs_time_only()
    {
        Directory.CreateDirectory(_directory);
        string file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");
        Assert.False(new PtxCache(Path.Combine(file, "below")).TryWrite("a", "x"));
    }

    [Fact]
    public void Keys_tell_kernels_architectures_and_levels_apart()
    {
        string[] keys =
        [
            .. CudaKernelTable.All.Select(k => PtxCache.Key(k.Method, "sm_80", OptimizationLevel.O1)),
            PtxCache.Key(CudaKernelTable.All[0].Method, "sm_90a", OptimizationLevel.O1),
            PtxCache.Key(CudaKernelTable.All[0].Method, "sm_80", OptimizationLevel.O2),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], PtxCache.Key(CudaKernelTable.All[0].Method, "sm_80", OptimizationLevel.O1));
    }

    [Fact]
    public void The_compiler_reads_what_it_wrote_and_gives_the_same_text_every_time()
    {
        using var first = new PtxCompiler("sm_80", new PtxCache(_directory));
        using var second = new PtxCompiler("sm_80", new PtxCache(_directory));
        using var uncached = new PtxCompiler();
        CudaKernelSource kernel = CudaKernelTable.All[(int)CudaKernelId.SplitSum];
        string ptx = first.Compile(kernel);
        Assert.Single(Directory.GetFiles(_directory));
        Assert.Equal(ptx, second.Compile(kernel));
        // Another kernel first, so that ILGPU's counters stand elsewhere.
        uncached.Compile(CudaKernelTable.All[(int)CudaKernelId.ToBf16]);
        Assert.Equal(ptx, uncached.Compile(kernel));
    }
}

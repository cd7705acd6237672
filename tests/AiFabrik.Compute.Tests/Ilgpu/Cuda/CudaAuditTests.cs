using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using AiFabrik.Compute.Ilgpu.Cuda;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>
/// What can be known of the CUDA kernels without a GPU: the PTX holds what it should and no local memory; NVIDIA's assembler accepts it, spills nothing, and
/// leaves room for the planned groups; the machine code's inner loops hold tensor instructions and wide loads. <c>AIFABRIK_WRITE_AUDIT=1</c> writes the table.
/// </summary>
public sealed class CudaAuditTests
{
    private static string[] Expected(CudaKernelId kernel) => kernel switch
    {
        CudaKernelId.GemmBf16 or CudaKernelId.GemmNarrowBf16 => [.. s_tensor, "cp.async.wait_group"],
        CudaKernelId.GemmQ8 or CudaKernelId.GemmQ4 => [.. s_tensor, "ld.global.nc.v4.b32", "prmt.b32", "cvt.rn.bf16x2.f32"],
        CudaKernelId.GemmNarrowQ8 or CudaKernelId.GemmNarrowQ4 => [.. s_tensor, "prmt.b32", "cvt.rn.bf16x2.f32"],
        CudaKernelId.GemvBf16 => [WideLoad, "shfl.sync.bfly.b32"],
        CudaKernelId.GemvQ8 or CudaKernelId.GemvQ4 => [WideLoad, "prmt.b32", "shfl.sync.bfly.b32"],
        CudaKernelId.MatrixRate => [s_tensor[0]],
        >= CudaKernelId.AttentionTensor64 and <= CudaKernelId.AttentionDecode256 => s_attention,
        CudaKernelId.ToBf16 => ["ld.global.nc.v4.f32", "cvt.rn.bf16x2.f32", "st.global.v4.b32"],
        _ => ["ld.global.f32", "st.global.f32"],
    };

    private const string WideLoad = "ld.global.nc.L1::no_allocate.L2::128B.v4.b32";

    private static readonly string[] s_tensor =
    [
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", "ldmatrix.sync.aligned.m8n8.x4.shared.b16", "cp.async.cg.shared.global.L2::128B", "st.global.v4.f32",
    ];

    private static readonly string[] s_attention =
    [
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", "ldmatrix.sync.aligned.m8n8.x4.shared.b16", "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16", s_tensor[2],
        "cp.async.wait_group 1", "ex2.approx.ftz.f32", "vote.sync.any.pred",
    ];

    public static TheoryData<string> Kernels => [.. CudaKernelTable.All.Select(k => k.Id.ToString())];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_emitted_text_holds_the_instructions_that_it_was_written_for_and_no_local_memory(string name)
    {
        string ptx = PtxKernelDevice.Text(Enum.Parse<CudaKernelId>(name));
        foreach (string expected in Expected(Enum.Parse<CudaKernelId>(name)))
        {
            Assert.Contains(expected, ptx, StringComparison.Ordinal);
        }
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain("call", ptx, StringComparison.Ordinal);
        Assert.Contains("\n.target sm_80\n", ptx, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_machine_code_is_as_planned_on_every_architecture(string name)
    {
        CudaTools? tools = CudaTools.Found;
        Assert.SkipWhen(tools is null, CudaTools.Missing);
        CudaKernelSource kernel = CudaKernelTable.All[(int)Enum.Parse<CudaKernelId>(name)];
        foreach (KernelAudit audit in Audit(tools!, [kernel]))
        {
            Check(audit);
        }
    }

    [Fact]
    public void A_retargeted_text_assembles_for_Hopper_itself()
    {
        CudaTools? tools = CudaTools.Found;
        Assert.SkipWhen(tools is null, CudaTools.Missing);
        using var compiler = new PtxCompiler("sm_90a");
        string directory = Directory.CreateTempSubdirectory("aifabrik-audit").FullName;
        try
        {
            (bool ok, string messages) = tools!.Assemble(compiler.Compile(CudaKernelTable.All[0]), "sm_90a", Path.Combine(directory, "kernel.cubin"));
            Assert.True(ok, messages);
        }
        finally
        {
            Directory.Delete(directory, true);
        }
    }

    [Fact]
    public void The_table_is_written_where_that_is_asked_for()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("AIFABRIK_WRITE_AUDIT") != "1", "AIFABRIK_WRITE_AUDIT=1 writes docs/cuda-audit.md");
        CudaTools? tools = CudaTools.Found;
        Assert.SkipWhen(tools is null, CudaTools.Missing);
        var text = new StringBuilder(Introduction.Replace("\r", "", StringComparison.Ordinal));
        text.Append("\n\n").Append(KernelAudit.Header.Replace("\r", "", StringComparison.Ordinal)).Append('\n');
        foreach (KernelAudit audit in Audit(tools!, CudaKernelTable.All))
        {
            text.Append(audit.Row()).Append('\n');
        }
        text.Append('\n').Append(Reading.Replace("\r", "", StringComparison.Ordinal)).Append('\n');
        text.Append(Portable.Replace("\r", "", StringComparison.Ordinal)).Append('\n');
        foreach ((string name, Resources? resources, _) in PortableKernelAuditTests.Assemble(tools!, true))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {resources!.Registers} | {resources.SharedBytes} | {resources.StackBytes} | {resources.SpillBytes} |\n");
        }
        File.WriteAllText(Path.Combine(CudaTools.Root!, "docs", "cuda-audit.md"), text.ToString());
    }

    /// <summary>Each kernel is assembled once for each architecture, however many tests look at it.</summary>
    private static readonly ConcurrentDictionary<(CudaKernelId Kernel, string Architecture), KernelAudit> s_audits = new();

    private static IEnumerable<KernelAudit> Audit(CudaTools tools, IEnumerable<CudaKernelSource> kernels) =>
        from kernel in kernels from device in AuditDevice.All select s_audits.GetOrAdd((kernel.Id, device.Architecture), _ => Assemble(tools, kernel, device));

    private static KernelAudit Assemble(CudaTools tools, CudaKernelSource kernel, AuditDevice device)
    {
        string directory = Directory.CreateTempSubdirectory("aifabrik-audit").FullName;
        try
        {
            KernelAudit? audit = KernelAudit.TryMake(tools, kernel, PtxKernelDevice.Text(kernel.Id), device, directory, out string messages);
            Assert.True(audit is not null, $"{kernel.Id}, {device.Architecture}: {messages}");
            return audit!;
        }
        finally
        {
            Directory.Delete(directory, true);
        }
    }

    private static void Check(KernelAudit audit)
    {
        string what = string.Create(CultureInfo.InvariantCulture, $"{audit.Kernel.Id}, {audit.Device.Architecture}: {audit.Row()}");
        Assert.True(audit.Resources is { SpillBytes: 0, StackBytes: 0 }, $"{audit.Resources}: {what}");
        // Three stages of 16 KiB each leave room for two groups in the shared memory of an sm_89.
        int planned = audit.IsAttention ? Math.Min(audit.Kernel.GroupsPlanned, audit.Device.SharedBytes / (audit.Resources.SharedBytes + AuditDevice.SharedReserved)) : audit.Kernel.GroupsPlanned;
        Assert.True(audit.Groups >= planned, what);
        if (audit.UsesTensorCores)
        {
            bool isBf16 = audit.Kernel.Id is CudaKernelId.GemmBf16 or CudaKernelId.GemmNarrowBf16;
            bool isWide = audit.Kernel.Id <= CudaKernelId.GemmQ4;
            Assert.True(audit.Hmma == (isWide ? 64 : 16), what);
            Assert.True(audit.LoopCount("LDSM") == (isWide ? 16 : 8), what);
            Assert.True(audit.LoopCount("LDGSTS") == (audit.Kernel.Id == CudaKernelId.GemmBf16 ? 8 : isWide || isBf16 ? 4 : 3), what);
            // Issue must not be what binds: mma.sync reaches about 60 % of the dense rate on sm_90 (6.5 cycles each), and takes 8 cycles or more elsewhere.
            Assert.True(!isWide || (double)audit.Loop.Count / audit.Hmma <= 0.75 * 6.5, what);
            Assert.All(audit.Loop.Where(i => MachineCode.Is(i, "HMMA")), i => Assert.Contains("16816.F32.BF16", i, StringComparison.Ordinal));
        }
        if (audit.IsAttention)
        {
            Assert.True(audit.Hmma == (audit.Kernel.Id is CudaKernelId.AttentionTensor96 or CudaKernelId.AttentionDecode96 ? 48 : 64), what);
            Assert.True(audit.LoopCount("LDSM") == audit.Hmma / 2, what);
            Assert.True(audit.LoopCount("LDGSTS") == 8, what);
            // As for the products: mma.sync takes 6.5 cycles on sm_90 and 8 or more elsewhere.
            Assert.True((double)audit.Loop.Count / audit.Hmma <= 6.5, what);
            Assert.All(audit.Loop.Where(i => MachineCode.Is(i, "HMMA")), i => Assert.Contains("16816.F32 ", i, StringComparison.Ordinal));
        }
        if (audit.IsDecodeAttention)
        {
            Assert.True(audit.IssueShare < 0.5, what);
            Assert.True(audit.BytesInFlight >= 1.5 * audit.Device.BytesNeeded, what);
        }
        // Tensor instructions and the loop's own: nothing else may take part in what is timed.
        if (audit.Kernel.Id == CudaKernelId.MatrixRate) Assert.True(audit.Hmma >= 8 && audit.Loop.Count <= 1.5 * audit.Hmma, what);
        if (audit.IsVector)
        {
            Assert.True(audit.WideLoadsAhead == 8, $"{audit.WideLoadsAhead} loads ahead: {what}");
            Assert.True(audit.IssueShare < 0.85, what);
            Assert.True(audit.BytesInFlight >= 1.5 * audit.Device.BytesNeeded, what);
        }
    }

    private const string Introduction = """
        # The CUDA kernels, audited without a GPU

        Made by `AIFABRIK_WRITE_AUDIT=1 dotnet test --project tests/AiFabrik.Compute.Tests --filter-class "*CudaAuditTests"` with NVIDIA's ptxas 13.0 and nvdisasm
        (on `PATH`, in `AIFABRIK_CUDA_TOOLS` or in `../shared/cuda`). Nothing here was measured on a device: no NVIDIA GPU was at hand. What a device would show is
        predicted at the end; `benchmarks/gpu.sh` finds out.

        Every kernel assembles for every architecture with no stack frame and no spills (the test fails otherwise). *loop*: instructions of the inner loop in machine
        code. *issue share*: how much of the time that the tensor cores need for the loop's HMMA its instructions take to issue (one a cycle and scheduler; an
        m16n8k16 takes 8 cycles on sm_80, 32 on sm_89, 4 on sm_90 at the data sheets' dense rates). *weight bytes on the way*: what the resident groups of a
        multiprocessor have asked for and not yet used; *needed*: memory bandwidth × 700 ns ÷ multiprocessors (Little's law; A100 2.04 TB/s, L40S 0.86 TB/s,
        H100 SXM 3.35 TB/s; the latency is an assumption). *issue share of the memory time*: cycles that a round's instructions take to issue over those that the
        memory takes to bring its weights at full bandwidth: above 100 % the instructions bind. For `AttentionTensor*` and `AttentionDecode*` *loop* is a usual round: a stage in the middle of the
        context in which no row's maximum grows; what masks, soft cap, rescaling and the end of the context add is jumped over. The weights of `AttentionDecode*` are
        keys and values, and its issue share is that of 25 to 32 heads a key: with fewer, warps without a head only copy.
        """;

    private const string Portable = """

        ## The portable kernels on a CUDA device

        As ILGPU emits them for sm_80, assembled for sm_90, without bounds on the group. A stack or a spill fails the test.

        | kernel | registers | shared bytes | stack | spills |
        |---|---|---|---|---|
        """;

    private const string Reading = """
        ## What it predicts

        - **Decode** (`Gemv*`): the eight 16-byte loads of a round all stand before its arithmetic (the test checks it), what is on the way exceeds what is needed
          several times over, and instructions issue in less than the memory's time: memory bandwidth should bind on all three cards, q4 on an H100 with the
          least room. x comes from the first-level cache, whose conflicts this audit cannot see.
        - **Prefill** (`Gemm*`): on sm_80 and sm_89 the tensor cores bind: instructions issue in a fraction of their time. A warp's 64 × 64 × 16 reads 4 KiB of
          shared memory for 32 HMMA: 50 % of an A100's shared-memory bandwidth, but 100 % of an H100's at its full rate, so that `mma.sync` there stops where it is
          said to stop, at about 60 % of the dense rate; `wgmma`, which reads shared memory once for four warps, is the way beyond.
        - **Prefill attention** (`AttentionTensor*`, by the dimensions of a head that fit): on sm_80 and sm_89 the instructions of a round issue in a fraction of the tensor
          cores' time. A warp has 16 queries, so that an HMMA takes 256 bytes of shared memory: four of them take 8 cycles, which is all of an A100's tensor time and more than
          the 6.5 that `mma.sync` is said to take on an H100. There issue takes about as long (4.7 instructions a HMMA at 128 dimensions, 5.6 at 64), and the exponentials
          (a quarter of an instruction a HMMA at 128 dimensions, at an eighth of the rate) run beside both. So about half of the rate that the products reach is to be
          expected; at the 8b shape and 4096 tokens attention is 7 % of the operations, and would then take 13 % of the time.
        - **Decode attention** (`AttentionDecode*`): two stages of each resident group are on the way, three to fifteen times of what is needed, and instructions issue in less
          than a third of the memory's time. Up to eight heads of a key are one warp's, which alone multiplies a stage: what this audit cannot see is how long the chain of its
          products and shuffles takes. An H100's memory brings a stage for each of two groups in 2260 cycles, 7.7 for each of a warp's instructions at 128 dimensions. One
          sequence at 4096 tokens and 8 key/value heads is 128 groups, one a multiprocessor: there 3.9 cycles an instruction are what it may take.
        - **2 to 64 sequences** (`GemmNarrow*`): memory should bind in bf16 everywhere; q8_0 on an H100 has little room, and **q4 on an A100 and an H100 is bound by the
          instructions of its decoding**, at the inverse of the last column of the bandwidth. What would help: more tokens or rows for each decoded block (128 rows
          a group), or an int8 product without decoding.
        """;
}

using System.Globalization;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>A device that the audit reckons with.</summary>
/// <param name="Architecture">What ptxas is told.</param>
/// <param name="Name">A well-known card of it.</param>
/// <param name="SharedBytes">Shared memory of a multiprocessor; a group also takes <see cref="SharedReserved"/>.</param>
/// <param name="ThreadsMax">Resident threads.</param>
/// <param name="GroupsMax">Resident groups.</param>
/// <param name="Multiprocessors">Of the card.</param>
/// <param name="Bandwidth">Of the card's memory, bytes a second (data sheet).</param>
/// <param name="ClockHz">Of the card's multiprocessors, boosted (data sheet).</param>
/// <param name="CyclesPerHmma">Cycles that a scheduler's tensor core takes for one m16n8k16 in bf16 (data sheet's dense rate / 4 / multiprocessors / clock).</param>
internal sealed record AuditDevice(string Architecture, string Name, int SharedBytes, int ThreadsMax, int GroupsMax, int Multiprocessors, double Bandwidth, double ClockHz, int CyclesPerHmma)
{
    public const int Registers = 65_536;
    public const int SharedReserved = 1024;

    /// <summary>Time from a load to its data under traffic: an assumption on the safe side, since only a device can tell.</summary>
    public const double LatencySeconds = 700e-9;

    public static IReadOnlyList<AuditDevice> All { get; } =
    [
        new("sm_80", "A100 80 GB", 164 << 10, 2048, 32, 108, 2.04e12, 1.41e9, 8),
        new("sm_89", "L40S", 100 << 10, 1536, 24, 142, 0.864e12, 2.52e9, 32),
        new("sm_90", "H100 SXM", 228 << 10, 2048, 32, 132, 3.35e12, 1.755e9, 4),
    ];

    /// <summary>Bytes that each multiprocessor must have on the way to keep the memory busy (Little's law).</summary>
    public double BytesNeeded => Bandwidth * LatencySeconds / Multiprocessors;

    /// <summary>Bytes that the memory brings to each multiprocessor in a cycle.</summary>
    public double BytesPerCycle => Bandwidth / Multiprocessors / ClockHz;

    /// <summary>Resident groups and what limits them.</summary>
    public (int Groups, string Limit) Occupancy(Resources resources, int threads)
    {
        // Registers are given out to warps in units of 256.
        int warps = (threads + 31) / 32, perWarp = (resources.Registers * 32 + 255) / 256 * 256;
        (int Groups, string Limit)[] limits =
        [
            (Registers / (perWarp * warps), "registers"),
            (SharedBytes / (resources.SharedBytes + SharedReserved), "shared"),
            (ThreadsMax / threads, "threads"),
            (GroupsMax, "groups"),
        ];
        return limits.MinBy(l => l.Groups);
    }
}

/// <summary>One kernel assembled for one architecture.</summary>
internal sealed record KernelAudit(CudaKernelSource Kernel, AuditDevice Device, Resources Resources, int Groups, string Limit, IReadOnlyList<string> Loop, int Instructions)
{
    public bool UsesTensorCores => Kernel.Id <= CudaKernelId.GemmNarrowQ4;

    /// <summary>Its loop is a usual round: an interior stage, in which no maximum has grown.</summary>
    public bool IsAttention => Attends(Kernel.Id);

    private static bool Attends(CudaKernelId id) => id is >= CudaKernelId.AttentionTensor64 and <= CudaKernelId.AttentionDecode256;

    /// <summary>Attention of single tokens, which memory binds.</summary>
    public bool IsDecodeAttention => Kernel.Id is >= CudaKernelId.AttentionDecode64 and <= CudaKernelId.AttentionDecode256;

    public bool IsVector => Kernel.Id is CudaKernelId.GemvBf16 or CudaKernelId.GemvQ8 or CudaKernelId.GemvQ4;

    public int Hmma => LoopCount("HMMA");

    public int LoopCount(string opcode) => Loop.Count(i => MachineCode.Is(i, opcode));

    /// <summary>16-byte loads of weights (which alone bypass the first-level cache) in the loop before its first use of one.</summary>
    public int WideLoadsAhead => Loop.TakeWhile(i => !MachineCode.Is(i, "FFMA") && !MachineCode.Is(i, "FADD")).Count(IsWideWeightLoad);

    public double BytesInFlight => (double)Groups * Kernel.WeightBytesInFlight;

    /// <summary>Bytes of weights that a warp gets through in one round of its inner loop; 0 for kernels that tensor cores bind.</summary>
    private double RoundBytes => Kernel.Id switch
    {
        CudaKernelId.GemvBf16 => 32 * 64 * 2,
        CudaKernelId.GemvQ8 => 32 * 128 * 34 / 32.0,
        CudaKernelId.GemvQ4 => 32 * 256 * 18 / 32.0,
        CudaKernelId.GemmNarrowBf16 => 16 * 32 * 2,
        CudaKernelId.GemmNarrowQ8 => 16 * 34,
        CudaKernelId.GemmNarrowQ4 => 16 * 18,
        // One warp multiplies a stage, or four if a key has so many heads: then each issues the loop.
        >= CudaKernelId.AttentionDecode64 and <= CudaKernelId.AttentionDecode256 => AttentionCopy.StageBytes / 4.0,
        _ => 0,
    };

    /// <summary>Cycles that a round's instructions take to issue (four schedulers, one each a cycle) over those that memory takes to bring its weights.</summary>
    public double IssueShare => Loop.Count / 4.0 * Device.BytesPerCycle / RoundBytes;

    public static bool IsWideWeightLoad(string instruction) =>
        MachineCode.Is(instruction, "LDG") && instruction.Contains(".128", StringComparison.Ordinal) && instruction.Contains(".NA", StringComparison.Ordinal);

    /// <summary>Assembles and disassembles; null with ptxas's messages where the text is not accepted.</summary>
    public static KernelAudit? TryMake(CudaTools tools, CudaKernelSource kernel, string ptx, AuditDevice device, string directory, out string messages)
    {
        string cubin = Path.Combine(directory, $"{kernel.Id}-{device.Architecture}.cubin");
        (bool ok, messages) = tools.Assemble(ptx, device.Architecture, cubin);
        if (!ok)
        {
            return null;
        }
        var resources = Resources.Parse(messages);
        var code = new MachineCode(tools.Disassemble(cubin));
        (int groups, string limit) = device.Occupancy(resources, kernel.Threads);
        string mark = kernel.Id is <= CudaKernelId.GemmNarrowQ4 or CudaKernelId.MatrixRate || Attends(kernel.Id) ? "HMMA" : "LDG";
        return new KernelAudit(kernel, device, resources, groups, limit, Attends(kernel.Id) ? code.UsualRound(mark) : code.InnerLoop(mark), code.Length);
    }

    public const string Header = """
        | kernel | for | registers | shared bytes | groups a multiprocessor (planned) | limit | loop | HMMA | instructions a HMMA | issue share of the tensor time | LDSM | LDGSTS | LDG.128 | weight bytes on the way, KiB | needed, KiB | ratio | issue share of the memory time |
        |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
        """;

    public string Row()
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        double perHmma = Hmma > 0 ? (double)Loop.Count / Hmma : 0;
        string tensor = Hmma > 0 ? string.Create(c, $"{Hmma} | {perHmma:0.00} | {perHmma / Device.CyclesPerHmma:P0}") : "– | – | –";
        string issue = RoundBytes > 0 ? string.Create(c, $"{IssueShare:P0}") : "–";
        string little = UsesTensorCores || IsVector || IsDecodeAttention
            ? string.Create(c, $"{BytesInFlight / 1024:0.0} | {Device.BytesNeeded / 1024:0.0} | {BytesInFlight / Device.BytesNeeded:0.0}")
            : "– | – | –";
        return string.Create(c, $"| {Kernel.Id} | {Device.Architecture} | {Resources.Registers} | {Resources.SharedBytes} | {Groups} ({Kernel.GroupsPlanned}) | {Limit} | {Loop.Count} | {tensor} | {LoopCount("LDSM")} | {LoopCount("LDGSTS")} | {Loop.Count(i => MachineCode.Is(i, "LDG") && i.Contains(".128", StringComparison.Ordinal))} | {little} | {issue} |");
    }
}

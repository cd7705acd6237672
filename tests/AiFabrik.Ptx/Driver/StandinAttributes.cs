namespace AiFabrik.Ptx;

/// <summary>Attributes of the device (<c>CUdevice_attribute</c>), those of an A100 where they are not options.</summary>
internal static class StandinAttributes
{
    public const int ThreadsPerBlock = 1024, ThreadsPerMultiprocessor = 2048, WarpSize = 32, SharedPerMultiprocessor = 164 << 10, SharedPerBlock = 163 << 10, Registers = 65_536;
    public const int BlocksPerMultiprocessor = 32;

    public static bool TryGet(StandinOptions options, int attribute, out int value)
    {
        int? found = attribute switch
        {
            1 or 2 or 3 => ThreadsPerBlock, // per block, x, y
            4 => 64, // z
            5 => int.MaxValue, // grid x
            6 or 7 => 65_535, // grid y, z
            8 => StandinFunction.SharedBytesDefault,
            9 => 64 << 10, // constant memory
            10 => WarpSize,
            11 => int.MaxValue, // pitch
            12 or 82 => Registers, // per block, per multiprocessor
            13 => 1_410_000, // clock, kHz
            16 => options.Multiprocessors,
            17 or 32 or 35 => 0, // time limit for kernels, ECC, TCC driver
            19 or 31 or 41 or 78 or 83 or 90 or 91 => 1, // maps host memory, concurrent kernels, unified addresses, priorities, managed memory, preemption, host pointers of registered memory
            33 => 1, // PCI bus
            34 or 50 => 0, // PCI device, domain
            36 => 1_215_000, // memory clock, kHz
            37 => 5_120, // bus width, bits
            38 => 40 << 20, // L2
            39 => ThreadsPerMultiprocessor,
            40 => 3, // copy engines
            75 => options.Capability / 10,
            76 => options.Capability % 10,
            81 => SharedPerMultiprocessor,
            97 => SharedPerBlock,
            106 => BlocksPerMultiprocessor,
            _ => null,
        };
        value = found ?? 0;
        return found is not null;
    }
}

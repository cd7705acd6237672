using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;
using ILGPU;
using ILGPU.Runtime;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>
/// Keys and values as IEEE half: for each layer blocks [2][BlockSize][NKvHeads][HeadStride], keys before values, so that a block of a
/// layer is one range to clear. HeadStride is HeadDim rounded up to 8 values: 16 bytes; what is between stays zero.
/// </summary>
internal sealed class DeviceKvCache : IDisposable
{
    private const int HeadAlignment = 8;

    private readonly TransformerProgram _program;
    private readonly StepLimits _limits;
    private readonly long[] _offsets;
    private DeviceArena? _arena;

    /// <summary>Plans the layout; nothing is allocated yet.</summary>
    public DeviceKvCache(TransformerProgram program, StepLimits limits)
    {
        (_program, _limits) = (program, limits);
        _offsets = new long[program.KvLayers.Count];
        for (var i = 0; i < _offsets.Length; i++)
        {
            var bytes = limits.BlocksPerGroup[program.KvLayers[i].Group] * BlockBytes(i);
            if (bytes / sizeof(ushort) > int.MaxValue) throw new IlgpuException("A layer's KV cache is too large for 32-bit indices on the device: ask for less context or fewer sequences.");
            _offsets[i] = Bytes;
            Bytes += DeviceArena.Align(bytes);
        }
        Halves = new ArrayView<ushort>[_offsets.Length];
        Quads = new ArrayView<Quad>[_offsets.Length];
        Words = new ArrayView<uint>[_offsets.Length];
    }

    public long Bytes { get; private set; }

    /// <summary>The cache of each layer, as kernels write it and read it.</summary>
    public ArrayView<ushort>[] Halves { get; }
    public ArrayView<Quad>[] Quads { get; }
    public ArrayView<uint>[] Words { get; }

    /// <summary>The device's bytes, for tests that look for residue.</summary>
    internal DeviceArena Arena => _arena!;

    /// <summary>Values from one cached head to the next.</summary>
    public static int HeadStride(int headDim) => (headDim + HeadAlignment - 1) / HeadAlignment * HeadAlignment;

    public void Allocate(IlgpuDevice device, AcceleratorStream stream)
    {
        _arena = new DeviceArena(device, stream, Bytes);
        for (var i = 0; i < _offsets.Length; i++)
        {
            var bytes = _limits.BlocksPerGroup[_program.KvLayers[i].Group] * BlockBytes(i);
            Halves[i] = _arena.View<ushort>(_offsets[i], bytes / sizeof(ushort));
            Quads[i] = _arena.View<Quad>(_offsets[i], bytes / 16);
            Words[i] = _arena.View<uint>(_offsets[i], bytes / sizeof(uint));
        }
    }

    /// <summary>Queues zeroes over blocks of a group; runs of neighbouring blocks take one fill a layer.</summary>
    public void Clear(int group, ReadOnlySpan<int> blocks)
    {
        foreach (var block in blocks) ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block, (uint)_limits.BlocksPerGroup[group], nameof(blocks));
        for (var i = 0; i < blocks.Length;)
        {
            var count = 1;
            while (i + count < blocks.Length && blocks[i + count] == blocks[i] + count) count++;
            for (var layer = 0; layer < _offsets.Length; layer++)
            {
                if (_program.KvLayers[layer].Group != group) continue;
                _arena!.Clear(_offsets[layer] + blocks[i] * BlockBytes(layer), count * BlockBytes(layer));
            }
            i += count;
        }
    }

    public void Dispose() => _arena?.Dispose();

    private long BlockBytes(int layer)
    {
        var def = _program.KvLayers[layer];
        return 2L * _limits.BlockSize * def.NKvHeads * HeadStride(def.HeadDim) * sizeof(ushort);
    }
}

using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary>Keys and values of every layer in float32: [slots of the layer's group][NKvHeads][HeadDim] each, in content memory.</summary>
internal sealed unsafe class KvCache : IDisposable
{
    private readonly IReadOnlyList<KvLayerDef> _layers;
    private readonly StepLimits _limits;
    private readonly FloatBlock[] _keys, _values;

    public KvCache(IReadOnlyList<KvLayerDef> layers, StepLimits limits)
    {
        _layers = layers;
        _limits = limits;
        _keys = new FloatBlock[layers.Count];
        _values = new FloatBlock[layers.Count];
        for (var i = 0; i < layers.Count; i++)
        {
            var count = (long)limits.BlocksPerGroup[layers[i].Group] * limits.BlockSize * RowSize(i);
            _keys[i] = new FloatBlock(count);
            _values[i] = new FloatBlock(count);
        }
    }

    /// <summary>[NKvHeads, HeadDim] key at a slot.</summary>
    public float* Key(int layer, int slot) => _keys[layer].Data + (nint)slot * RowSize(layer);

    /// <summary>[NKvHeads, HeadDim] value at a slot.</summary>
    public float* Value(int layer, int slot) => _values[layer].Data + (nint)slot * RowSize(layer);

    public void Clear(int group, ReadOnlySpan<int> blocks)
    {
        for (var i = 0; i < _layers.Count; i++)
        {
            if (_layers[i].Group != group) continue;
            var size = _limits.BlockSize * RowSize(i);
            foreach (var block in blocks)
            {
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block, (uint)_limits.BlocksPerGroup[group], nameof(blocks));
                new Span<float>(Key(i, block * _limits.BlockSize), size).Clear();
                new Span<float>(Value(i, block * _limits.BlockSize), size).Clear();
            }
        }
    }

    public void Dispose()
    {
        foreach (var block in _keys) block.Dispose();
        foreach (var block in _values) block.Dispose();
    }

    private int RowSize(int layer) => _layers[layer].NKvHeads * _layers[layer].HeadDim;
}

using System.Globalization;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Ilgpu.Kernels;
using Xunit;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>Heads of an attention and what is special about it.</summary>
public sealed record AttentionHeads(int Heads, int KvHeads, int HeadDim, int BlockSize = 32, int Window = 0, float Softcap = 0, bool Sinks = false, float Size = 1);

/// <summary>
/// A step of sequences "cached+new" with keys and values in blocks in any order. Whatever no token may see is NaN: positions past the end, blocks that a window has left
/// behind (their table entries are −1), blocks of nobody, gaps between rows. The reference is scalar and in double precision.
/// </summary>
internal sealed class AttentionCase
{
    /// <summary>Heads and sequences ("cached+new"), on the PTX machine and on a GPU.</summary>
    public static IReadOnlyList<(string Name, AttentionHeads Heads, string Sequences)> Rows { get; } =
    [
        ("one token", new(1, 1, 64), "0+1"),
        ("every length around a warp", new(1, 1, 64), "0+15 0+16 0+17 0+2 0+3"),
        ("a tile of one head's tokens and one more", new(2, 2, 128), "0+64 0+65"),
        ("two heads share keys", new(4, 2, 128), "0+33 5+31"),
        ("four heads share keys", new(8, 2, 128), "0+40"),
        ("eight heads of one key", new(8, 1, 64), "3+18"),
        ("odd groups", new(6, 2, 96), "0+20 7+3"),
        ("seven heads of a key", new(7, 1, 128), "31+18"),
        ("chunks that begin anywhere", new(4, 1, 128), "1+16 31+17 32+5 33+16 95+33 160+4"),
        ("long past, 64 dimensions", new(4, 1, 64), "300+20 127+1"),
        ("long past, 128 dimensions", new(4, 1, 128, 16), "300+20 127+1"),
        ("256 dimensions", new(2, 1, 256), "0+37 61+5"),
        ("256 dimensions, four heads, small blocks", new(4, 1, 256, 16), "40+18"),
        ("8 dimensions", new(3, 3, 8), "0+70"),
        ("24 dimensions", new(4, 2, 24), "11+40"),
        ("80 dimensions", new(4, 4, 80), "11+40"),
        ("104 dimensions", new(4, 1, 104, 64), "11+40 0+5"),
        ("200 dimensions", new(2, 2, 200), "11+24"),
        ("64 dimensions, small blocks", new(4, 2, 64, 16, Window: 50), "11+40 80+30"),
        ("blocks of 128", new(4, 1, 96, 128), "120+20 128+9"),
        ("window", new(4, 1, 128, Window: 20), "0+50 100+30"),
        ("window of one", new(2, 1, 64, Window: 1), "5+20"),
        ("window across many tiles", new(2, 2, 64, Window: 70), "0+140 250+10"),
        ("window, 256 dimensions", new(2, 1, 256, 16, Window: 33), "90+20"),
        ("soft cap", new(4, 2, 128, Softcap: 3), "10+40"),
        ("soft cap, large scores", new(4, 2, 64, Softcap: 50, Size: 30), "10+40"),
        ("sinks", new(8, 2, 64, Sinks: true), "0+20 40+33"),
        ("everything", new(10, 2, 256, Window: 19, Softcap: 5, Sinks: true), "0+26 70+7 2+6"),
        ("everything, 64 dimensions", new(8, 1, 64, Window: 19, Softcap: 5, Sinks: true), "0+26 70+7 2+6"),
        ("growing maxima", new(4, 1, 96, Size: 8), "90+30"),
    ];

    /// <summary>
    /// The same for <see cref="AttentionDecode"/>, whose rows are single: with inert rows at the end, and the positions of a split (0: as the product chooses).
    /// </summary>
    public static IReadOnlyList<(string Name, AttentionHeads Heads, string Sequences, int Inert, int SplitLength)> Single { get; } =
    [
        ("one position", new(1, 1, 64), "0+1", 0, 0),
        ("lengths around a warp", new(4, 2, 128), "0+2 14+1 15+1 16+1", 0, 0),
        ("lengths around a stage", new(2, 1, 128, 16), "30+1 31+1 32+1 62+3", 1, 0),
        ("lengths around a split", new(4, 2, 64), "126+1 127+1 128+1 0+1", 3, 64),
        ("several hundred, several splits", new(8, 2, 128), "399+1 20+1 0+1", 1, 0),
        ("sixteen splits", new(2, 1, 64, 16), "1023+1 700+1", 0, 64),
        ("more rows than are split", new(2, 1, 64), "150+3 40+3 9+3 70+3 3+3 33+3", 2, 0),
        ("two heads of a key", new(4, 2, 96), "70+1 5+2", 1, 64),
        ("three heads of a key", new(6, 2, 128), "70+1 5+1", 0, 0),
        ("seven heads of a key", new(7, 1, 128, 16), "200+1 5+1", 0, 64),
        ("eight heads of a key", new(16, 2, 64), "75+1 64+1", 0, 0),
        ("nine heads of a key", new(9, 1, 64), "75+1", 0, 0),
        ("sixteen heads of a key", new(16, 1, 128), "140+1 3+1", 1, 64),
        ("forty heads of a key", new(80, 2, 64), "75+1", 1, 64),
        ("256 dimensions", new(4, 2, 256, 16), "150+1 5+3", 1, 64),
        ("8 dimensions", new(3, 3, 8), "90+1", 0, 64),
        ("80 dimensions", new(4, 4, 80), "90+1", 1, 0),
        ("104 dimensions, blocks of 128", new(4, 1, 104, 128), "140+1 126+2", 1, 64),
        ("64 dimensions, small blocks", new(4, 2, 64, 16, Window: 50), "90+1 3+1", 1, 0),
        ("window", new(4, 1, 128, Window: 20), "130+1 18+1 19+1 20+1 100+3", 2, 0),
        ("window, small blocks, several splits", new(4, 1, 128, 16, Window: 150), "330+3 149+1 7+1", 1, 64),
        ("window, 64 dimensions, several splits", new(8, 2, 64, Window: 130), "330+1 128+3 7+1", 1, 64),
        ("window, 256 dimensions, several splits", new(2, 1, 256, 16, Window: 70), "200+1 9+1", 1, 64),
        ("window of one", new(2, 1, 64, Window: 1), "77+1 0+1", 1, 0),
        ("soft cap", new(4, 2, 128, Softcap: 3), "140+1", 0, 64),
        ("soft cap, large scores", new(4, 2, 64, Softcap: 50, Size: 30), "140+1 5+1", 0, 0),
        ("sinks", new(8, 2, 64, Sinks: true), "140+1 40+1", 2, 0),
        ("sinks, several splits", new(8, 1, 64, Sinks: true), "140+1 40+1", 2, 64),
        ("everything", new(10, 2, 256, 16, Window: 99, Softcap: 5, Sinks: true), "170+1 70+2 2+1", 1, 64),
        ("growing maxima", new(4, 1, 96, Size: 8), "190+1", 0, 0),
    ];

    /// <summary>rms(difference) / rms(reference): queries and probabilities rounded to half, as keys and values are.</summary>
    private const double Bound = 1.5e-3;

    private const int Gap = 6;
    private const float Sentinel = 12345;

    private readonly AttentionHeads _heads;
    private readonly (int Before, int Count)[] _sequences;
    private readonly Random _random;
    private readonly int _stride, _outStride, _maxBlocks, _tokens, _inert;
    private readonly float[] _qkv, _sinks;
    private readonly ushort[] _cache;
    private readonly int[] _tables, _positions, _owners;

    /// <param name="inert">Rows at position −1 that only fill a bucket, after the others.</param>
    public AttentionCase(AttentionHeads heads, string sequences, int inert = 0)
    {
        (_heads, _inert) = (heads, inert);
        _sequences = [.. sequences.Split(' ').Select(s => s.Split('+')).Select(s => (int.Parse(s[0], CultureInfo.InvariantCulture), int.Parse(s[1], CultureInfo.InvariantCulture)))];
        _random = new Random(heads.HeadDim * 31 + sequences.Length);
        _tokens = _sequences.Sum(s => s.Count) + inert;
        _stride = (heads.Heads + 2 * heads.KvHeads) * heads.HeadDim + Gap;
        _outStride = heads.Heads * heads.HeadDim + Gap;
        _maxBlocks = _sequences.Max(s => s.Before + s.Count) / heads.BlockSize + 2;
        _qkv = [.. Enumerable.Range(0, _tokens * _stride).Select(i => i % _stride < heads.Heads * heads.HeadDim ? Normal() * heads.Size : float.NaN)];
        _sinks = [.. Enumerable.Range(0, heads.Heads).Select(_ => Normal() * 3)];
        (_positions, _owners) = (new int[_tokens], new int[_tokens]);
        (_cache, _tables) = Fill();
        _positions.AsSpan(_tokens - inert).Fill(-1);
    }

    private float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));

    private int HalvesOfBlock => 2 * _heads.BlockSize * _heads.KvHeads * _heads.HeadDim;

    private (ushort[] Cache, int[] Tables) Fill()
    {
        int[] order = [.. Enumerable.Range(0, _sequences.Length * _maxBlocks + 2)];
        _random.Shuffle(order);
        ushort[] cache = new ushort[order.Length * HalvesOfBlock];
        Array.Fill(cache, BitConverter.HalfToUInt16Bits(Half.NaN));
        int[] tables = new int[_sequences.Length * _maxBlocks];
        Array.Fill(tables, -1);
        int next = 0, row = 0;
        for (int s = 0; s < _sequences.Length; s++)
        {
            (int before, int count) = _sequences[s];
            // A block stays as long as a position of it is in sight.
            int first = _heads.Window > 0 ? Math.Max(before - _heads.Window + 1, 0) / _heads.BlockSize * _heads.BlockSize : 0;
            for (int j = first; j < before + count; j++)
            {
                ref int entry = ref tables[s * _maxBlocks + j / _heads.BlockSize];
                if (entry < 0)
                {
                    entry = order[next++];
                }
                for (int i = 0; i < _heads.KvHeads * _heads.HeadDim; i++)
                {
                    int at = entry * HalvesOfBlock + j % _heads.BlockSize * _heads.KvHeads * _heads.HeadDim + i;
                    cache[at] = BitConverter.HalfToUInt16Bits((Half)Normal());
                    cache[at + HalvesOfBlock / 2] = BitConverter.HalfToUInt16Bits((Half)Normal());
                }
            }
            for (int i = 0; i < count; i++)
            {
                (_positions[row], _owners[row++]) = (before + i, s);
            }
        }
        return (cache, tables);
    }

    private AttentionShape Shape => new()
    {
        NHeads = _heads.Heads, NKvHeads = _heads.KvHeads, HeadDim = _heads.HeadDim, HeadStride = _heads.HeadDim, BlockSize = _heads.BlockSize, MaxBlocks = _maxBlocks, QStride = _stride,
        OutStride = _outStride, Window = _heads.Window, HasSinks = _heads.Sinks ? 1 : 0, Scale = 1.3f / MathF.Sqrt(_heads.HeadDim), Softcap = _heads.Softcap,
    };

    private int[] Tiles()
    {
        int size = AttentionTensor.TileTokens(_heads.Heads, _heads.KvHeads), row = 0;
        var tiles = new List<int>();
        foreach ((_, int count) in _sequences)
        {
            for (int t = 0; t < count; t += size)
            {
                tiles.AddRange([row + t, Math.Min(size, count - t)]);
            }
            row += count;
        }
        return [.. tiles];
    }

    /// <summary>Runs the kernel of the heads' size and compares every output with the reference, and what lies between with what was there.</summary>
    /// <param name="kernels">Launches as the product does; null: the case passes the parameters itself.</param>
    public void Check(KernelDevice device, CudaKernels? kernels = null)
    {
        AttentionShape shape = Shape;
        Assert.True(AttentionTensor.Supports(shape.HeadDim, shape.BlockSize));
        float[] before = new float[_tokens * _outStride];
        Array.Fill(before, Sentinel);
        ulong output = device.Upload<float>("output", before), qkv = device.Upload<float>("qkv", _qkv), cache = device.Upload<ushort>("cache", _cache);
        DeviceInts Ints(string name, int[] values) => new(device.Upload<int>(name, values), values.Length);
        DeviceInts tiles = Ints("tiles", Tiles()), positions = Ints("positions", _positions), owners = Ints("sequences", _owners), tables = Ints("tables", _tables);
        ulong sinks = _heads.Sinks ? device.Upload<float>("sinks", _sinks) : 0;
        int count = (int)tiles.Count / 2;
        if (kernels is not null)
        {
            Assert.Equal(CudaStatus.Success, kernels.AttentionTensor(0, output, qkv, cache, tiles, positions, owners, tables, sinks, shape, count));
        }
        else
        {
            (float scale, float cap) = AttentionTensor.Scales(shape.Scale, shape.Softcap);
            device.Run(
                AttentionTensor.KernelFor(shape.HeadDim, shape.BlockSize), AttentionTensor.Launch(shape, count),
                new KernelArguments().Add(output).Add(qkv).Add(cache).Add(tiles).Add(positions).Add(owners).Add(tables).Add(sinks).Add(shape)
                    .Add(AttentionTensor.HeadsShift(shape.NHeads, shape.NKvHeads)).Add(scale).Add(cap));
        }
        Compare(device.Download<float>(output, before.Length));
    }

    /// <summary>Runs the kernel for single rows, combines what its splits leave, and compares as <see cref="Check"/> does; inert rows must be 0.</summary>
    /// <param name="splitLength">Positions of a split; 0: as the product chooses.</param>
    /// <param name="kernels">Launches as the product does; null: the case passes the parameters itself.</param>
    public void CheckSingle(KernelDevice device, int splitLength, CudaKernels? kernels = null)
    {
        AttentionShape shape = Shape;
        shape.Rows = _tokens;
        int longest = _sequences.Max(s => s.Before + s.Count);
        AttentionDecode.Split(ref shape, longest);
        if (splitLength > 0)
        {
            (shape.Splits, shape.SplitLength) = ((longest + splitLength - 1) / splitLength, splitLength);
        }
        float[] before = new float[_tokens * _outStride], parts = new float[_tokens * shape.NHeads * shape.Splits * (2 + shape.HeadStride)];
        Array.Fill(before, Sentinel);
        Array.Fill(parts, float.NaN);
        int[] rows = [.. Enumerable.Range(0, _tokens)];
        _random.Shuffle(rows);
        ulong output = device.Upload<float>("output", before), partials = device.Upload<float>("partials", parts), qkv = device.Upload<float>("qkv", _qkv), cache = device.Upload<ushort>("cache", _cache);
        DeviceInts Ints(string name, int[] values) => new(device.Upload<int>(name, values), values.Length);
        DeviceInts list = Ints("list", rows), positions = Ints("positions", _positions), owners = Ints("sequences", _owners), tables = Ints("tables", _tables);
        ulong sinks = _heads.Sinks ? device.Upload<float>("sinks", _sinks) : 0;
        if (kernels is not null)
        {
            Assert.Equal(CudaStatus.Success, kernels.AttentionDecode(0, output, partials, qkv, cache, list, positions, owners, tables, sinks, shape));
        }
        else
        {
            (float scale, float cap) = AttentionTensor.Scales(shape.Scale, shape.Softcap);
            device.Run(
                AttentionDecode.KernelFor(shape.HeadDim, shape.BlockSize), AttentionDecode.Launch(shape),
                new KernelArguments().Add(output).Add(partials).Add(qkv).Add(cache).Add(list).Add(positions).Add(owners).Add(tables).Add(sinks).Add(shape)
                    .Add(shape.NHeads / shape.NKvHeads).Add(AttentionDecode.BlocksShift(shape.NHeads, shape.NKvHeads)).Add(scale).Add(cap));
        }
        float[] result = device.Download<float>(output, before.Length);
        if (shape.Splits > 1)
        {
            Assert.All(result, v => Assert.Equal(Sentinel, v));
            Combine(result, device.Download<float>(partials, parts.Length), rows, shape);
        }
        Compare(result);
    }

    /// <summary>What <see cref="AttentionCombineKernel"/> computes.</summary>
    private void Combine(float[] result, float[] partials, int[] rows, AttentionShape shape)
    {
        int stride = 2 + shape.HeadStride;
        for (int i = 0; i < rows.Length * shape.NHeads; i++)
        {
            int row = rows[i / shape.NHeads], head = i % shape.NHeads;
            float[][] parts = [.. Enumerable.Range(0, shape.Splits).Select(s => partials[((i * shape.Splits + s) * stride)..][..stride])];
            double most = parts.Max(p => p[0]), top = _heads.Sinks ? Math.Max(most, _sinks[head]) : most, sink = _heads.Sinks ? Math.Exp(_sinks[head] - top) : 0;
            for (int d = 0; d < shape.HeadDim; d++)
            {
                result[row * _outStride + head * shape.HeadDim + d] = double.IsNegativeInfinity(most)
                    ? (float)parts.Sum(p => (double)p[2 + d])
                    : (float)(parts.Sum(p => Math.Exp(p[0] - top) * p[2 + d]) / (parts.Sum(p => Math.Exp(p[0] - top) * p[1]) + sink));
            }
        }
    }

    private void Compare(float[] result)
    {
        double error = 0, size = 0;
        for (int t = 0; t < _tokens; t++)
        {
            if (t >= _tokens - _inert)
            {
                Assert.All(result.Skip(t * _outStride).Take(_outStride - Gap), v => Assert.Equal(0f, v));
            }
            for (int h = 0; h < _heads.Heads && t < _tokens - _inert; h++)
            {
                double[] expected = Head(t, h);
                for (int d = 0; d < _heads.HeadDim; d++)
                {
                    double difference = result[t * _outStride + h * _heads.HeadDim + d] - expected[d];
                    error += difference * difference;
                    size += expected[d] * expected[d];
                }
            }
            Assert.All(result.Skip(t * _outStride + _outStride - Gap).Take(Gap), v => Assert.Equal(Sentinel, v));
        }
        double relative = Math.Sqrt(error / size);
        Assert.True(relative <= Bound, string.Create(CultureInfo.InvariantCulture, $"{relative:E2} for {_heads}"));
    }

    private double[] Head(int t, int h)
    {
        int position = _positions[t], first = _heads.Window > 0 ? Math.Max(position - _heads.Window + 1, 0) : 0;
        float[] query = _qkv[(t * _stride + h * _heads.HeadDim)..][.._heads.HeadDim];
        var scores = new List<double>();
        var values = new List<int>();
        for (int j = first; j <= position; j++)
        {
            int at = _tables[_owners[t] * _maxBlocks + j / _heads.BlockSize] * HalvesOfBlock + j % _heads.BlockSize * _heads.KvHeads * _heads.HeadDim + h / (_heads.Heads / _heads.KvHeads) * _heads.HeadDim;
            double score = Shape.Scale * query.Select((q, d) => (double)q * (float)BitConverter.UInt16BitsToHalf(_cache[at + d])).Sum();
            scores.Add(_heads.Softcap > 0 ? _heads.Softcap * Math.Tanh(score / _heads.Softcap) : score);
            values.Add(at + HalvesOfBlock / 2);
        }
        double most = Math.Max(scores.Max(), _heads.Sinks ? _sinks[h] : double.NegativeInfinity), sum = _heads.Sinks ? Math.Exp(_sinks[h] - most) : 0;
        sum += scores.Sum(s => Math.Exp(s - most));
        return [.. Enumerable.Range(0, _heads.HeadDim).Select(d => scores.Select((s, i) => Math.Exp(s - most) / sum * (float)BitConverter.UInt16BitsToHalf(_cache[values[i] + d])).Sum())];
    }
}

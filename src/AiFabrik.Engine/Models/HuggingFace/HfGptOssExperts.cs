using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models.Safetensors;

namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>
/// gpt-oss's experts in GGUF's layout. Published in MXFP4: <c>*_blocks</c> U8 [experts, rows, cols / 32, 16] and <c>*_scales</c> U8 [experts, rows, cols / 32].
/// In a plain type: [experts, cols, rows], i.e. transposed. In both, rows of gate and up alternate in <c>gate_up_proj</c>.
/// </summary>
internal sealed class HfGptOssExperts(SafetensorsModel model, ModelConfig config, TensorSet set, string source)
{
    private const int BlockValues = 32, HalfBlock = 16, BlockBytes = 17;

    /// <summary>Adds the experts of one layer.</summary>
    public void Add(string theirs, string ours)
    {
        int f = config.ExpertFfnDim, h = config.HiddenDim;
        AddMatrix($"{theirs}gate_up_proj", 2 * f, h, [($"{ours}ffn_gate_exps.weight", 0, 2), ($"{ours}ffn_up_exps.weight", 1, 2)]);
        AddMatrix($"{theirs}down_proj", h, f, [($"{ours}ffn_down_exps.weight", 0, 1)]);
        AddBias($"{theirs}gate_up_proj_bias", 2 * f, [($"{ours}ffn_gate_exps.bias", 0, 2), ($"{ours}ffn_up_exps.bias", 1, 2)]);
        AddBias($"{theirs}down_proj_bias", h, [($"{ours}ffn_down_exps.bias", 0, 1)]);
    }

    private ModelFormatException Wrong(string name, string what) => new($"{source}: tensor {ModelText.Quote(name)} {what}.");

    private SafetensorsTensor Require(string name, string? dtype, params ReadOnlySpan<int> shape)
    {
        if (!model.TryGet(name, out var t)) throw Wrong(name, "is missing");
        if (!shape.SequenceEqual(t.Shape)) throw Wrong(name, $"has the shape [{string.Join(", ", t.Shape)}] where [{string.Join(", ", shape.ToArray())}] is needed");
        if (dtype is null ? !t.TryWeightType(out _) : t.DType != dtype) throw Wrong(name, $"has the dtype {t.DType}, which is not supported here");
        if (t.Bytes == 0) throw Wrong(name, "is empty");
        return t;
    }

    /// <param name="targets">Names, and which rows each takes: every step-th from first on.</param>
    private void AddMatrix(string theirs, int rows, int cols, (string Name, int First, int Step)[] targets)
    {
        if (model.TryGet($"{theirs}_blocks", out _)) AddMxfp4(theirs, rows, cols, targets);
        else AddTransposed(theirs, rows, cols, targets);
    }

    private void AddMxfp4(string theirs, int rows, int cols, (string Name, int First, int Step)[] targets)
    {
        if (cols % BlockValues != 0) throw Wrong($"{theirs}_blocks", $"has rows of {cols} values, which is not a multiple of {BlockValues}");
        var perRow = cols / BlockValues;
        var blocks = Require($"{theirs}_blocks", "U8", config.NExperts, rows, perRow, HalfBlock);
        var scales = Require($"{theirs}_scales", "U8", config.NExperts, rows, perRow);
        foreach (var (name, first, step) in targets)
        {
            var ours = rows / step;
            var memory = FileBytes.Allocate(name, (long)config.NExperts * ours * perRow * BlockBytes);
            Parallel.For(0L, (long)config.NExperts * ours, row =>
            {
                var from = (row / ours * rows + first + row % ours * step) * perRow;
                var b = blocks.File.Bytes(blocks.Offset + from * HalfBlock, perRow * HalfBlock);
                var s = scales.File.Bytes(scales.Offset + from, perRow);
                var to = memory.WritableBytes(row * perRow * BlockBytes, perRow * BlockBytes);
                for (var i = 0; i < perRow; i++) Repack(b.Slice(i * HalfBlock, HalfBlock), s[i], to.Slice(i * BlockBytes, BlockBytes));
            });
            set.Add(name, WeightType.MXFP4, ours, cols, memory, config.NExperts);
        }
    }

    /// <summary>Byte i of theirs holds values 2i and 2i + 1; of ours, after the exponent, values i and i + 16. Low nibble first in both.</summary>
    private static void Repack(ReadOnlySpan<byte> theirs, byte exponent, Span<byte> ours)
    {
        ours[0] = exponent;
        for (var i = 0; i < HalfBlock; i++)
        {
            var low = theirs[i / 2] >> (4 * (i & 1)) & 15;
            var high = theirs[(i + HalfBlock) / 2] >> (4 * (i & 1)) & 15;
            ours[1 + i] = (byte)(low | high << 4);
        }
    }

    private void AddTransposed(string theirs, int rows, int cols, (string Name, int First, int Step)[] targets)
    {
        var t = Require(theirs, null, config.NExperts, cols, rows);
        t.TryWeightType(out var type);
        var size = WeightTypes.BlockBytes(type);
        if ((long)rows * cols * size > int.MaxValue) throw Wrong(theirs, "has more than 2 GiB for each expert, which is not supported");
        foreach (var (name, first, step) in targets)
        {
            var ours = rows / step;
            var memory = FileBytes.Allocate(name, (long)config.NExperts * ours * cols * size);
            Parallel.For(0, config.NExperts, e =>
            {
                var from = t.File.Bytes(t.Offset + (long)e * rows * cols * size, rows * cols * size);
                var to = memory.WritableBytes((long)e * ours * cols * size, ours * cols * size);
                if (size == sizeof(float)) Transpose(MemoryMarshal.Cast<byte, uint>(from), MemoryMarshal.Cast<byte, uint>(to), rows, cols, first, step);
                else Transpose(MemoryMarshal.Cast<byte, ushort>(from), MemoryMarshal.Cast<byte, ushort>(to), rows, cols, first, step);
            });
            set.Add(name, type, ours, cols, memory, config.NExperts);
        }
    }

    private static void Transpose<T>(ReadOnlySpan<T> from, Span<T> to, int rows, int cols, int first, int step)
    {
        for (var c = 0; c < cols; c++)
            for (int r = first, i = c; r < rows; r += step, i += cols) to[i] = from[c * rows + r];
    }

    private void AddBias(string theirs, int rows, (string Name, int First, int Step)[] targets)
    {
        var t = Require(theirs, null, config.NExperts, rows);
        if (t.Count > int.MaxValue / sizeof(float)) throw Wrong(theirs, "is larger than a bias can be");
        t.TryWeightType(out var type);
        var all = new float[t.Count];
        FloatVectors.ToFloat(type, t.File.Bytes(t.Offset, (int)t.Bytes), all);
        foreach (var (name, first, step) in targets)
        {
            var ours = rows / step;
            var memory = FileBytes.Allocate(name, (long)config.NExperts * ours * sizeof(float));
            var to = MemoryMarshal.Cast<byte, float>(memory.Writable);
            for (var i = 0; i < to.Length; i++) to[i] = all[i / ours * rows + first + i % ours * step];
            set.Add(name, WeightType.F32, config.NExperts, ours, memory);
        }
    }
}

using System.Buffers.Binary;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Quantization;
using AiFabrik.Engine.Tests.Models.Fuzzing;

namespace AiFabrik.Engine.Tests.Models.Making;

/// <summary>Takes a tensor of a random model's directory.</summary>
internal delegate void AddTensor(string name, int[] shape, float[] values);

/// <summary>How directories write experts, and how matrices of any type are made up.</summary>
internal static class RandomExperts
{
    /// <summary>gpt-oss: gate and up alternate, and matrices are transposed. <paramref name="up"/> is there for gate alone.</summary>
    public static void Oss(string name, int experts, int rows, int cols, float[] values, float[]? up, AddTensor add)
    {
        if (name.Contains(".up", StringComparison.Ordinal)) return;
        var isGate = name.Contains(".gate", StringComparison.Ordinal);
        var target = name.Replace(".gate", ".gate_up_proj", StringComparison.Ordinal).Replace(".down", ".down_proj", StringComparison.Ordinal);
        if (rows == 0)
        {
            add(target, [experts, isGate ? 2 * cols : cols], isGate ? Interleave(values, up!, 1) : values);
            return;
        }
        var all = isGate ? Interleave(values, up!, cols) : values;
        var height = isGate ? 2 * rows : rows;
        var transposed = new float[all.Length];
        for (var e = 0; e < experts; e++)
            for (var r = 0; r < height; r++)
                for (var c = 0; c < cols; c++) transposed[((long)e * cols + c) * height + r] = all[((long)e * height + r) * cols + c];
        add(target, [experts, cols, height], transposed);
    }

    private static float[] Interleave(float[] a, float[] b, int width)
    {
        var all = new float[2 * a.Length];
        for (var row = 0; row < a.Length / width; row++)
        {
            a.AsSpan(row * width, width).CopyTo(all.AsSpan(2 * row * width));
            b.AsSpan(row * width, width).CopyTo(all.AsSpan((2 * row + 1) * width));
        }
        return all;
    }

    /// <summary>Mixtral and Qwen 3: a tensor for each expert, or all stacked with gate before up.</summary>
    public static void Add(RandomShape shape, string name, int experts, int rows, int cols, float[] values, float[]? up, AddTensor add)
    {
        var kind = name[(name.LastIndexOf('.') + 1)..];
        var size = rows * cols;
        if (shape.StackedExperts)
        {
            if (kind == "down") add($"{name}_proj", [experts, rows, cols], values);
            if (kind == "gate") add(name.Replace(".gate", ".gate_up_proj", StringComparison.Ordinal), [experts, 2 * rows, cols], Interleave(values, up!, size));
            return;
        }
        var mixtral = shape.Architecture == Architecture.Mixtral;
        var block = name[..^(kind.Length + 1)];
        if (mixtral) block = block.Replace("mlp.experts", "block_sparse_moe.experts", StringComparison.Ordinal);
        var single = mixtral ? kind switch { "gate" => "w1", "up" => "w3", _ => "w2" } : $"{kind}_proj";
        for (var e = 0; e < experts; e++) add($"{block}.{e}.{single}.weight", [rows, cols], values[(e * size)..((e + 1) * size)]);
    }

    /// <summary>A type whose blocks fit rows of <paramref name="cols"/>; a router keeps to the plain ones.</summary>
    public static WeightType MixedType(int cols, bool router, ref FuzzRandom random)
    {
        var types = Enum.GetValues<WeightType>().Where(t => cols % WeightTypes.BlockSize(t) == 0 && (!router || WeightTypes.BlockSize(t) == 1)).ToArray();
        return random.Of<WeightType>(types);
    }

    /// <summary>The values in a type that can be written, else random blocks of about their deviation.</summary>
    public static byte[] Blocks(WeightType type, int cols, float[] values, ref FuzzRandom random)
    {
        var bytes = new byte[values.Length / WeightTypes.BlockSize(type) * WeightTypes.BlockBytes(type)];
        if (Quantizer.CanWrite(type))
        {
            Quantizer.Row(type, values, bytes);
            return bytes;
        }
        var state = random.Next();
        ModelSynthesizerBlocks.Fill(type, bytes, ref state);
        // The synthesiser's deviation is 0.02.
        var gain = 1 / (0.02f * MathF.Sqrt(cols));
        for (var at = 0; at < bytes.Length; at += WeightTypes.BlockBytes(type))
        {
            if (type == WeightType.MXFP4) bytes[at] = (byte)(bytes[at] + (int)MathF.Round(MathF.Log2(gain)));
            foreach (var scale in Scales(type)) BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(at + scale), (Half)(gain * (float)BinaryPrimitives.ReadHalfLittleEndian(bytes.AsSpan(at + scale))));
        }
        return bytes;
    }

    private static int[] Scales(WeightType type) => type switch
    {
        WeightType.Q2_K => [80, 82],
        WeightType.Q3_K => [108],
        WeightType.Q6_K => [208],
        WeightType.Q4_K or WeightType.Q5_K or WeightType.Q5_1 => [0, 2],
        WeightType.MXFP4 => [],
        _ => [0],
    };
}

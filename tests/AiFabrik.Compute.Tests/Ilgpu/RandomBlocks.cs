using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>Random weights of any type: every bit of the quants is drawn, scales are halves of a sensible size, either sign.</summary>
internal static class RandomBlocks
{
    public static unsafe WeightTensor Tensor(Random random, WeightType type, int rows, int cols, List<byte[]> memory, int experts = 1)
    {
        int rowBytes = (int)WeightTypes.RowBytes(type, cols), blockBytes = WeightTypes.BlockBytes(type);
        var bytes = GC.AllocateUninitializedArray<byte>(experts * rows * rowBytes, pinned: true);
        random.NextBytes(bytes);
        for (var at = 0; at < bytes.Length; at += blockBytes) Tame(random, type, bytes.AsSpan(at, blockBytes), cols);
        memory.Add(bytes);
        KeptMemory.Keep(bytes);
        fixed (byte* data = bytes)
            return new WeightTensor($"w{memory.Count}", type, rows, cols, (nint)data, rowBytes) { Experts = experts, ExpertStrideBytes = (long)rows * rowBytes };
    }

    private static void Tame(Random random, WeightType type, Span<byte> block, int cols)
    {
        var value = (random.NextSingle() * 2 - 1) / MathF.Sqrt(cols);
        switch (type)
        {
            case WeightType.F32: MemoryMarshal.Write(block, value); return;
            case WeightType.F16: MemoryMarshal.Write(block, (Half)value); return;
            case WeightType.BF16: MemoryMarshal.Write(block, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)); return;
            case WeightType.MXFP4: block[0] = (byte)random.Next(116, 124); return;
        }
        // So that weights have the size of the float types' whatever the range of the quants and of their integer scales.
        var range = type switch
        {
            WeightType.Q8_0 or WeightType.IQ4_NL => 128,
            WeightType.Q2_K => 32,
            WeightType.Q3_K => 96,
            WeightType.Q4_K or WeightType.Q5_K => 600,
            WeightType.Q6_K or WeightType.IQ4_XS => 2000,
            _ => 16,
        };
        foreach (var at in HalvesOf(type)) MemoryMarshal.Write(block[at..], (Half)(value * 2 / range));
    }

    private static int[] HalvesOf(WeightType type) => type switch
    {
        WeightType.Q4_1 or WeightType.Q5_1 or WeightType.Q4_K or WeightType.Q5_K => [0, 2],
        WeightType.Q2_K => [80, 82],
        WeightType.Q3_K => [108],
        WeightType.Q6_K => [208],
        _ => [0],
    };
}

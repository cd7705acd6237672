using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>Experts that stand in tensors of their own, as the one stacked tensor that a program takes.</summary>
internal static class ExpertStack
{
    /// <summary>
    /// Adds <paramref name="experts"/> [rows, cols], all of one type and shape, as tensor <paramref name="name"/>: in place where they lie
    /// at equal, positive distances, else copied together.
    /// </summary>
    public static void Add(TensorSet set, string name, WeightTensor[] experts)
    {
        var first = experts[0];
        if (TryStride(experts, out var stride))
        {
            set.Add(first with { Name = name, Experts = experts.Length, ExpertStrideBytes = stride });
            return;
        }
        var rowBytes = (int)WeightTypes.RowBytes(first.Type, first.Cols);
        var memory = FileBytes.Allocate(name, first.WeightBytes * experts.Length);
        Parallel.For(0, experts.Length, e =>
        {
            for (var row = 0; row < first.Rows; row++) experts[e].RowSpan(0, row).CopyTo(memory.WritableBytes(((long)e * first.Rows + row) * rowBytes, rowBytes));
        });
        set.Add(name, first.Type, first.Rows, first.Cols, memory, experts.Length);
    }

    /// <summary>The tensor that differs from the first in type or shape; null if none does.</summary>
    public static WeightTensor? Odd(WeightTensor[] experts) =>
        Array.Find(experts, e => e.Type != experts[0].Type || e.Rows != experts[0].Rows || e.Cols != experts[0].Cols || e.Experts != 1);

    private static bool TryStride(WeightTensor[] experts, out long stride)
    {
        stride = experts.Length > 1 ? (long)experts[1].Data - experts[0].Data : 0;
        if (stride < 0) return false;
        for (var e = 1; e < experts.Length; e++)
            if (experts[e].Data != experts[0].Data + (nint)(e * stride)) return false;
        return true;
    }
}

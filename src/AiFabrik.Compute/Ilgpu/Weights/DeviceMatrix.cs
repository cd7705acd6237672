using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Weights;

/// <summary>A matrix on the device, packed as <see cref="PackedLayout"/> says: one tensor, or several of one type and width stacked.</summary>
internal sealed class DeviceMatrix(WeightTensor[] tensors)
{
    public WeightTensor[] Tensors { get; } = tensors;

    public WeightType Type => Tensors[0].Type;
    public int Cols => Tensors[0].Cols;
    public int Experts => Tensors[0].Experts;

    /// <summary>Rows of an expert, of all stacked tensors together.</summary>
    public int Rows { get; } = tensors.Sum(tensor => tensor.Rows);

    /// <summary>Units of a row.</summary>
    public int Units => PackedLayout.Units(Cols);

    public long TotalUnits => (long)Experts * Rows * Units;

    /// <summary>Byte offsets in the weight arena.</summary>
    public long QuantsOffset { get; set; }
    public long ScalesOffset { get; set; }

    public ArrayView<Quad> Quants { get; set; }
    public ArrayView<uint> Scales { get; set; }
}

/// <summary>One launch of a product: a matrix, where its rows go in the output, and its biases.</summary>
/// <param name="Bias">[Experts, Rows] or empty.</param>
internal sealed record MatMulPart(DeviceMatrix Matrix, int YOffset, DeviceVector? Bias);

/// <summary>Float32 values on the device: norms, sinks, biases.</summary>
internal sealed class DeviceVector(float[] values)
{
    public float[] Values { get; } = values;
    public long Offset { get; set; }
    public ArrayView<float> View { get; set; }
}

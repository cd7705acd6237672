using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="ArgmaxKernel"/>: rows and columns of the logits, floats between rows, pieces that a row is cut into.</summary>
internal struct ArgmaxShape
{
    public int Rows, Cols, Stride, Pieces;
}

/// <summary>
/// best[r] = the column of the largest of logits[r, :], ties to the lowest. logits [Rows, Stride] float32; best [Rows] int32.
/// Two passes: <see cref="Partial"/> finds the best of each piece of a row, <see cref="Combine"/> the best of those. Bytes: the logits
/// once; a comparison each. Bound by memory.
/// Reference: Reference/ReferenceExecutor.cs.
/// </summary>
internal static class ArgmaxKernel
{
    public const int GroupSize = 64;

    /// <summary>Pieces of a row: enough groups for a GPU at one row.</summary>
    public const int PiecesMax = 64;

    public static int Pieces(int cols) => Math.Clamp(cols / 1024, 1, PiecesMax);

    public static KernelConfig PartialConfig(in ArgmaxShape shape) => new(new Index3D(shape.Pieces, shape.Rows, 1), new Index3D(GroupSize, 1, 1));

    public static KernelConfig CombineConfig(in ArgmaxShape shape) => new(new Index3D(shape.Rows, 1, 1), new Index3D(1, 1, 1));

    public static void Partial(ArrayView<float> values, ArrayView<int> indices, ArrayView<float> logits, ArgmaxShape shape)
    {
        var bestValues = SharedMemory.Allocate<float>(GroupSize);
        var bestIndices = SharedMemory.Allocate<int>(GroupSize);
        int item = Group.IdxX, piece = Grid.IdxX, row = Grid.IdxY;
        int length = (shape.Cols + shape.Pieces - 1) / shape.Pieces, first = piece * length, end = IntrinsicMath.Min(first + length, shape.Cols);
        var value = float.NegativeInfinity;
        var index = int.MaxValue;
        for (var i = first + item; i < end; i += GroupSize)
        {
            var logit = logits[row * shape.Stride + i];
            if (logit > value || index == int.MaxValue)
            {
                value = logit;
                index = i;
            }
        }
        bestValues[item] = value;
        bestIndices[item] = index;
        Group.Barrier();
        for (var half = GroupSize >> 1; half > 0; half >>= 1)
        {
            if (item < half)
            {
                float other = bestValues[item + half];
                int at = bestIndices[item + half];
                if (other > bestValues[item] || (other == bestValues[item] && at < bestIndices[item]))
                {
                    bestValues[item] = other;
                    bestIndices[item] = at;
                }
            }
            Group.Barrier();
        }
        if (item == 0)
        {
            values[row * shape.Pieces + piece] = bestValues[0];
            indices[row * shape.Pieces + piece] = bestIndices[0];
        }
    }

    /// <summary>One work-item a row: pieces are in ascending order, so the first of equals is the lowest.</summary>
    public static void Combine(ArrayView<int> best, ArrayView<float> values, ArrayView<int> indices, ArgmaxShape shape)
    {
        int row = Grid.IdxX, at = row * shape.Pieces;
        var value = values[at];
        var index = indices[at];
        for (var i = 1; i < shape.Pieces; i++)
        {
            if (values[at + i] > value)
            {
                value = values[at + i];
                index = indices[at + i];
            }
        }
        best[row] = index;
    }
}

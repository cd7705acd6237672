namespace AiFabrik.Compute.Programs;

/// <summary>
/// A weight matrix W [Experts][Rows][Cols] (or a vector: Rows = 1, F32) that lies in memory somebody else keeps alive
/// (a mapped file or a converted copy). Row r of expert e starts at <c>Data + e·ExpertStrideBytes + r·RowStrideBytes</c>
/// and holds Cols weights in GGUF's block layout of <see cref="Type"/>.
/// </summary>
/// <remarks>Strides make views free: the halves of a fused gate_up matrix, or every second row of an interleaved one.</remarks>
public sealed record WeightTensor(string Name, WeightType Type, int Rows, int Cols, nint Data, long RowStrideBytes)
{
    /// <summary>Number of stacked expert matrices; 1 for an ordinary one.</summary>
    public int Experts { get; init; } = 1;

    /// <summary>Bytes from one expert's first row to the next expert's.</summary>
    public long ExpertStrideBytes { get; init; }

    /// <summary>Bytes that the weights occupy as stored: what a full pass over the matrix has to read at least.</summary>
    public long WeightBytes => (long)Experts * Rows * WeightTypes.RowBytes(Type, Cols);

    /// <summary>Rows [first, first + count) of this matrix as a view.</summary>
    public WeightTensor SliceRows(string name, int first, int count) =>
        this with { Name = name, Rows = count, Data = Data + (nint)(first * RowStrideBytes) };

    /// <summary>Every <paramref name="step"/>-th row from <paramref name="first"/> on as a view.</summary>
    public WeightTensor EveryRow(string name, int first, int step) =>
        this with { Name = name, Rows = (Rows - first + step - 1) / step, Data = Data + (nint)(first * RowStrideBytes), RowStrideBytes = RowStrideBytes * step };

    /// <summary>The stored bytes of one row; throws if there is no such row.</summary>
    public unsafe ReadOnlySpan<byte> RowSpan(int expert, int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)expert, (uint)Experts, nameof(expert));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new ReadOnlySpan<byte>((byte*)Data + expert * ExpertStrideBytes + row * RowStrideBytes, (int)WeightTypes.RowBytes(Type, Cols));
    }
}

namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

/// <summary>
/// What <see cref="AttentionTensor"/> takes from the size of a head: the texts of <see cref="AttentionText"/> and a stage's layout. Implementations are empty structures, so
/// that a kernel is compiled once for each.
/// </summary>
internal interface IAttentionHead
{
    /// <summary>Keys (and values) of a stage.</summary>
    int Keys { get; }

    /// <summary>log2 of the 16-byte chunks from one key of a stage to the next.</summary>
    int ChunkShift { get; }

    /// <summary>What every other pass of a copy changes in its place: 64 where a pass is four keys, half of the eight that chunks are spread over.</summary>
    int OddPass { get; }

    void Declare();

    void Query(int headDim, float scale);

    void Scores();

    void Cap(float cap);

    void MaskAhead(int query);

    void MaskBehind(int query);

    void Softmax();

    void Values();

    void Write(int headDim);
}

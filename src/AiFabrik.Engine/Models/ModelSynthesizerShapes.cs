namespace AiFabrik.Engine.Models;

/// <summary>The shape of a llama model whose weights are made up.</summary>
/// <param name="Name">As on the command line.</param>
public sealed record ModelShape(
    string Name, int Layers, int Hidden, int Ffn, int Heads, int KvHeads, int HeadDim, int Vocab, int ContextLen, float RopeTheta, bool TiedEmbeddings)
{
    /// <summary>SmolLM2-135M, Llama 3.2 1B and Llama 3.1 8B.</summary>
    public static IReadOnlyList<ModelShape> All { get; } =
    [
        new("smollm2-135m", 30, 576, 1536, 9, 3, 64, 49_152, 8_192, 100_000, true),
        new("llama-1b", 16, 2048, 8192, 32, 8, 64, 128_256, 131_072, 500_000, true),
        new("llama-8b", 32, 4096, 14336, 32, 8, 128, 128_256, 131_072, 500_000, false),
    ];

    /// <summary>Parameters of the matrices, the embedding counted once.</summary>
    public long Parameters =>
        (long)Vocab * Hidden * (TiedEmbeddings ? 1 : 2) + (long)Layers * (2L * Hidden * (Heads + KvHeads) * HeadDim + 3L * Hidden * Ffn);
}

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>Canonical tensor names outside the layers (GGUF's).</summary>
internal static class TensorNames
{
    public const string Embedding = "token_embd.weight";
    public const string OutputNorm = "output_norm.weight";
    public const string Output = "output.weight";
    public const string OutputBias = "output.bias";
}

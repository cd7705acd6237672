namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Qwen 3: as Llama, with every q and k head RMS-normalised before the rotation.
/// </summary>
internal static class Qwen3
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        b.PreNorm(layer, "attn_norm.weight");
        b.Attention(layer, headNorms: true);
        b.PreNorm(layer, "ffn_norm.weight");
        b.Ffn(layer);
    }
}

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Llama 2 and 3 and what is shaped like them (SmolLM2): norm, grouped-query attention, norm, SwiGLU, each added to the residual.
/// Biases act where the checkpoint has them (attention_bias, mlp_bias).
/// </summary>
internal static class Llama
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        b.PreNorm(layer, "attn_norm.weight");
        b.Attention(layer);
        b.PreNorm(layer, "ffn_norm.weight");
        b.Ffn(layer);
    }
}

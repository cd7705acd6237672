namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Mixtral: Llama's attention, then a mixture of SwiGLU experts whose weights are a softmax over the chosen ones.
/// </summary>
internal static class Mixtral
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        b.PreNorm(layer, "attn_norm.weight");
        b.Attention(layer);
        b.PreNorm(layer, "ffn_norm.weight");
        b.Experts(layer, renormalize: true, b.Config.Activation);
    }
}

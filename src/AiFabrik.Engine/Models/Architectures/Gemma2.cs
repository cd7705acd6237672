namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Gemma 2: norms before and after each block, soft-capped attention scores and logits, every second layer windowed, scaled embedding.
/// </summary>
internal static class Gemma2
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        var branch = b.Buffer("branch", b.Config.HiddenDim);
        b.PreNorm(layer, "attn_norm.weight");
        b.Attention(layer, headNorms: false, output: branch);
        b.PostNorm(layer, "post_attention_norm.weight", branch);
        b.PreNorm(layer, "ffn_norm.weight");
        b.Ffn(layer, output: branch);
        b.PostNorm(layer, "post_ffw_norm.weight", branch);
    }
}

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Gemma 3 (text): Gemma 2's four norms, q/k norm instead of the soft caps; windowed layers rotate with frequencies of their own
/// (<see cref="ModelConfig.LocalRope"/>).
/// </summary>
internal static class Gemma3
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        var branch = b.Buffer("branch", b.Config.HiddenDim);
        b.PreNorm(layer, "attn_norm.weight");
        b.Attention(layer, headNorms: true, output: branch);
        b.PostNorm(layer, "post_attention_norm.weight", branch);
        b.PreNorm(layer, "ffn_norm.weight");
        b.Ffn(layer, output: branch);
        b.PostNorm(layer, "post_ffw_norm.weight", branch);
    }
}

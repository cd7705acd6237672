namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Qwen 3 with experts: Qwen 3's attention; a layer is a mixture of experts or dense (decoder_sparse_step, mlp_only_layers),
/// and the chosen experts' weights are renormalised only if norm_topk_prob says so.
/// </summary>
internal static class Qwen3Moe
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        b.PreNorm(layer, "attn_norm.weight");
        b.Attention(layer, headNorms: true);
        b.PreNorm(layer, "ffn_norm.weight");
        if (b.Config.SparseLayers?[layer] ?? b.Config.NExperts > 0) b.Experts(layer, b.Config.RenormalizeExperts, b.Config.Activation);
        else b.Ffn(layer);
    }
}

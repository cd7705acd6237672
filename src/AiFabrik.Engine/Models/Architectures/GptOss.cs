using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// gpt-oss: biases everywhere, attention sinks, alternating window, experts with a clamped gate whose weights are a softmax over the
/// chosen router logits. The norm before the experts is called post_attention_norm.
/// </summary>
internal static class GptOss
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        const string preFfnNorm = "post_attention_norm.weight";
        b.PreNorm(layer, "attn_norm.weight");
        b.Attention(layer, sinks: true);
        b.PreNorm(layer, b.Has(ProgramBuilder.Name(layer, preFfnNorm)) ? preFfnNorm : "ffn_norm.weight");
        b.Experts(layer, renormalize: true, Activation.GptOss, biases: true);
    }
}

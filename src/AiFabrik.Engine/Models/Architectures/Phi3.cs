namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Phi-3 and Phi-4-mini: a Llama layer with fused qkv and gate_up tensors, partial rotation and LongRoPE.
/// </summary>
internal static class Phi3
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        Llama.Layer(b, layer);
    }
}

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Qwen 2 and 2.5: a Llama layer with biases on q, k and v; upper layers may have a window (max_window_layers).
/// </summary>
internal static class Qwen2
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        Llama.Layer(b, layer);
    }
}

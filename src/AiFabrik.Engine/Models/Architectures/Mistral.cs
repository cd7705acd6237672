namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Mistral: a Llama layer whose attention may see a sliding window only (<see cref="ModelConfig.LayerWindows"/>).
/// </summary>
internal static class Mistral
{
    public static void Layer(ProgramBuilder b, int layer)
    {
        Llama.Layer(b, layer);
    }
}

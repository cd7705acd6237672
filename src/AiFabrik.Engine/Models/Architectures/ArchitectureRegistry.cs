using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>From a model to its program: the list of families.</summary>
public static class ArchitectureRegistry
{
    /// <summary>Builds the program of a model. The weights must outlive it.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing or has another shape than the configuration says, or the configuration contradicts itself.</exception>
    public static TransformerProgram Build(ModelConfig config, ModelWeights weights)
    {
        var builder = new ProgramBuilder(config, weights);
        builder.Embed();
        for (var layer = 0; layer < config.NLayers; layer++) Layer(builder, layer);
        return builder.Finish();
    }

    private static void Layer(ProgramBuilder b, int layer)
    {
        switch (b.Config.Architecture)
        {
            case Architecture.Llama: Llama.Layer(b, layer); break;
            case Architecture.Mistral: Mistral.Layer(b, layer); break;
            case Architecture.Mixtral: Mixtral.Layer(b, layer); break;
            case Architecture.Qwen2: Qwen2.Layer(b, layer); break;
            case Architecture.Qwen3: Qwen3.Layer(b, layer); break;
            case Architecture.Qwen3Moe: Qwen3Moe.Layer(b, layer); break;
            case Architecture.Gemma2: Gemma2.Layer(b, layer); break;
            case Architecture.Gemma3: Gemma3.Layer(b, layer); break;
            case Architecture.Phi3: Phi3.Layer(b, layer); break;
            case Architecture.GptOss: GptOss.Layer(b, layer); break;
            default: throw new ModelFormatException($"There is no architecture {b.Config.Architecture}.");
        }
    }
}

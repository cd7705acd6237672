using System.Text.Json;

namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>
/// What generation_config.json (and, where it is silent, config.json) says: tokens that end an answer, and the sampling its authors recommend.
/// </summary>
internal static class HfGenerationConfig
{
    public const int BytesMax = 1 << 20;

    /// <summary>End tokens that a model may have at most.</summary>
    public const int EosIdsMax = 64;

    /// <summary>Reads a directory's files.</summary>
    public static (int[] EosIds, SamplingDefaults Sampling) Read(string directory)
    {
        var path = Path.Combine(directory, "generation_config.json");
        if (File.Exists(path))
        {
            using var document = ModelJson.Read(path, BytesMax);
            var generation = new HfObject(path, document.RootElement);
            var eos = Eos(generation);
            return (eos.Length > 0 ? eos : FromConfig(directory), Sampling(generation));
        }
        return (FromConfig(directory), new SamplingDefaults());
    }

    private static int[] FromConfig(string directory)
    {
        var path = Path.Combine(directory, HfDirectory.ConfigName);
        using var document = ModelJson.Read(path, HfConfig.BytesMax);
        var config = new HfObject(path, document.RootElement);
        var eos = Eos(config);
        return eos.Length == 0 && config.Object("text_config") is { } nested ? Eos(nested) : eos;
    }

    private static int[] Eos(HfObject o)
    {
        var ids = o.Ints("eos_token_id", EosIdsMax);
        return Array.TrueForAll(ids, id => id >= 0) ? ids : throw o.Wrong("eos_token_id", "is negative");
    }

    private static SamplingDefaults Sampling(HfObject o) => new()
    {
        DoSample = o.TryGet("do_sample", out var sample) && sample.ValueKind is JsonValueKind.True or JsonValueKind.False ? sample.GetBoolean() : null,
        Temperature = (float?)o.OptionalDouble("temperature"),
        TopK = o.TryGet("top_k", out _) ? o.Int("top_k") : null,
        TopP = (float?)o.OptionalDouble("top_p"),
        MinP = (float?)o.OptionalDouble("min_p"),
        RepetitionPenalty = (float?)o.OptionalDouble("repetition_penalty"),
    };
}

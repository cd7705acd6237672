namespace AiFabrik.Engine.Models;

/// <summary>The sampling that a model's authors recommend (generation_config.json); null where they say nothing.</summary>
public sealed record SamplingDefaults
{
    public bool? DoSample { get; init; }
    public float? Temperature { get; init; }
    public int? TopK { get; init; }
    public float? TopP { get; init; }
    public float? MinP { get; init; }
    public float? RepetitionPenalty { get; init; }
}

using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>When a model's files are compared with the SHA256SUMS beside them.</summary>
public enum ChecksumPolicy
{
    /// <summary>If they are no larger than <see cref="ModelLoadOptions.ChecksumBytesMax"/> together: a fraction of a second.</summary>
    Small = 0,
    Always = 1,
    Never = 2,
}

/// <summary>How a model is loaded.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>Bytes up to which <see cref="ChecksumPolicy.Small"/> verifies.</summary>
    public const long ChecksumBytesMax = 1L << 30;

    /// <summary>Environment variable that overrides <see cref="Checksums"/>: small, always or never.</summary>
    public const string ChecksumsVariable = "AIFABRIK_MODEL_CHECKSUMS";

    public ChecksumPolicy Checksums { get; init; } = ChecksumPolicy.Small;

    /// <summary>Quantises matrices of a plain type to Q8_0 or Q4_0; null: leaves them as they are.</summary>
    public WeightType? Quantize { get; init; }

    /// <summary>Where quantised weights are kept; needed for <see cref="Quantize"/>.</summary>
    public string? DataDirectory { get; init; }

    /// <summary><see cref="Checksums"/>, unless the environment says otherwise.</summary>
    internal ChecksumPolicy EffectiveChecksums => Environment.GetEnvironmentVariable(ChecksumsVariable) switch
    {
        null or "" => Checksums,
        "small" => ChecksumPolicy.Small,
        "always" => ChecksumPolicy.Always,
        "never" => ChecksumPolicy.Never,
        var other => throw new ModelFormatException($"{ChecksumsVariable} is {ModelText.Quote(other)}, but must be small, always or never."),
    };
}

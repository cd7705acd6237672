namespace AiFabrik.Engine.Models.Safetensors;

/// <summary>What a safetensors file may have at most; a file beyond it is refused.</summary>
public static class SafetensorsLimits
{
    /// <summary>Bytes of the header (the format's own limit).</summary>
    public const int HeaderBytesMax = 100_000_000;

    /// <summary>Tensors of one model; the largest mixtures of experts have some 40,000.</summary>
    public const int TensorsMax = 262_144;

    /// <summary>Dimensions of a tensor.</summary>
    public const int DimsMax = 8;

    /// <summary>Bytes of a tensor's name.</summary>
    public const int NameBytesMax = 1_024;

    /// <summary>Depth of the header's JSON: the file, a tensor, its shape, and one more for what is skipped.</summary>
    public const int HeaderDepthMax = 4;

    /// <summary>Files that one model may be sharded into.</summary>
    public const int ShardsMax = 1_024;

    /// <summary>Bytes of model.safetensors.index.json.</summary>
    public const int IndexBytesMax = 64 << 20;
}

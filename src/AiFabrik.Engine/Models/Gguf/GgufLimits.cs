namespace AiFabrik.Engine.Models.Gguf;

/// <summary>
/// What a GGUF file may have at most. All are far above any published model; a file beyond them is refused.
/// </summary>
public static class GgufLimits
{
    /// <summary>Metadata keys in one file.</summary>
    public const int MetadataKeysMax = 16_384;

    /// <summary>Bytes of a key (the specification's own limit).</summary>
    public const int KeyBytesMax = 65_535;

    /// <summary>Bytes of a string value; the longest known are chat templates of some hundred kilobytes.</summary>
    public const int StringBytesMax = 16 << 20;

    /// <summary>Items of an array; the longest known are merges, half a million.</summary>
    public const int ArrayItemsMax = 1 << 22;

    /// <summary>Arrays within arrays.</summary>
    public const int ArrayNestingMax = 3;

    /// <summary>Tensors of one model.</summary>
    public const int TensorsMax = 65_536;

    /// <summary>Bytes of a tensor's name.</summary>
    public const int TensorNameBytesMax = 256;

    /// <summary>Dimensions of a tensor (ggml's own limit).</summary>
    public const int TensorDimsMax = 4;

    /// <summary>Bytes of everything before the tensor data, so that positions in it fit an int.</summary>
    public const int HeaderBytesMax = 1 << 30;

    /// <summary>Files that one model may be split into.</summary>
    public const int SplitsMax = 1_024;

    /// <summary>Alignment where the file says none.</summary>
    public const int AlignmentDefault = 32;

    /// <summary>Largest alignment that a file may ask for.</summary>
    public const int AlignmentMax = 1 << 16;
}

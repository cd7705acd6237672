namespace AiFabrik.Engine.Text;

/// <summary>What a rendering needs beside the request. <see langword="default"/> is usable: no tokens, default limits.</summary>
public readonly record struct TemplateOptions
{
    /// <summary>The value of <c>bos_token</c>, UTF-8; null leaves it undefined, an empty one defines it.</summary>
    public ReadOnlyMemory<byte>? BosText { get; init; }

    /// <summary>The value of <c>eos_token</c>, UTF-8; null leaves it undefined.</summary>
    public ReadOnlyMemory<byte>? EosText { get; init; }

    /// <summary>What <c>strftime_now</c> formats: local time.</summary>
    public DateTime Now { get; init; }

    /// <summary>The bounds of this rendering; null means <see cref="TemplateLimits.Default"/>.</summary>
    public TemplateLimits? Limits { get; init; }
}

/// <summary>
/// The bounds of one rendering, so that neither a hostile template nor a hostile request can hang the host or use up
/// its memory.
/// </summary>
public sealed record TemplateLimits
{
    /// <summary>The bounds when nothing else is said.</summary>
    public static TemplateLimits Default { get; } = new();

    /// <summary>Work units: about one per evaluated node and per <see cref="BytesPerStep"/> bytes moved.</summary>
    public long StepsMax { get; init; } = 5_000_000;

    /// <summary>Levels of macro calls, recursive loops and nested blocks at run time.</summary>
    public int DepthMax { get; init; } = 400;

    /// <summary>Levels of a value that is printed, compared or read from JSON.</summary>
    public int ValueDepthMax { get; init; } = 400;

    /// <summary>Bytes of the rendering.</summary>
    public int OutputBytesMax { get; init; } = 8 << 20;

    /// <summary>Bytes of all memory that one rendering may use.</summary>
    public long ScratchBytesMax { get; init; } = 256L << 20;

    /// <summary>Items of one list.</summary>
    public int ListItemsMax { get; init; } = 1 << 20;

    /// <summary>How many bytes of text one work unit pays for.</summary>
    public const int BytesPerStep = 64;

    /// <summary>Items of a <c>range</c>: Jinja's own bound for sandboxed templates.</summary>
    public const int RangeItemsMax = 100_000;

    /// <summary>Size of an integer, in bits.</summary>
    public const int IntegerBitsMax = 4096;
}

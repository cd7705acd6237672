using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>The architectures that there is a file for.</summary>
public enum Architecture { Llama, Mistral, Qwen2, Qwen3, Gemma2, Gemma3, Phi3, Mixtral, Qwen3Moe, GptOss }

/// <summary>
/// A model's hyperparameters after every family's defaults have been applied, whatever the file format said them in.
/// The readers (GGUF metadata, config.json) make it; the architecture files turn it into a program.
/// </summary>
public sealed record ModelConfig
{
    public required Architecture Architecture { get; init; }
    public required int NLayers { get; init; }
    public required int HiddenDim { get; init; }
    public required int FfnDim { get; init; }
    public required int NHeads { get; init; }
    public required int NKvHeads { get; init; }
    public required int HeadDim { get; init; }
    public required int VocabSize { get; init; }
    public required int ContextLen { get; init; }
    public required float NormEps { get; init; }

    /// <summary>The head is the embedding matrix (also when no output tensor exists).</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Whether q, k and v, the attention's output and the dense feed-forward have biases. null: where the file has them, as GGUF does not say.</summary>
    public bool? QkvBias { get; init; }

    /// <inheritdoc cref="QkvBias"/>
    public bool? OutputBias { get; init; }

    /// <inheritdoc cref="QkvBias"/>
    public bool? FfnBias { get; init; }

    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>Values of a head that are rotated (partial_rotary_factor · HeadDim).</summary>
    public required int RotaryDim { get; init; }

    public RopeStyle RopeStyle { get; init; } = RopeStyle.HalfSplit;

    /// <summary>Frequencies with scaling applied: global layers (and all layers of most families).</summary>
    public required RopeTable Rope { get; init; }

    /// <summary>Frequencies of windowed layers where they differ (Gemma 3).</summary>
    public RopeTable? LocalRope { get; init; }

    /// <summary>Multiplies q·k: 1/sqrt(HeadDim) unless the family says otherwise (query_pre_attn_scalar).</summary>
    public required float AttentionScale { get; init; }

    /// <summary>Soft caps; 0 for none.</summary>
    public float AttentionSoftcap { get; init; }
    public float LogitSoftcap { get; init; }

    /// <summary>[NLayers] window of each layer, 0 for none.</summary>
    public required int[] LayerWindows { get; init; }

    /// <summary>Multiplies the embedding (Gemma: sqrt(hidden), rounded to the checkpoint's type).</summary>
    public float EmbeddingScale { get; init; } = 1f;

    /// <summary>Mixture of experts; NExperts 0 for dense models.</summary>
    public int NExperts { get; init; }
    public int NExpertsUsed { get; init; }
    public int ExpertFfnDim { get; init; }
    public bool RenormalizeExperts { get; init; }

    /// <summary>[NLayers] true where the layer has experts; null: all layers (if NExperts &gt; 0) or none.</summary>
    public bool[]? SparseLayers { get; init; }
}

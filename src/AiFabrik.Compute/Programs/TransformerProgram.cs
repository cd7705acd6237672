namespace AiFabrik.Compute.Programs;

/// <summary>What the rows of a buffer stand for.</summary>
public enum BufferRows
{
    /// <summary>One row per token of the step.</summary>
    Tokens = 0,

    /// <summary>One row per token and chosen expert.</summary>
    TokenExperts = 1,

    /// <summary>One row per token whose logits are wanted.</summary>
    Logits = 2,
}

/// <summary>An activation buffer: float32 [rows, Cols].</summary>
public sealed record BufferDef(string Name, BufferRows Rows, int Cols);

/// <summary>The cache of one attention layer.</summary>
/// <param name="NKvHeads">Key/value heads.</param>
/// <param name="HeadDim">Values per head, for keys and for values.</param>
/// <param name="Group">Index into <see cref="TransformerProgram.KvGroups"/>: layers of a group share block tables.</param>
public sealed record KvLayerDef(int NKvHeads, int HeadDim, int Group);

/// <summary>Layers that see the same part of the past, so that they keep the same blocks.</summary>
/// <param name="Window">0: everything; else a token sees itself and the Window − 1 before it, and older blocks may be freed.</param>
public sealed record KvGroupDef(int Window);

/// <summary>
/// Rotary frequencies. Angle of pair i at position p = p · InverseFrequencies[variant][i]; cos and sin are multiplied by AttentionFactors[variant].
/// Variant 0 always exists. LongRoPE has variant 1, used by a whole sequence once it is longer than <see cref="OriginalContextLen"/>.
/// </summary>
public sealed record RopeTable(float[][] InverseFrequencies, float[] AttentionFactors)
{
    /// <summary>Tokens up to which variant 0 serves; 0 where there is one variant only.</summary>
    public int OriginalContextLen { get; init; }
}

/// <summary>
/// A transformer as data: a flat list of operations over named buffers. Built by an architecture file in the engine,
/// executed by the reference, the native and the ILGPU executor alike.
/// </summary>
public sealed record TransformerProgram
{
    public required IReadOnlyList<Op> Ops { get; init; }
    public required IReadOnlyList<BufferDef> Buffers { get; init; }
    public required IReadOnlyList<WeightTensor> Weights { get; init; }
    public required IReadOnlyList<RopeTable> RopeTables { get; init; }
    public required IReadOnlyList<KvLayerDef> KvLayers { get; init; }
    public required IReadOnlyList<KvGroupDef> KvGroups { get; init; }
    public required int VocabSize { get; init; }
    public required int ContextLen { get; init; }

    /// <summary>Experts that one token uses; 0 for a dense model.</summary>
    public int TopK { get; init; }

    /// <summary>The buffer with the logits [R, VocabSize].</summary>
    public required int LogitsBuffer { get; init; }

    /// <summary>Weight bytes that a decode step of one sequence reads: all matrices but the embedding (of which it reads a row), experts counted as often as used.</summary>
    public long DecodeWeightBytes
    {
        get
        {
            long sum = 0;
            foreach (var op in Ops)
            {
                if (op.Kind == OpKind.Embed) continue;
                foreach (var w in (ReadOnlySpan<int>)[op.W0, op.W1, op.W2])
                    if (w >= 0) sum += Weights[w].WeightBytes / Weights[w].Experts * (Weights[w].Experts > 1 ? TopK : 1);
            }
            return sum;
        }
    }

    /// <summary>Multiplications and additions of the matrix products of a step; attention's own, which grow with the context, are not among them.</summary>
    /// <param name="tokens">Tokens of the step.</param>
    /// <param name="logitRows">Rows whose logits are wanted.</param>
    public double ProductOperations(int tokens, int logitRows)
    {
        double sum = 0;
        foreach (var op in Ops)
        {
            if (op.Kind is not (OpKind.MatMul or OpKind.MoeGateUp or OpKind.MoeDown)) continue;
            var rows = Buffers[op.Output].Rows == BufferRows.Logits ? logitRows : tokens;
            foreach (var w in (ReadOnlySpan<int>)[op.W0, op.W1, op.W2])
                if (w >= 0) sum += 2.0 * Weights[w].Rows * Weights[w].Cols * rows * (Weights[w].Experts > 1 ? TopK : 1);
        }
        return sum;
    }
}

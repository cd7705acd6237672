using System.Diagnostics.CodeAnalysis;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>
/// A model's tensors under canonical names, which are GGUF's own: <c>token_embd.weight</c>, <c>output_norm.weight</c>, <c>output.weight</c>,
/// <c>blk.N.attn_norm.weight</c>, <c>blk.N.attn_q.weight</c> / <c>.bias</c> (k, v, output likewise; fused <c>attn_qkv</c>),
/// <c>blk.N.attn_q_norm.weight</c>, <c>blk.N.attn_k_norm.weight</c>, <c>blk.N.attn_sinks.weight</c>, <c>blk.N.post_attention_norm.weight</c>,
/// <c>blk.N.ffn_norm.weight</c>, <c>blk.N.post_ffw_norm.weight</c>, <c>blk.N.ffn_gate.weight</c> / <c>.bias</c> (up, down likewise; for Phi-3 <c>ffn_up</c> has gate and up),
/// <c>blk.N.ffn_gate_inp.weight</c> / <c>.bias</c>, <c>blk.N.ffn_gate_exps.weight</c> / <c>.bias</c> (up, down likewise).
/// The readers hide what differs between the formats: norm weights are F32 vectors as they are to be multiplied (Gemma's + 1 done),
/// biases and sinks are F32, gpt-oss's gate and up are de-interleaved views, MXFP4 is in GGUF's layout, a mixtral's experts are stacked.
/// Only rotation pairs differ; <see cref="ModelConfig.RopeStyle"/> says how. Owns the memory: programs built from it live no longer.
/// </summary>
public abstract class ModelWeights : IDisposable
{
    /// <summary>Canonical names of all tensors.</summary>
    public abstract IEnumerable<string> Names { get; }

    /// <summary>The tensor of a canonical name. Vectors have Rows = 1.</summary>
    public abstract bool TryGet(string name, [NotNullWhen(true)] out WeightTensor? tensor);

    /// <summary>A canonical name as the model's files have it, for messages; the name itself where they agree or it is not known.</summary>
    public virtual string NameInFiles(string name) => name;

    protected abstract void Dispose(bool disposing);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }
}

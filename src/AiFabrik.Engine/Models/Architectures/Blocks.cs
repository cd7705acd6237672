using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>The parts that most families' layers consist of. Each is a few operations; what a family has of its own stands in its file.</summary>
internal static class Blocks
{
    /// <summary>Normed = rms_norm(Residual)·norm.</summary>
    public static void PreNorm(this ProgramBuilder b, int layer, string norm) => b.Emit(Op.Of(OpKind.RmsNorm) with
    {
        Input = b.Residual, Output = b.Normed, Eps = b.Config.NormEps, Norm0 = b.Vector(ProgramBuilder.Name(layer, norm), b.Config.HiddenDim),
    });

    /// <summary>Residual += rms_norm(branch)·norm, where branch [T, hidden] is a block's output (Gemma).</summary>
    public static void PostNorm(this ProgramBuilder b, int layer, string norm, int branch) => b.Emit(Op.Of(OpKind.RmsNorm) with
    {
        Input = branch, Output = b.Residual, Accumulate = 1, Eps = b.Config.NormEps, Norm0 = b.Vector(ProgramBuilder.Name(layer, norm), b.Config.HiddenDim),
    });

    /// <summary>
    /// Attention on Normed: q | k | v (with biases where the model has them, separate or fused), norm of q and k heads if asked for,
    /// rotation, cache, attention, output product. The result is added to Residual, or goes to <paramref name="output"/>.
    /// </summary>
    public static void Attention(this ProgramBuilder b, int layer, bool headNorms = false, bool sinks = false, int output = -1)
    {
        var c = b.Config;
        int qRows = c.NHeads * c.HeadDim, kvRows = c.NKvHeads * c.HeadDim;
        // A window that the context can't exceed is none: the layer then shares its blocks with the unwindowed ones.
        var window = c.LayerWindows[layer] >= c.ContextLen ? 0 : c.LayerWindows[layer];
        var rope = b.Rope(c.LayerWindows[layer] > 0 && c.LocalRope is not null ? c.LocalRope : c.Rope);
        var cache = b.KvLayer(window);
        b.Emit(QkvProduct(b, layer, qRows, kvRows));
        b.Emit(Op.Of(OpKind.RopeStoreKv) with
        {
            Input = b.Qkv, Output = b.Qkv, Layer = cache, NHeads = c.NHeads, NKvHeads = c.NKvHeads, HeadDim = c.HeadDim,
            RotaryDim = c.RotaryDim, RopeStyle = c.RopeStyle, RopeTable = rope, Eps = c.NormEps,
            Norm0 = headNorms ? b.Vector(ProgramBuilder.Name(layer, "attn_q_norm.weight"), c.HeadDim) : -1,
            Norm1 = headNorms ? b.Vector(ProgramBuilder.Name(layer, "attn_k_norm.weight"), c.HeadDim) : -1,
        });
        b.Emit(Op.Of(OpKind.Attention) with
        {
            Input = b.Qkv, Output = b.AttentionOut, Layer = cache, NHeads = c.NHeads, NKvHeads = c.NKvHeads, HeadDim = c.HeadDim,
            Window = window, Scale = c.AttentionScale, Softcap = c.AttentionSoftcap,
            W0 = sinks ? b.Vector(ProgramBuilder.Name(layer, "attn_sinks.weight"), c.NHeads) : -1,
        });
        b.Emit(Op.Of(OpKind.MatMul) with
        {
            Input = b.AttentionOut, Output = output < 0 ? b.Residual : output, Accumulate = output < 0 ? 1 : 0,
            W0 = b.Matrix(ProgramBuilder.Name(layer, "attn_output.weight"), c.HiddenDim, qRows),
            B0 = b.Bias(ProgramBuilder.Name(layer, "attn_output.bias"), c.HiddenDim, c.OutputBias),
        });
    }

    /// <summary>Dense gated feed-forward on Normed: down(act(gate) ⊙ up), added to Residual or written to <paramref name="output"/>.</summary>
    public static void Ffn(this ProgramBuilder b, int layer, int output = -1)
    {
        var c = b.Config;
        if (c.FfnDim <= 0) throw new ModelFormatException($"The model's feed-forward size is {c.FfnDim}, but it must be positive.");
        int gateUp = b.Buffer("gate_up", 2 * c.FfnDim), act = b.Buffer("ffn", c.FfnDim);
        b.Emit(GateUpProduct(b, layer) with { Input = b.Normed, Output = gateUp });
        b.Emit(Op.Of(OpKind.ActMul) with { Input = gateUp, Output = act, Activation = c.Activation });
        b.Emit(Op.Of(OpKind.MatMul) with
        {
            Input = act, Output = output < 0 ? b.Residual : output, Accumulate = output < 0 ? 1 : 0,
            W0 = b.Matrix(ProgramBuilder.Name(layer, "ffn_down.weight"), c.HiddenDim, c.FfnDim),
            B0 = b.Bias(ProgramBuilder.Name(layer, "ffn_down.bias"), c.HiddenDim, c.FfnBias),
        });
    }

    /// <summary>Mixture of experts on Normed, added to Residual: router, choice, gated products, weighted sum. Biases act where there are some; if <paramref name="biases"/>, all must be there.</summary>
    public static void Experts(this ProgramBuilder b, int layer, bool renormalize, Activation activation, bool biases = false)
    {
        var c = b.Config;
        if (c.NExperts <= 0) throw new ModelFormatException($"The model's number of experts is {c.NExperts}, but a {c.Architecture} model needs some.");
        b.UseExperts(c.NExpertsUsed);
        int router = b.Buffer("router", c.NExperts), route = b.Buffer("route", 2 * c.NExpertsUsed), ffn = b.Buffer("experts", c.ExpertFfnDim, BufferRows.TokenExperts);
        string Name(string tensor) => ProgramBuilder.Name(layer, tensor);
        b.Emit(Op.Of(OpKind.MatMul) with
        {
            Input = b.Normed, Output = router,
            W0 = b.Matrix(Name("ffn_gate_inp.weight"), c.NExperts, c.HiddenDim), B0 = b.Bias(Name("ffn_gate_inp.bias"), c.NExperts, biases ? true : null),
        });
        b.Emit(Op.Of(OpKind.MoeRoute) with { Input = router, Output = route, TopK = c.NExpertsUsed, Renormalize = renormalize ? 1 : 0 });
        b.Emit(Op.Of(OpKind.MoeGateUp) with
        {
            Input = b.Normed, Input2 = route, Output = ffn, TopK = c.NExpertsUsed, Activation = activation,
            W0 = b.Matrix(Name("ffn_gate_exps.weight"), c.ExpertFfnDim, c.HiddenDim, c.NExperts),
            W1 = b.Matrix(Name("ffn_up_exps.weight"), c.ExpertFfnDim, c.HiddenDim, c.NExperts),
            B0 = b.ExpertBias(Name("ffn_gate_exps.bias"), c.NExperts, c.ExpertFfnDim, biases),
            B1 = b.ExpertBias(Name("ffn_up_exps.bias"), c.NExperts, c.ExpertFfnDim, biases),
        });
        b.Emit(Op.Of(OpKind.MoeDown) with
        {
            Input = ffn, Input2 = route, Output = b.Residual, TopK = c.NExpertsUsed, Accumulate = 1,
            W0 = b.Matrix(Name("ffn_down_exps.weight"), c.HiddenDim, c.ExpertFfnDim, c.NExperts),
            B0 = b.ExpertBias(Name("ffn_down_exps.bias"), c.NExperts, c.HiddenDim, biases),
        });
    }

    /// <summary>One product for q | k | v. A fused tensor has the rows of q, k and v one after another.</summary>
    private static Op QkvProduct(ProgramBuilder b, int layer, int qRows, int kvRows)
    {
        string Name(string tensor) => ProgramBuilder.Name(layer, tensor);
        var hidden = b.Config.HiddenDim;
        var bias = b.Config.QkvBias;
        var op = Op.Of(OpKind.MatMul) with { Input = b.Normed, Output = b.Qkv };
        if (b.Has(Name("attn_qkv.weight")))
        {
            var rows = qRows + 2 * kvRows;
            return op with { W0 = b.Matrix(Name("attn_qkv.weight"), rows, hidden), B0 = b.Bias(Name("attn_qkv.bias"), rows, bias) };
        }
        return op with
        {
            W0 = b.Matrix(Name("attn_q.weight"), qRows, hidden), B0 = b.Bias(Name("attn_q.bias"), qRows, bias),
            W1 = b.Matrix(Name("attn_k.weight"), kvRows, hidden), B1 = b.Bias(Name("attn_k.bias"), kvRows, bias),
            W2 = b.Matrix(Name("attn_v.weight"), kvRows, hidden), B2 = b.Bias(Name("attn_v.bias"), kvRows, bias),
        };
    }

    /// <summary>One product for gate | up. Where there is no gate tensor, <c>ffn_up</c> has the rows of gate, then those of up (Phi-3).</summary>
    private static Op GateUpProduct(ProgramBuilder b, int layer)
    {
        string gate = ProgramBuilder.Name(layer, "ffn_gate"), up = ProgramBuilder.Name(layer, "ffn_up");
        int ffn = b.Config.FfnDim, hidden = b.Config.HiddenDim;
        var op = Op.Of(OpKind.MatMul);
        if (b.Has(gate + ".weight"))
        {
            return op with
            {
                W0 = b.Matrix(gate + ".weight", ffn, hidden), B0 = b.Bias(gate + ".bias", ffn, b.Config.FfnBias),
                W1 = b.Matrix(up + ".weight", ffn, hidden), B1 = b.Bias(up + ".bias", ffn, b.Config.FfnBias),
            };
        }
        return op with
        {
            W0 = b.MatrixRows(up + ".weight", 2 * ffn, hidden, 0, ffn), B0 = b.OptionalVectorPart(up + ".bias", 2 * ffn, 0, ffn),
            W1 = b.MatrixRows(up + ".weight", 2 * ffn, hidden, ffn, ffn), B1 = b.OptionalVectorPart(up + ".bias", 2 * ffn, ffn, ffn),
        };
    }
}

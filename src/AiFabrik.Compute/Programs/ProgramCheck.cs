namespace AiFabrik.Compute.Programs;

/// <summary>
/// Checks that a program's operations fit their buffers and weights, so that executors may use raw addresses. A program that
/// doesn't is a bug of whoever built it; model files are checked by the architectures with messages for people.
/// </summary>
public static class ProgramCheck
{
    /// <exception cref="ArgumentException">An operation refers to what is not there or to something of another shape.</exception>
    public static void Run(TransformerProgram program)
    {
        for (var i = 0; i < program.Ops.Count; i++)
        {
            var op = program.Ops[i];
            if (!Fits(program, op)) throw new ArgumentException($"Operation {i} ({op.Kind}) doesn't fit its buffers or weights.", nameof(program));
        }
        if (!IsBuffer(program, program.LogitsBuffer, BufferRows.Logits, program.VocabSize))
            throw new ArgumentException("The program's logits buffer is not one row of the vocabulary per wanted row.", nameof(program));
        foreach (var layer in program.KvLayers)
            if ((uint)layer.Group >= (uint)program.KvGroups.Count) throw new ArgumentException("A KV layer is in no group.", nameof(program));
    }

    private static bool Fits(TransformerProgram p, in Op op)
    {
        if (!Has(p, op.Output) || (op.Kind != OpKind.Embed && !Has(p, op.Input))) return false;
        BufferDef to = p.Buffers[op.Output], from = op.Kind == OpKind.Embed ? to : p.Buffers[op.Input];
        return op.Kind switch
        {
            OpKind.Embed => to.Rows == BufferRows.Tokens && IsMatrix(p, op.W0, p.VocabSize, to.Cols),
            OpKind.RmsNorm => from.Rows == to.Rows && from.Cols == to.Cols && IsVector(p, op.Norm0, to.Cols),
            OpKind.MatMul => MatMul(p, op, from, to),
            OpKind.RopeStoreKv => RopeStoreKv(p, op, from),
            OpKind.Attention => IsQkv(p, op, from) && to.Rows == BufferRows.Tokens && to.Cols == op.NHeads * op.HeadDim && (op.W0 < 0 || IsVector(p, op.W0, op.NHeads)),
            OpKind.ActMul => from.Rows == to.Rows && from.Cols == 2 * to.Cols && op.Activation != Activation.None,
            OpKind.SelectRows => from.Rows == BufferRows.Tokens && to.Rows == BufferRows.Logits && from.Cols == to.Cols,
            OpKind.Softcap => op.Input == op.Output && op.Softcap > 0,
            OpKind.MoeRoute => from.Rows == BufferRows.Tokens && IsRoute(p, op, op.Output) && op.TopK <= from.Cols,
            OpKind.MoeGateUp => IsRoute(p, op, op.Input2) && to.Rows == BufferRows.TokenExperts && from.Rows == BufferRows.Tokens && op.Activation != Activation.None
                && AreExperts(p, op.W0, op.B0, to.Cols, from.Cols) && AreExperts(p, op.W1, op.B1, to.Cols, from.Cols) && p.Weights[op.W0].Experts == p.Weights[op.W1].Experts,
            OpKind.MoeDown => IsRoute(p, op, op.Input2) && from.Rows == BufferRows.TokenExperts && to.Rows == BufferRows.Tokens && AreExperts(p, op.W0, op.B0, to.Cols, from.Cols),
            _ => false,
        };
    }

    private static bool MatMul(TransformerProgram p, in Op op, BufferDef from, BufferDef to)
    {
        if (from.Rows != to.Rows || op.Input == op.Output || (op.Norm0 >= 0 && !IsVector(p, op.Norm0, from.Cols))) return false;
        if (op.Activation != Activation.None)
        {
            return op.W2 < 0 && op.Accumulate == 0 && IsMatrix(p, op.W0, to.Cols, from.Cols) && IsMatrix(p, op.W1, to.Cols, from.Cols)
                && IsBias(p, op.B0, to.Cols) && IsBias(p, op.B1, to.Cols);
        }
        var rows = 0;
        foreach (var (weight, bias) in (ReadOnlySpan<(int, int)>)[(op.W0, op.B0), (op.W1, op.B1), (op.W2, op.B2)])
        {
            if (weight < 0) continue;
            if (weight >= p.Weights.Count || !IsMatrix(p, weight, p.Weights[weight].Rows, from.Cols) || !IsBias(p, bias, p.Weights[weight].Rows)) return false;
            rows += p.Weights[weight].Rows;
        }
        return op.W0 >= 0 && rows == to.Cols && (op.Accumulate == 0 || (op.W1 < 0 && op.W2 < 0));
    }

    private static bool RopeStoreKv(TransformerProgram p, in Op op, BufferDef qkv)
    {
        if (op.Input != op.Output || !IsQkv(p, op, qkv)) return false;
        if (op.Norm0 >= 0 && !IsVector(p, op.Norm0, op.HeadDim)) return false;
        if (op.Norm1 >= 0 && !IsVector(p, op.Norm1, op.HeadDim)) return false;
        if (op.RopeTable < 0) return true;
        if (op.RopeTable >= p.RopeTables.Count || op.RotaryDim > op.HeadDim) return false;
        var table = p.RopeTables[op.RopeTable];
        foreach (var inverse in table.InverseFrequencies)
            if (inverse.Length != op.RotaryDim / 2) return false;
        return table.AttentionFactors.Length == table.InverseFrequencies.Length && table.InverseFrequencies.Length == (table.OriginalContextLen > 0 ? 2 : 1);
    }

    private static bool IsQkv(TransformerProgram p, in Op op, BufferDef qkv)
    {
        if ((uint)op.Layer >= (uint)p.KvLayers.Count || op.NHeads <= 0 || op.NKvHeads <= 0 || op.HeadDim <= 0 || op.NHeads % op.NKvHeads != 0) return false;
        var layer = p.KvLayers[op.Layer];
        return layer.NKvHeads == op.NKvHeads && layer.HeadDim == op.HeadDim && qkv.Rows == BufferRows.Tokens && qkv.Cols == (op.NHeads + 2 * op.NKvHeads) * op.HeadDim;
    }

    private static bool IsRoute(TransformerProgram p, in Op op, int buffer) =>
        op.TopK > 0 && op.TopK == p.TopK && IsBuffer(p, buffer, BufferRows.Tokens, 2 * op.TopK);

    private static bool AreExperts(TransformerProgram p, int weight, int bias, int rows, int cols)
    {
        if ((uint)weight >= (uint)p.Weights.Count) return false;
        var w = p.Weights[weight];
        if (w.Rows != rows || w.Cols != cols) return false;
        return bias < 0 || (bias < p.Weights.Count && p.Weights[bias] is { Type: WeightType.F32, Rows: 1 } b && b.Cols == rows && b.Experts == w.Experts);
    }

    private static bool IsMatrix(TransformerProgram p, int weight, int rows, int cols) =>
        (uint)weight < (uint)p.Weights.Count && p.Weights[weight] is { Experts: 1 } w && w.Rows == rows && w.Cols == cols && cols % WeightTypes.BlockSize(w.Type) == 0;

    private static bool IsVector(TransformerProgram p, int weight, int length) => IsMatrix(p, weight, 1, length) && p.Weights[weight].Type == WeightType.F32;

    private static bool IsBias(TransformerProgram p, int weight, int length) => weight < 0 || IsVector(p, weight, length);

    private static bool IsBuffer(TransformerProgram p, int buffer, BufferRows rows, int cols) => Has(p, buffer) && p.Buffers[buffer].Rows == rows && p.Buffers[buffer].Cols == cols;

    private static bool Has(TransformerProgram p, int buffer) => (uint)buffer < (uint)p.Buffers.Count;
}

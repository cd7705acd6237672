namespace AiFabrik.Compute.Programs;

/// <summary>
/// A pass from program to program that saves trips through memory. The result uses the same operations, so every executor can run it.
/// 1. An RmsNorm whose output only MatMuls read goes into them (<see cref="Op.Norm0"/>).
/// 2. A product of gate and up whose output only an ActMul reads takes its activation in.
/// </summary>
public static class Fusion
{
    public static TransformerProgram Apply(TransformerProgram program)
    {
        var ops = program.Ops.ToArray();
        var gone = new bool[ops.Length];
        for (var i = 0; i < ops.Length; i++)
        {
            if (ops[i].Kind == OpKind.RmsNorm) FuseNorm(ops, gone, i);
            if (ops[i].Kind == OpKind.ActMul) FuseActivation(program, ops, gone, i);
        }
        var kept = new List<Op>(ops.Length);
        for (var i = 0; i < ops.Length; i++) if (!gone[i]) kept.Add(ops[i]);
        return program with { Ops = kept };
    }

    /// <summary>Readers of the norm's output up to the next operation that overwrites it must all be products that can take it in.</summary>
    private static void FuseNorm(Op[] ops, bool[] gone, int norm)
    {
        var (source, output) = (ops[norm].Input, ops[norm].Output);
        if (ops[norm].Accumulate != 0 || source == output) return;
        var end = LastUse(ops, norm, output);
        for (var i = norm + 1; i <= end; i++)
        {
            if (Reads(ops[i], output) && !TakesNorm(ops[i], output)) return;
            // The input must still be what the norm saw; the last reader may not change it either, since threads read it at different times.
            if (Writes(ops[i], source)) return;
        }
        if (end == norm) return;
        for (var i = norm + 1; i <= end; i++)
        {
            if (Reads(ops[i], output)) ops[i] = ops[i] with { Input = source, Norm0 = ops[norm].Norm0, Eps = ops[norm].Eps };
        }
        gone[norm] = true;
    }

    private static void FuseActivation(TransformerProgram program, Op[] ops, bool[] gone, int act)
    {
        var between = ops[act].Input;
        var product = act - 1;
        while (product >= 0 && (gone[product] || !Touches(ops[product], between))) product--;
        if (product < 0) return;
        var op = ops[product];
        if (op.Kind != OpKind.MatMul || op.Output != between || op.Accumulate != 0 || op.Activation != Activation.None) return;
        if (op.W0 < 0 || op.W1 < 0 || op.W2 >= 0 || LastUse(ops, product, between) != act || op.Input == ops[act].Output) return;
        WeightTensor gate = program.Weights[op.W0], up = program.Weights[op.W1];
        if (gate.Type != up.Type || gate.Rows != up.Rows || gate.Cols != up.Cols) return;
        for (var i = product + 1; i < act; i++) if (Touches(ops[i], ops[act].Output)) return;
        ops[product] = op with { Output = ops[act].Output, Activation = ops[act].Activation };
        gone[act] = true;
    }

    /// <summary>The last operation that reads what operation <paramref name="from"/> left in a buffer; <paramref name="from"/> itself if none does.</summary>
    private static int LastUse(Op[] ops, int from, int buffer)
    {
        var last = from;
        for (var i = from + 1; i < ops.Length; i++)
        {
            if (Reads(ops[i], buffer)) last = i;
            if (Writes(ops[i], buffer) && ops[i].Accumulate == 0 && !IsInPlace(ops[i])) break;
        }
        return last;
    }

    private static bool TakesNorm(in Op op, int buffer) => op.Kind == OpKind.MatMul && op.Norm0 < 0 && op.Input == buffer && op.Output != buffer;

    private static bool IsInPlace(in Op op) => op.Kind is OpKind.RopeStoreKv or OpKind.Softcap;

    private static bool Reads(in Op op, int buffer) =>
        op.Input == buffer || op.Input2 == buffer || (op.Output == buffer && (op.Accumulate != 0 || IsInPlace(op)));

    private static bool Writes(in Op op, int buffer) => op.Output == buffer || (op.Kind == OpKind.RopeStoreKv && op.Input == buffer);

    private static bool Touches(in Op op, int buffer) => Reads(op, buffer) || Writes(op, buffer);
}

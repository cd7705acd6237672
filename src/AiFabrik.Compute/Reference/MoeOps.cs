using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary>Mixture of experts: choice, gated products, weighted sum.</summary>
internal static unsafe class MoeOps
{
    public static void Route(StepContext c, in Op op)
    {
        int experts = c.Cols(op.Input), k = op.TopK;
        float* logits = c.Buffer(op.Input), to = c.Buffer(op.Output);
        for (var t = 0; t < c.Batch.TokenCount; t++, logits += experts, to += 2 * k)
        {
            for (var j = 0; j < k; j++) to[j] = Next(logits, experts, to, j);
            // The first chosen has the largest logit, so no exponent overflows.
            double best = logits[(int)to[0]], sum = 0;
            if (op.Renormalize != 0)
                for (var j = 0; j < k; j++) sum += Math.Exp(logits[(int)to[j]] - best);
            else
                for (var e = 0; e < experts; e++) sum += Math.Exp(logits[e] - best);
            for (var j = 0; j < k; j++) to[k + j] = (float)(Math.Exp(logits[(int)to[j]] - best) / sum);
        }
    }

    /// <summary>The largest logit that is not among the chosen ones; ties to the lower number.</summary>
    private static int Next(float* logits, int experts, float* chosen, int count)
    {
        var best = -1;
        for (var e = 0; e < experts; e++)
            if (!new ReadOnlySpan<float>(chosen, count).Contains(e) && (best < 0 || logits[e] > logits[best])) best = e;
        return best;
    }

    public static void GateUp(StepContext c, in Op op)
    {
        int hidden = c.Cols(op.Input), ffn = c.Cols(op.Output), experts = c.Weights[op.W0].Experts;
        float* x = c.Buffer(op.Input), route = c.Buffer(op.Input2), to = c.Buffer(op.Output);
        for (var e = 0; e < experts; e++)
        {
            var count = RowsOf(c, route, op.TopK, e);
            for (var i = 0; i < count; i++)
            {
                c.X[i] = x + (nint)(c.ExpertRows[i] / op.TopK) * hidden;
                c.Y[i] = to + (nint)c.ExpertRows[i] * ffn;
            }
            if (count > 0) MatMulOps.Gated(c, op, e, count);
        }
    }

    public static void Down(StepContext c, in Op op)
    {
        int ffn = c.Cols(op.Input), hidden = c.Cols(op.Output), experts = c.Weights[op.W0].Experts, k = op.TopK;
        float* x = c.Buffer(op.Input), route = c.Buffer(op.Input2), to = c.Buffer(op.Output), parts = c.ExpertOutput;
        for (var e = 0; e < experts; e++)
        {
            var count = RowsOf(c, route, k, e);
            for (var i = 0; i < count; i++)
            {
                c.X[i] = x + (nint)c.ExpertRows[i] * ffn;
                c.Y[i] = parts + (nint)c.ExpertRows[i] * hidden;
            }
            if (count > 0) MatMulOps.Multiply(c, op.W0, e, c.Weights.Vector(op.B0, e), 0, count, accumulate: false);
        }
        var accumulate = op.Accumulate != 0;
        c.Workers.For(c.Batch.TokenCount, (_, t) =>
        {
            var weights = route + (nint)t * 2 * k + k;
            for (var i = 0; i < hidden; i++)
            {
                double sum = accumulate ? to[(nint)t * hidden + i] : 0;
                for (var j = 0; j < k; j++) sum += (double)weights[j] * parts[((nint)t * k + j) * hidden + i];
                to[(nint)t * hidden + i] = (float)sum;
            }
        });
    }

    /// <summary>Writes the rows t·k + j whose expert is <paramref name="expert"/> to <see cref="StepContext.ExpertRows"/>.</summary>
    private static int RowsOf(StepContext c, float* route, int k, int expert)
    {
        var count = 0;
        for (var row = 0; row < c.Batch.TokenCount * k; row++)
            if ((int)route[row / k * 2 * k + row % k] == expert) c.ExpertRows[count++] = row;
        return count;
    }
}

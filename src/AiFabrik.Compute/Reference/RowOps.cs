using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary>The operations that work row by row: embedding, norms, gates, row selection, soft caps.</summary>
internal static unsafe class RowOps
{
    public static void Embed(StepContext c, in Op op)
    {
        var w = c.Weights[op.W0];
        var to = c.Buffer(op.Output);
        for (var t = 0; t < c.Batch.TokenCount; t++, to += w.Cols)
        {
            var row = c.Weights.Rows(op.W0, 0, c.Batch.Tokens[t], 1, c.WeightRows(0), out _);
            for (var i = 0; i < w.Cols; i++) to[i] = op.Scale * row[i];
        }
    }

    public static void RmsNorm(StepContext c, in Op op) =>
        Normalize(c, c.Buffer(op.Input), c.Rows(op.Output), c.Cols(op.Output), op.Eps, c.Weights.Vector(op.Norm0), c.Buffer(op.Output), op.Accumulate != 0);

    /// <summary>to[i] (+)= rms_norm(x[i])·norm for all rows.</summary>
    public static void Normalize(StepContext c, float* x, int rows, int cols, float eps, float* norm, float* to, bool accumulate) =>
        c.Workers.For(rows, (_, i) => NormalizeRow(x + (nint)i * cols, cols, eps, norm, to + (nint)i * cols, accumulate));

    /// <summary>to (+)= x / sqrt(mean(x²) + eps)·norm. In place is fine.</summary>
    public static void NormalizeRow(float* x, int cols, float eps, float* norm, float* to, bool accumulate)
    {
        double squares = 0;
        for (var i = 0; i < cols; i++) squares += (double)x[i] * x[i];
        var scale = 1 / Math.Sqrt(squares / cols + eps);
        for (var i = 0; i < cols; i++)
        {
            var value = (float)(x[i] * scale * norm[i]);
            to[i] = accumulate ? to[i] + value : value;
        }
    }

    public static void ActMul(StepContext c, in Op op)
    {
        var cols = c.Cols(op.Output);
        float* x = c.Buffer(op.Input), to = c.Buffer(op.Output);
        var activation = op.Activation;
        c.Workers.For(c.Rows(op.Output), (_, t) =>
        {
            float* gate = x + (nint)t * 2 * cols, up = gate + cols;
            for (var i = 0; i < cols; i++) to[(nint)t * cols + i] = Activations.Gate(activation, gate[i], up[i]);
        });
    }

    public static void SelectRows(StepContext c, in Op op)
    {
        var cols = c.Cols(op.Output);
        for (var r = 0; r < c.Batch.LogitRowCount; r++)
            new Span<float>(c.Buffer(op.Input) + (nint)c.Batch.LogitRows[r] * cols, cols).CopyTo(new Span<float>(c.Buffer(op.Output) + (nint)r * cols, cols));
    }

    public static void Softcap(StepContext c, in Op op)
    {
        var buffer = op.Output >= 0 ? op.Output : op.Input;
        var cols = c.Cols(buffer);
        var x = c.Buffer(buffer);
        double cap = op.Softcap;
        c.Workers.For(c.Rows(buffer), (_, r) =>
        {
            for (var i = 0; i < cols; i++) x[(nint)r * cols + i] = (float)(cap * Math.Tanh(x[(nint)r * cols + i] / cap));
        });
    }
}

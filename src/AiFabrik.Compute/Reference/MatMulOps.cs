using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary><see cref="OpKind.MatMul"/>, plain and with a norm or a gate fused into it.</summary>
internal static unsafe class MatMulOps
{
    public static void Run(StepContext c, in Op op)
    {
        int rows = c.Rows(op.Output), cols = c.Cols(op.Input), outCols = c.Cols(op.Output);
        var x = c.Buffer(op.Input);
        if (op.Norm0 >= 0)
        {
            RowOps.Normalize(c, x, rows, cols, op.Eps, c.Weights.Vector(op.Norm0), c.InputScratch, accumulate: false);
            x = c.InputScratch;
        }
        Fill(c.X, x, cols, rows);
        if (op.Activation != Activation.None)
        {
            Fill(c.Y, c.Buffer(op.Output), outCols, rows);
            Gated(c, op, expert: 0, rows);
            return;
        }
        Fill(c.Y, c.Buffer(op.Output), outCols, rows);
        var offset = 0;
        offset += Multiply(c, op.W0, 0, c.Weights.Vector(op.B0), offset, rows, op.Accumulate != 0);
        offset += Multiply(c, op.W1, 0, c.Weights.Vector(op.B1), offset, rows, op.Accumulate != 0);
        Multiply(c, op.W2, 0, c.Weights.Vector(op.B2), offset, rows, op.Accumulate != 0);
    }

    /// <summary>Y[i][offset …] (+)= W·X[i] + bias for the first <paramref name="count"/> rows of X and Y. Returns W's rows; 0 for weight −1.</summary>
    public static int Multiply(StepContext c, int weight, int expert, float* bias, int offset, int count, bool accumulate)
    {
        if (weight < 0) return 0;
        var w = c.Weights[weight];
        float** x = c.X, y = c.Y;
        c.Workers.For(Pieces(w.Rows), (worker, piece) =>
        {
            int first = piece * StepContext.RowsPerPiece, rows = Math.Min(StepContext.RowsPerPiece, w.Rows - first);
            var data = c.Weights.Rows(weight, expert, first, rows, c.WeightRows(worker), out var stride);
            VectorMath.MatMul(data, stride, rows, w.Cols, x, y, offset + first, count, bias == null ? null : bias + first, accumulate);
        });
        return w.Rows;
    }

    /// <summary>Y[i] = act(W0·X[i] + B0) ⊙ (W1·X[i] + B1) for the first <paramref name="count"/> rows of X and Y.</summary>
    public static void Gated(StepContext c, Op op, int expert, int count)
    {
        var w = c.Weights[op.W0];
        float* gateBias = c.Weights.Vector(op.B0, expert), upBias = c.Weights.Vector(op.B1, expert);
        float** x = c.X, y = c.Y;
        c.Workers.For(Pieces(w.Rows), (worker, piece) =>
        {
            int first = piece * StepContext.RowsPerPiece, rows = Math.Min(StepContext.RowsPerPiece, w.Rows - first);
            float* gates = c.Gates(worker), ups = gates + count * StepContext.RowsPerPiece;
            Piece(c, op.W0, expert, first, rows, worker, x, count, gateBias, gates);
            Piece(c, op.W1, expert, first, rows, worker, x, count, upBias, ups);
            for (var i = 0; i < count; i++)
                for (var r = 0; r < rows; r++)
                    y[i][first + r] = Activations.Gate(op.Activation, gates[i * StepContext.RowsPerPiece + r], ups[i * StepContext.RowsPerPiece + r]);
        });
    }

    /// <summary>to[i, r] = W[first + r]·X[i] + bias: the same sums as <see cref="Multiply"/> in another layout.</summary>
    private static void Piece(StepContext c, int weight, int expert, int first, int rows, int worker, float** x, int count, float* bias, float* to)
    {
        var data = c.Weights.Rows(weight, expert, first, rows, c.WeightRows(worker), out var stride);
        const int batch = 64;
        var y = stackalloc float*[batch];
        for (var i = 0; i < count; i += batch)
        {
            var some = Math.Min(batch, count - i);
            for (var j = 0; j < some; j++) y[j] = to + (i + j) * StepContext.RowsPerPiece;
            VectorMath.MatMul(data, stride, rows, c.Weights[weight].Cols, x + i, y, 0, some, bias == null ? null : bias + first, accumulate: false);
        }
    }

    /// <summary>Lets pointers 0 … count − 1 point to consecutive rows.</summary>
    private static void Fill(float** pointers, float* data, int cols, int count)
    {
        for (var i = 0; i < count; i++) pointers[i] = data + (nint)i * cols;
    }

    private static int Pieces(int rows) => (rows + StepContext.RowsPerPiece - 1) / StepContext.RowsPerPiece;
}

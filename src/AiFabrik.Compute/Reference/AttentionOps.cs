using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary>Rotation, KV store and paged attention.</summary>
internal static unsafe class AttentionOps
{
    public static void RopeStoreKv(StepContext c, Op op)
    {
        var table = op.RopeTable >= 0 ? c.Program.RopeTables[op.RopeTable] : null;
        var rowSize = (op.NHeads + 2 * op.NKvHeads) * op.HeadDim;
        float* qkv = c.Buffer(op.Input), qNorm = c.Weights.Vector(op.Norm0), kNorm = c.Weights.Vector(op.Norm1);
        var group = c.Program.KvLayers[op.Layer].Group;
        c.Workers.For(c.Batch.TokenCount, (_, t) =>
        {
            float* row = qkv + (nint)t * rowSize, keys = row + op.NHeads * op.HeadDim, values = keys + op.NKvHeads * op.HeadDim;
            int variant = c.Batch.RopeVariant[c.SequenceOf[t]], position = c.Batch.Positions[t];
            for (var h = 0; h < op.NHeads; h++) NormAndRotate(op, row + h * op.HeadDim, qNorm, table, variant, position);
            for (var h = 0; h < op.NKvHeads; h++) NormAndRotate(op, keys + h * op.HeadDim, kNorm, table, variant, position);
            var slot = c.Batch.SlotMapping(group)[t];
            var size = op.NKvHeads * op.HeadDim;
            new Span<float>(keys, size).CopyTo(new Span<float>(c.Cache.Key(op.Layer, slot), size));
            new Span<float>(values, size).CopyTo(new Span<float>(c.Cache.Value(op.Layer, slot), size));
        });
    }

    private static void NormAndRotate(Op op, float* head, float* norm, RopeTable? table, int variant, int position)
    {
        if (norm != null) RowOps.NormalizeRow(head, op.HeadDim, op.Eps, norm, head, accumulate: false);
        if (table is null) return;
        var inverse = table.InverseFrequencies[variant];
        double scale = table.AttentionFactors[variant];
        var half = op.RotaryDim / 2;
        for (var i = 0; i < half; i++)
        {
            // The angle is a float32 in the reference implementation: at far positions its rounding is part of the result.
            var (sin, cos) = Math.SinCos(position * inverse[i]);
            var (a, b) = op.RopeStyle == RopeStyle.Interleaved ? (2 * i, 2 * i + 1) : (i, i + half);
            double x = head[a], y = head[b];
            head[a] = (float)((x * cos - y * sin) * scale);
            head[b] = (float)((y * cos + x * sin) * scale);
        }
    }

    public static void Attention(StepContext c, Op op)
    {
        var rowSize = (op.NHeads + 2 * op.NKvHeads) * op.HeadDim;
        float* qkv = c.Buffer(op.Input), to = c.Buffer(op.Output), sinks = c.Weights.Vector(op.W0);
        c.Workers.For(c.Batch.TokenCount * op.NHeads, (worker, item) =>
        {
            int t = item / op.NHeads, h = item % op.NHeads;
            var query = qkv + (nint)t * rowSize + h * op.HeadDim;
            var head = to + (nint)item * op.HeadDim;
            Head(c, op, t, h, query, sinks == null ? null : sinks + h, c.Scores(worker), head);
        });
    }

    /// <summary>One head of one token: scores of all it may see, their softmax in double, the weighted sum of the values.</summary>
    private static void Head(StepContext c, in Op op, int t, int h, float* query, float* sink, double* scores, float* to)
    {
        int position = c.Batch.Positions[t], first = op.Window > 0 ? Math.Max(0, position - op.Window + 1) : 0;
        var headOffset = h / (op.NHeads / op.NKvHeads) * op.HeadDim;
        var blockTable = c.Batch.BlockTable(c.Program.KvLayers[op.Layer].Group, c.SequenceOf[t]);
        var blockSize = c.Limits.BlockSize;

        var best = sink == null ? double.NegativeInfinity : *sink;
        for (var j = first; j <= position; j++)
        {
            var slot = blockTable[j / blockSize] * blockSize + j % blockSize;
            double score = op.Scale * VectorMath.Dot(query, c.Cache.Key(op.Layer, slot) + headOffset, op.HeadDim);
            if (op.Softcap > 0) score = op.Softcap * Math.Tanh(score / op.Softcap);
            scores[j] = score;
            best = Math.Max(best, score);
        }

        var sum = sink == null ? 0 : Math.Exp(*sink - best);
        for (var j = first; j <= position; j++) sum += scores[j] = Math.Exp(scores[j] - best);

        new Span<float>(to, op.HeadDim).Clear();
        for (var j = first; j <= position; j++)
        {
            var slot = blockTable[j / blockSize] * blockSize + j % blockSize;
            VectorMath.AddScaled(to, (float)(scores[j] / sum), c.Cache.Value(op.Layer, slot) + headOffset, op.HeadDim);
        }
    }
}

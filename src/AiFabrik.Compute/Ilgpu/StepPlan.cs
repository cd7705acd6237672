using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Ilgpu;

/// <summary>
/// All of a step that launches depend on: kernels read the rest from device buffers. A decode step that a graph may serve is padded with
/// inert rows to the size of its bucket.
/// </summary>
/// <param name="Tokens">Rows that kernels compute, inert ones included.</param>
/// <param name="Rows">Logit rows, inert ones included.</param>
/// <param name="Longest">Tokens that the longest sequence may have in the cache after the step: the upper end of its bucket.</param>
/// <param name="BatchBucket">Of <see cref="CudaGraph.BucketOf"/>; −1 where no graph can serve the step.</param>
/// <param name="ContextBucket">Of <see cref="ContextBucketOf"/>.</param>
internal readonly record struct StepPlan(int Tokens, int Rows, int Longest, int BatchBucket, int ContextBucket)
{
    /// <summary>Contexts up to this length, which attention does not split, are one bucket; each further bucket is twice as long.</summary>
    public const int ContextLenMin = 128;

    /// <summary>The bucket of a context length.</summary>
    public static int ContextBucketOf(int length)
    {
        var bucket = 0;
        while ((long)ContextLenMin << bucket < length) bucket++;
        return bucket;
    }

    /// <summary>The longest context of a bucket, where none is longer than <paramref name="contextMax"/>.</summary>
    public static int ContextBucketLen(int bucket, int contextMax) => (int)Math.Min((long)ContextLenMin << bucket, contextMax);

    /// <summary>The plan of a batch.</summary>
    /// <param name="pads">Whether decode steps are padded to their bucket.</param>
    public static StepPlan For(StepBatch batch, StepLimits limits, bool pads)
    {
        var longest = 0;
        foreach (var length in batch.ContextLen[..batch.SequenceCount]) longest = Math.Max(longest, length);
        var context = ContextBucketOf(longest);
        var contextLen = ContextBucketLen(context, limits.MaxBlocksPerSequence * limits.BlockSize);
        var batchBucket = pads && IsDecode(batch) ? CudaGraph.BucketOf(batch.TokenCount) : -1;
        if (batchBucket < 0) return new StepPlan(batch.TokenCount, batch.LogitRowCount, contextLen, -1, context);
        var size = Math.Min(CudaGraph.BucketSize(batchBucket), Math.Min(limits.MaxTokens, limits.MaxLogitRows));
        return new StepPlan(size, size, contextLen, batchBucket, context);
    }

    /// <summary>Every sequence has one token, whose logits are wanted.</summary>
    private static bool IsDecode(StepBatch batch)
    {
        if (batch.TokenCount != batch.SequenceCount || batch.LogitRowCount != batch.TokenCount) return false;
        for (var s = 0; s < batch.SequenceCount; s++) if (batch.QueryStart[s] != s) return false;
        return true;
    }
}

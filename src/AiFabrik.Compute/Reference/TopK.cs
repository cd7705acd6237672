using AiFabrik.Compute.Memory;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary>
/// The best k of a row by one pass with a sorted list: what <c>Ilgpu/Kernels/TopKKernel</c> must give, and what executors do whose logits lie in the
/// host's memory. Results stay in content memory until <see cref="Clear"/>.
/// </summary>
internal sealed class TopK : IDisposable
{
    private readonly ContentArena _memory = new(TopLogits.CountMax * (sizeof(int) + sizeof(float)) + 2 * ContentArena.DefaultAlignment);
    private readonly int[] _wanted;
    private readonly int _ids, _logits;

    public TopK(StepLimits limits)
    {
        _wanted = new int[limits.MaxLogitRows];
        if (!_memory.TryAllocate(TopLogits.CountMax * sizeof(int), out _ids) || !_memory.TryAllocate(TopLogits.CountMax * sizeof(float), out _logits))
            throw new InvalidOperationException("The arena is too small for the best logits of a row.");
    }

    /// <summary>Remembers what a step wants.</summary>
    public void Begin(StepBatch batch)
    {
        for (var row = 0; row < batch.LogitRowCount; row++) _wanted[row] = batch.Wanted[row] == (int)LogitsWanted.Top ? batch.TopWanted[row] : 0;
    }

    /// <summary>The best of a row's logits, as many as the step wanted.</summary>
    public TopLogits Of(int row, ReadOnlySpan<float> logits) => Select(logits, _wanted[row], _memory.Values<int>(_ids, TopLogits.CountMax), _memory.Values<float>(_logits, TopLogits.CountMax));

    public void Clear() => _memory.Bytes(0, _memory.CapacityBytes).Clear();

    public void Dispose() => _memory.Dispose();

    /// <summary>Writes the best <paramref name="k"/> to <paramref name="ids"/> and <paramref name="best"/>.</summary>
    public static TopLogits Select(ReadOnlySpan<float> logits, int k, Span<int> ids, Span<float> best)
    {
        var count = 0;
        for (var i = 0; k > 0 && i < logits.Length; i++)
        {
            // Not "less or equal": NaN is never among the best.
            if (!(logits[i] > (count == k ? best[k - 1] : float.NegativeInfinity))) continue;
            var at = count < k ? count++ : k - 1;
            for (; at > 0 && best[at - 1] < logits[i]; at--) (best[at], ids[at]) = (best[at - 1], ids[at - 1]);
            (best[at], ids[at]) = (logits[i], i);
        }
        var largest = count > 0 ? best[0] : float.NegativeInfinity;
        double sum = 0;
        foreach (var logit in logits)
        {
            var share = Math.Exp((double)logit - largest);
            if (!double.IsNaN(share)) sum += share;
        }
        return new TopLogits(ids[..count], best[..count], largest, sum);
    }
}

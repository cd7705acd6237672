using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="MoeRouteKernel"/>.</summary>
internal struct MoeRouteShape
{
    public int Tokens, Experts, TopK, InStride, OutStride, Renormalize;
}

/// <summary>
/// route[t] = the TopK experts with the largest logits in descending order (ties to the lower number), then their weights: softmax over
/// all, or with Renormalize over the chosen ones. logits [T, Experts], route [T, 2·TopK] float32.
/// One work-item a token: TopK passes over the logits, which lie in cache. Bound by launch.
/// Reference: Reference/MoeOps.cs.
/// </summary>
internal static class MoeRouteKernel
{
    public const int GroupSize = 8;

    public static KernelConfig Config(in MoeRouteShape shape) => new(new Index3D((shape.Tokens + GroupSize - 1) / GroupSize, 1, 1), new Index3D(GroupSize, 1, 1));

    public static void Run(ArrayView<float> route, ArrayView<float> logits, MoeRouteShape shape)
    {
        var t = Grid.IdxX * GroupSize + Group.IdxX;
        if (t >= shape.Tokens) return;
        int from = t * shape.InStride, to = t * shape.OutStride;
        // What may still be chosen comes after the last choice in the order: smaller, or equal with a higher number.
        float last = 0, best = 0, sum = 0;
        var lastExpert = -1;
        for (var j = 0; j < shape.TopK; j++)
        {
            var expert = -1;
            var value = 0f;
            for (var e = 0; e < shape.Experts; e++)
            {
                var logit = logits[from + e];
                var free = j == 0 || logit < last || (logit == last && e > lastExpert);
                if (free && (expert < 0 || logit > value))
                {
                    expert = e;
                    value = logit;
                }
            }
            if (j == 0) best = value;
            last = value;
            lastExpert = expert;
            var share = XMath.Exp(value - best);
            sum += share;
            route[to + j] = IntrinsicMath.Max(expert, 0);
            route[to + shape.TopK + j] = share;
        }
        if (shape.Renormalize == 0)
        {
            sum = 0f;
            for (var e = 0; e < shape.Experts; e++) sum += XMath.Exp(logits[from + e] - best);
        }
        for (var j = 0; j < shape.TopK; j++) route[to + shape.TopK + j] /= sum;
    }
}

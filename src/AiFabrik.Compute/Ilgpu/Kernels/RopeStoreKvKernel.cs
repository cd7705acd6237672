using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="RopeStoreKvKernel"/>.</summary>
internal struct RopeShape
{
    public int Tokens, NHeads, NKvHeads, HeadDim;

    /// <summary>Values of a cached head: HeadDim rounded up to 8, so that rows can be read 16 bytes at a time.</summary>
    public int HeadStride;

    /// <summary>Slots of a block. A block of the cache is keys [slot, head, value], then values alike.</summary>
    public int BlockSize;

    /// <summary>Floats of a qkv row.</summary>
    public int Stride;

    /// <summary>Pairs that are rotated; 0: none.</summary>
    public int Half;

    /// <summary>Nonzero: pairs are neighbours; q and k heads have norms.</summary>
    public int Interleaved, HasQNorm, HasKNorm;
    public float Eps;
}

/// <summary>
/// qkv [T, (NHeads + 2·NKvHeads)·HeadDim] float32 in place: q and k heads are RMS-normalised where there is a norm, their first 2·Half
/// values rotated by rope [T, Half, 2] = cos, sin (times the attention factor); k and v are stored as IEEE half at slots [T],
/// nowhere where the slot is −1.
/// Bytes: qkv twice, half of k and v once; about 6 operations a value. Bound by memory; by launch for one token.
/// One group for a token's head.
/// Reference: Reference/AttentionOps.cs.
/// </summary>
internal static class RopeStoreKvKernel
{
    public const int GroupSize = 32;

    public static KernelConfig Config(in RopeShape shape) =>
        new(new Index3D(shape.NHeads + 2 * shape.NKvHeads, shape.Tokens, 1), new Index3D(GroupSize, 1, 1));

    public static void Run(ArrayView<float> qkv, ArrayView<ushort> cache, ArrayView<int> slots, ArrayView<float> rope, ArrayView<float> qNorm, ArrayView<float> kNorm, RopeShape shape)
    {
        var shared = SharedMemory.Allocate<float>(GroupSize);
        int item = Group.IdxX, head = Grid.IdxX, t = Grid.IdxY;
        var at = t * shape.Stride + head * shape.HeadDim;
        var isQuery = head < shape.NHeads;
        var isKey = !isQuery && head < shape.NHeads + shape.NKvHeads;
        var normalize = (isQuery && shape.HasQNorm != 0) || (isKey && shape.HasKNorm != 0);
        var squares = 0f;
        if (normalize)
        {
            for (var i = item; i < shape.HeadDim; i += GroupSize) squares += qkv[at + i] * qkv[at + i];
        }
        shared[item] = squares;
        Group.Barrier();
        var sum = 0f;
        if (normalize)
        {
            for (var i = 0; i < GroupSize; i++) sum += shared[i];
            var scale = 1f / XMath.Sqrt(sum / shape.HeadDim + shape.Eps);
            for (var i = item; i < shape.HeadDim; i += GroupSize) qkv[at + i] = qkv[at + i] * scale * (isQuery ? qNorm[i] : kNorm[i]);
        }
        Group.Barrier();
        if (isQuery || isKey)
        {
            for (var i = item; i < shape.Half; i += GroupSize)
            {
                var angle = (t * shape.Half + i) * 2;
                float cos = rope[angle], sin = rope[angle + 1];
                int a = at + (shape.Interleaved != 0 ? 2 * i : i), b = shape.Interleaved != 0 ? a + 1 : a + shape.Half;
                float x = qkv[a], y = qkv[b];
                qkv[a] = x * cos - y * sin;
                qkv[b] = y * cos + x * sin;
            }
        }
        Group.Barrier();
        var slot = slots[t];
        if (!isQuery && slot >= 0)
        {
            int block = slot / shape.BlockSize, within = slot - block * shape.BlockSize;
            int kvHead = isKey ? head - shape.NHeads : head - shape.NHeads - shape.NKvHeads, row = shape.NKvHeads * shape.HeadStride;
            var to = ((block * 2 + (isKey ? 0 : 1)) * shape.BlockSize + within) * row + kvHead * shape.HeadStride;
            for (var i = item; i < shape.HeadDim; i += GroupSize) cache[to + i] = (ushort)NumberFormats.ToHalf(qkv[at + i]);
        }
    }
}

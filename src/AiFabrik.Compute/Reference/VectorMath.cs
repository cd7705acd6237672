using System.Numerics;

namespace AiFabrik.Compute.Reference;

/// <summary>
/// Dot products in float32. A pair of vectors always gives the same bits, however many pairs are worked on side by side: one
/// vector of partial sums per pair, then the rest, one by one.
/// </summary>
internal static unsafe class VectorMath
{
    private const int TokensAtOnce = 4;
    private const int RowsAtOnce = 4;

    /// <summary>Σ a[i]·b[i].</summary>
    public static float Dot(float* a, float* b, int count)
    {
        var sum = Vector<float>.Zero;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) sum = Vector.MultiplyAddEstimate(Vector.Load(a + i), Vector.Load(b + i), sum);
        return Finish(sum, a, b, i, count);
    }

    /// <summary>y[i] += scale·x[i].</summary>
    public static void AddScaled(float* y, float scale, float* x, int count)
    {
        var scales = new Vector<float>(scale);
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Store(Vector.MultiplyAddEstimate(scales, Vector.Load(x + i), Vector.Load(y + i)), y + i);
        for (; i < count; i++) y[i] += scale * x[i];
    }

    /// <summary>y[t][offset + r] (+)= w[r]·x[t] + bias[r] for r below rows and t below tokens.</summary>
    /// <param name="bias">[rows] or null.</param>
    public static void MatMul(float* w, nint wStride, int rows, int cols, float** x, float** y, int offset, int tokens, float* bias, bool accumulate)
    {
        var sums = stackalloc float[TokensAtOnce * 2];
        var t = 0;
        for (; t <= tokens - TokensAtOnce; t += TokensAtOnce)
        {
            var r = 0;
            for (; r <= rows - 2; r += 2)
            {
                Dot2x4(w + r * wStride, w + (r + 1) * wStride, x + t, cols, sums);
                for (var i = 0; i < TokensAtOnce; i++)
                {
                    Put(y[t + i] + offset, r, sums[i], bias, accumulate);
                    Put(y[t + i] + offset, r + 1, sums[TokensAtOnce + i], bias, accumulate);
                }
            }
            for (; r < rows; r++)
                for (var i = 0; i < TokensAtOnce; i++)
                    Put(y[t + i] + offset, r, Dot(w + r * wStride, x[t + i], cols), bias, accumulate);
        }
        for (; t < tokens; t++)
        {
            var r = 0;
            for (; r <= rows - RowsAtOnce; r += RowsAtOnce)
            {
                Dot4x1(w + r * wStride, wStride, x[t], cols, sums);
                for (var i = 0; i < RowsAtOnce; i++) Put(y[t] + offset, r + i, sums[i], bias, accumulate);
            }
            for (; r < rows; r++) Put(y[t] + offset, r, Dot(w + r * wStride, x[t], cols), bias, accumulate);
        }
    }

    private static void Put(float* y, int r, float sum, float* bias, bool accumulate)
    {
        if (bias != null) sum += bias[r];
        y[r] = accumulate ? y[r] + sum : sum;
    }

    private static void Dot2x4(float* w0, float* w1, float** x, int cols, float* sums)
    {
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        Vector<float> s00 = default, s01 = default, s02 = default, s03 = default, s10 = default, s11 = default, s12 = default, s13 = default;
        var i = 0;
        for (; i <= cols - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> a = Vector.Load(w0 + i), b = Vector.Load(w1 + i), v = Vector.Load(x0 + i);
            s00 = Vector.MultiplyAddEstimate(a, v, s00);
            s10 = Vector.MultiplyAddEstimate(b, v, s10);
            v = Vector.Load(x1 + i);
            s01 = Vector.MultiplyAddEstimate(a, v, s01);
            s11 = Vector.MultiplyAddEstimate(b, v, s11);
            v = Vector.Load(x2 + i);
            s02 = Vector.MultiplyAddEstimate(a, v, s02);
            s12 = Vector.MultiplyAddEstimate(b, v, s12);
            v = Vector.Load(x3 + i);
            s03 = Vector.MultiplyAddEstimate(a, v, s03);
            s13 = Vector.MultiplyAddEstimate(b, v, s13);
        }
        sums[0] = Finish(s00, w0, x0, i, cols);
        sums[1] = Finish(s01, w0, x1, i, cols);
        sums[2] = Finish(s02, w0, x2, i, cols);
        sums[3] = Finish(s03, w0, x3, i, cols);
        sums[4] = Finish(s10, w1, x0, i, cols);
        sums[5] = Finish(s11, w1, x1, i, cols);
        sums[6] = Finish(s12, w1, x2, i, cols);
        sums[7] = Finish(s13, w1, x3, i, cols);
    }

    private static void Dot4x1(float* w, nint stride, float* x, int cols, float* sums)
    {
        float* w0 = w, w1 = w + stride, w2 = w + 2 * stride, w3 = w + 3 * stride;
        Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
        var i = 0;
        for (; i <= cols - Vector<float>.Count; i += Vector<float>.Count)
        {
            var v = Vector.Load(x + i);
            s0 = Vector.MultiplyAddEstimate(Vector.Load(w0 + i), v, s0);
            s1 = Vector.MultiplyAddEstimate(Vector.Load(w1 + i), v, s1);
            s2 = Vector.MultiplyAddEstimate(Vector.Load(w2 + i), v, s2);
            s3 = Vector.MultiplyAddEstimate(Vector.Load(w3 + i), v, s3);
        }
        sums[0] = Finish(s0, w0, x, i, cols);
        sums[1] = Finish(s1, w1, x, i, cols);
        sums[2] = Finish(s2, w2, x, i, cols);
        sums[3] = Finish(s3, w3, x, i, cols);
    }

    private static float Finish(Vector<float> partial, float* a, float* b, int i, int count)
    {
        var sum = Vector.Sum(partial);
        for (; i < count; i++) sum += a[i] * b[i];
        return sum;
    }
}

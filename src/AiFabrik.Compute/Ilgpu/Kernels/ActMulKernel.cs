using ILGPU;
using ILGPU.Algorithms;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>Scalars of <see cref="ActMulKernel"/>; Activation as <see cref="Programs.Activation"/>.</summary>
internal struct ActMulShape
{
    public int Rows, Cols, InStride, OutStride, Activation;
}

/// <summary>
/// out[r, i] = act(x[r, i]) ⊙ x[r, Cols + i]: SwiGLU (Shazeer 2020), GeGLU, gpt-oss's clamped gate. x [Rows, 2·Cols], out [Rows, Cols] float32.
/// Bytes: 12 a value; one exponential. Bound by memory; by launch for one row.
/// Reference: Reference/Activations.cs.
/// </summary>
internal static class ActMulKernel
{
    private const float GptOssLimit = 7f, GptOssSlope = 1.702f;
    private const float SqrtTwoOverPi = 0.79788456f, GeluCubic = 0.044715f;

    public static KernelConfig Config(bool isGpu, in ActMulShape shape)
    {
        var size = isGpu ? 128 : 32;
        return new KernelConfig(new Index3D((shape.Cols + size - 1) / size, shape.Rows, 1), new Index3D(size, 1, 1));
    }

    public static void Run(ArrayView<float> output, ArrayView<float> x, ActMulShape shape)
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, r = Grid.IdxY;
        if (i >= shape.Cols) return;
        float gate = x[r * shape.InStride + i], up = x[r * shape.InStride + shape.Cols + i];
        var result = 0f;
        if (shape.Activation == 1)
        {
            result = gate * Sigmoid(gate) * up;
        }
        else if (shape.Activation == 2)
        {
            // 0.5·(1 + tanh(z)) = sigmoid(2z), without the cancellation at negative z.
            result = gate * Sigmoid(2f * SqrtTwoOverPi * (gate + GeluCubic * gate * gate * gate)) * up;
        }
        else
        {
            gate = IntrinsicMath.Min(gate, GptOssLimit);
            up = IntrinsicMath.Max(IntrinsicMath.Min(up, GptOssLimit), -GptOssLimit);
            result = (up + 1f) * gate * Sigmoid(GptOssSlope * gate);
        }
        output[r * shape.OutStride + i] = result;
    }

    private static float Sigmoid(float x) => 1f / (1f + XMath.Exp(-x));
}

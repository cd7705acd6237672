using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Reference;

/// <summary>The gates of feed-forward layers, in double and rounded once.</summary>
internal static class Activations
{
    /// <summary>gpt-oss: limit of gate and up, and the slope of its sigmoid.</summary>
    private const double GptOssLimit = 7, GptOssSlope = 1.702;

    private const double SqrtTwoOverPi = 0.7978845608028654, GeluCubic = 0.044715;

    /// <summary>act(gate) ⊙ up as <see cref="Activation"/> defines it.</summary>
    public static float Gate(Activation activation, double gate, double up)
    {
        switch (activation)
        {
            case Activation.Silu:
                return (float)(gate * Sigmoid(gate) * up);
            case Activation.GeluTanh:
                return (float)(0.5 * gate * (1 + Math.Tanh(SqrtTwoOverPi * (gate + GeluCubic * gate * gate * gate))) * up);
            case Activation.GptOss:
                gate = Math.Min(gate, GptOssLimit);
                return (float)((Math.Clamp(up, -GptOssLimit, GptOssLimit) + 1) * gate * Sigmoid(GptOssSlope * gate));
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "No such activation.");
        }
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}

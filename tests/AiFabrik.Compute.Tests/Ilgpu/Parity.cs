namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>How far two results are apart.</summary>
internal static class Parity
{
    /// <summary>rms(ours − expected) / rms(expected).</summary>
    public static double Error(ReadOnlySpan<float> ours, ReadOnlySpan<float> expected)
    {
        double squares = 0, norm = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            squares += Math.Pow(ours[i] - (double)expected[i], 2);
            norm += Math.Pow(expected[i], 2);
        }
        return Math.Sqrt(squares / Math.Max(norm, 1e-30));
    }
}

namespace AiFabrik.Engine.Sampling;

/// <summary>
/// Philox4x32-10 (Salmon et al., SC'11): random numbers from a counter, so that a draw depends on the seed, the choice and the position alone,
/// never on what else is in the batch or on how often a sequence was preempted.
/// </summary>
internal static class CounterRandom
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Uniform in [0, 1) with 53 bits.</summary>
    public static double Uniform(ulong seed, int choice, int position)
    {
        var (a, b, _, _) = Philox((uint)position, 0, (uint)choice, 0, (uint)seed, (uint)(seed >> 32));
        return (((ulong)a << 32 | b) >> 11) * (1.0 / (1UL << 53));
    }

    internal static (uint, uint, uint, uint) Philox(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var p0 = (ulong)Multiplier0 * c0;
            var p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }
        return (c0, c1, c2, c3);
    }
}

namespace AiFabrik.Compute.Programs;

/// <summary>The best logits of a row, in descending order, ties in ascending order of ids; NaN and −∞ are never among them.</summary>
public readonly ref struct TopLogits
{
    /// <summary>How many may be wanted of a row.</summary>
    public const int CountMax = 64;

    public TopLogits(ReadOnlySpan<int> ids, ReadOnlySpan<float> logits, float largest, double sumExp)
    {
        Ids = ids;
        Logits = logits;
        Largest = largest;
        SumExp = sumExp;
    }

    /// <summary>[count] token ids; fewer than were wanted where the row has no more.</summary>
    public ReadOnlySpan<int> Ids { get; }

    /// <summary>[count] their logits.</summary>
    public ReadOnlySpan<float> Logits { get; }

    /// <summary>The row's largest logit; −∞ where it has none.</summary>
    public float Largest { get; }

    /// <summary>Σ exp(logit − Largest) over the whole row, to a relative 1e-5.</summary>
    public double SumExp { get; }

    /// <summary>log Σ exp(logit): what a logit is short of its log-probability.</summary>
    public double LogSumExp => Largest + Math.Log(SumExp);
}

using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>What a check found.</summary>
public enum ModelVerdict
{
    Ok,

    /// <summary>The model works, but something deserves a look.</summary>
    Warning,

    /// <summary>The model cannot be served, or answers wrongly.</summary>
    Failed,

    /// <summary>Not applicable, or an earlier check failed.</summary>
    Skipped,
}

/// <summary>A line of <c>model verify</c>.</summary>
/// <param name="Check">Name of the check: a few words.</param>
/// <param name="Detail">One sentence or a few numbers.</param>
public readonly record struct ModelVerifierRow(string Check, ModelVerdict Verdict, string Detail);

/// <summary>What the verifier cannot do by itself.</summary>
public sealed record ModelVerifierHooks
{
    /// <summary>Makes the executor of the short run; null: that check is skipped.</summary>
    public Func<TransformerProgram, StepLimits, IExecutor>? Executor { get; init; }

    /// <summary>Parses the chat templates of the file or directory given: what was found, or a <see cref="ModelFormatException"/>; null: that check is skipped.</summary>
    public Func<string, string>? Templates { get; init; }
}

namespace AiFabrik.Engine.Models;

/// <summary>What loading (or making) a model is busy with.</summary>
public enum ModelLoadStage
{
    /// <summary>Reading the files' structure and bringing tensors into the layout that the executors use; in layers.</summary>
    Reading,

    /// <summary>Quantising matrices; in bytes of the source.</summary>
    Quantizing,

    /// <summary>Making up a model with random weights; in bytes.</summary>
    Synthesizing,

    /// <summary>Comparing the files with SHA256SUMS; in bytes.</summary>
    Verifying,
}

/// <summary>How far a stage of loading is.</summary>
public readonly record struct ModelLoadProgress(ModelLoadStage Stage, long Done, long Total);

/// <summary>Passes the share of whatever stage reports on, 0 to 1.</summary>
public sealed class StageShare(IProgress<double> progress) : IProgress<ModelLoadProgress>
{
    public void Report(ModelLoadProgress value) => progress.Report(value.Total > 0 ? (double)value.Done / value.Total : 1);
}

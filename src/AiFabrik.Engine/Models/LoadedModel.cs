using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Text;

namespace AiFabrik.Engine.Models;

/// <summary>A model that is ready to be executed. Disposing it unmaps the weights, so the executors go first.</summary>
public sealed class LoadedModel : IDisposable
{
    internal LoadedModel(string id, ModelFiles files, TransformerProgram program, Tokenizer tokenizer)
    {
        Tokenizer = tokenizer;
        EosIds = files.EosIds.Count == 0 && tokenizer.EosId is { } eos ? [eos] : files.EosIds;
        Id = id;
        Files = files;
        Program = program;
    }

    /// <summary>The model's name in the API: its file's or directory's.</summary>
    public string Id { get; }

    /// <summary>Where the model was read from: GGUF metadata, or the directory with tokenizer and templates.</summary>
    public ModelFiles Files { get; }

    public ModelConfig Config => Files.Config;
    public ModelWeights Weights => Files.Weights;
    public TransformerProgram Program { get; }

    public Tokenizer Tokenizer { get; }

    /// <summary>Tokens that end an answer.</summary>
    public IReadOnlyList<int> EosIds { get; }

    /// <summary>Tokens that a sequence may have.</summary>
    public int ContextLen => Config.ContextLen;

    /// <summary>The sampling that the model's authors recommend.</summary>
    public SamplingDefaults Sampling => Files.Sampling;

    public void Dispose() => Files.Dispose();
}

#pragma warning disable CA1822 // Skeleton: the members get their state with the implementation.
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// Serves many requests with one model. One thread owns the executor: schedule, run, sample, emit. Everything is allocated at start.
/// All members may be called from any thread.
/// </summary>
public sealed class InferenceEngine : IDisposable
{
    /// <param name="program">The model.</param>
    /// <param name="executor">Made with <see cref="EngineOptions.Limits"/> for the same program. Not disposed of by the engine.</param>
    /// <param name="createDecoder">Called at start, once for each sequence that may exist.</param>
    /// <param name="eosTokenIds">Tokens that end an answer (config.json, GGUF); may be none.</param>
    /// <param name="options">With <see cref="EngineOptions.Derive"/> done for the program.</param>
    /// <exception cref="ArgumentException">The options contradict themselves, the program or the executor's limits.</exception>
    public InferenceEngine(TransformerProgram program, IExecutor executor, Func<ITokenDecoder> createDecoder, ReadOnlySpan<int> eosTokenIds, EngineOptions options)
    {
        ContextLen = options.ContextLen;
    }

    /// <summary>Tokens of a sequence, prompt and answer together.</summary>
    public int ContextLen { get; }

    public EngineStatistics Statistics => default;

    /// <summary>Takes a request or refuses it at once. The generation belongs to the caller, who disposes of it.</summary>
    public SubmitStatus TrySubmit(in GenerationRequest request, out Generation? generation)
    {
        generation = null;
        return SubmitStatus.Failed;
    }

    /// <summary>Stops accepting; what was accepted is finished. Completes when nothing is left (or the engine failed). Idempotent.</summary>
    public Task DrainAsync() => Task.CompletedTask;

    /// <summary>Cancels what is left, joins the thread and zeroes all content.</summary>
    public void Dispose() { }
}

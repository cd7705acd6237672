using System.Security.Cryptography;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Sampling;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// Serves many requests with one model. One thread owns the executor: schedule, run, sample, emit. Everything is allocated at start.
/// All members may be called from any thread.
/// </summary>
public sealed class InferenceEngine : IDisposable
{
    private const int MinRingEvents = 4;

    private readonly EngineOptions _options;
    private readonly IExecutor _executor;
    private readonly GenerationPool _pool;
    private readonly SubmissionQueue _submissions;
    private readonly StepLoop _loop;
    private readonly BlockManager _blocks;
    private readonly AutoResetEvent _wake = new(false);
    private readonly Action _wakeEngine;
    private readonly Thread _thread;
    private readonly int _vocabSize;
    private long _accepted, _refused;
    private volatile bool _stopping;

    /// <param name="program">The model.</param>
    /// <param name="executor">Made with <see cref="EngineOptions.Limits"/> for the same program. Not disposed of by the engine, and not to be called by others until the engine is.</param>
    /// <param name="createDecoder">Called at start, once for each sequence that may exist.</param>
    /// <param name="eosTokenIds">Tokens that end an answer (config.json, GGUF); may be none.</param>
    /// <param name="options">With <see cref="EngineOptions.Derive"/> done for the program.</param>
    /// <exception cref="ArgumentException">The options contradict themselves, the program or the executor's limits.</exception>
    public InferenceEngine(TransformerProgram program, IExecutor executor, Func<ITokenDecoder> createDecoder, ReadOnlySpan<int> eosTokenIds, EngineOptions options)
    {
        (_options, _executor, _vocabSize) = (options, executor, program.VocabSize);
        ContextLen = CheckedContextLen(program, executor.Limits, options, eosTokenIds);
        _blocks = new BlockManager(executor);
        SequenceLimits? limits = null;
        _pool = new GenerationPool(options.MaxUnfinishedSequences + options.MaxUndrainedSequences, createDecoder, decoder => new Sequence(limits ??= new SequenceLimits(
            ContextLen, program.KvGroups.Count, executor.Limits.MaxBlocksPerSequence, options.RingEvents, options.MaxTopLogprobs,
            options.MaxStopStrings, options.MaxStopBytes, decoder.MaxBytes), decoder), options);
        _submissions = new SubmissionQueue(options.MaxUnfinishedSequences);
        _loop = new StepLoop(executor, _submissions, new Scheduler(program, executor.Limits, options, _blocks, ContextLen),
            new Emitter(executor, program.VocabSize, eosTokenIds, ContextLen, limits!), program.KvGroups.Count, options.MaxUnfinishedSequences);
        _wakeEngine = () => _wake.Set();
        _thread = new Thread(Loop) { IsBackground = true, Name = "engine" };
        _thread.Start();
    }

    /// <summary>Tokens of a sequence, prompt and answer together.</summary>
    public int ContextLen { get; }

    /// <summary>What stopped the engine, in <see cref="EngineState.Failed"/>.</summary>
    public Exception? Failure { get; private set; }

    public EngineStatistics Statistics => new()
    {
        State = _submissions.State,
        RunningSequences = _loop.Scheduler.Running.Count,
        WaitingSequences = _loop.Scheduler.Waiting.Count,
        PausedSequences = _loop.Scheduler.Paused,
        KvBlocksUsed = _blocks.Used,
        KvBlocksTotal = _blocks.Total,
        SequencesInMemory = _pool.InUse,
        Steps = _loop.Steps,
        TokensPrefilled = _loop.TokensPrefilled,
        TokensDecoded = _loop.TokensDecoded,
        Preemptions = _loop.Scheduler.Preemptions,
        RequestsAccepted = Interlocked.Read(ref _accepted),
        RequestsRefused = Interlocked.Read(ref _refused),
        RequestsFinished = _loop.RequestsFinished,
    };

    /// <summary>Takes a request or refuses it at once. The generation belongs to the caller, who disposes of it.</summary>
    public SubmitStatus TrySubmit(in GenerationRequest request, out Generation? generation)
    {
        var status = Submit(request, out generation);
        Interlocked.Increment(ref status == SubmitStatus.Ok ? ref _accepted : ref _refused);
        return status;
    }

    /// <summary>Stops accepting; what was accepted is finished. Completes when nothing is left (or the engine failed). Idempotent.</summary>
    public Task DrainAsync()
    {
        _submissions.Close(EngineState.Draining);
        return _submissions.Empty;
    }

    /// <summary>Cancels what is left, joins the thread and zeroes all content but what readers still hold.</summary>
    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        _submissions.Close(EngineState.Disposed);
        _wake.Set();
        _thread.Join();
        _loop.Dispose();
        _pool.Dispose();
    }

    private SubmitStatus Submit(in GenerationRequest request, out Generation? generation)
    {
        generation = null;
        if (request.Prompt.Length >= ContextLen) return SubmitStatus.PromptTooLong;
        if (!FitsLimits(request)) return SubmitStatus.NeverFits;
        var status = _submissions.TryEnter(request.N);
        if (status != SubmitStatus.Ok) return status;
        var choices = new Sequence[request.N];
        if (!_pool.TryTake(choices, out var memory))
        {
            _submissions.Leave(request.N);
            return SubmitStatus.QueueFull;
        }

        memory.Load(request, BitConverter.ToUInt64(RandomSeed(stackalloc byte[sizeof(ulong)])));
        foreach (var choice in choices)
        {
            request.Prompt.CopyTo(choice.Tokens);
            choice.Length = choice.PromptLength = request.Prompt.Length;
        }
        var created = new Generation(_pool, choices, memory, request.Prompt.Length, _wakeEngine);
        status = _submissions.Add(created);
        if (status != SubmitStatus.Ok)
        {
            _submissions.Leave(request.N);
            _pool.Return(choices, memory);
            return status;
        }
        _wake.Set();
        generation = created;
        return SubmitStatus.Ok;
    }

    private static Span<byte> RandomSeed(Span<byte> bytes)
    {
        RandomNumberGenerator.Fill(bytes);
        return bytes;
    }

    private bool FitsLimits(in GenerationRequest request)
    {
        if (request.N < 1 || request.N > _options.MaxChoices || request.N > _options.MaxUnfinishedSequences) return false;
        if (request.Prompt.Length == 0 || request.MaxTokens < 1 || request.MinTokens < 0 || request.MinTokens > request.MaxTokens) return false;
        if (request.LogitBias.Length > _options.MaxLogitBias || request.StopTokenIds.Length > _options.MaxStopTokenIds) return false;
        if (request.StopStrings.Length > _options.MaxStopStrings || request.TopLogprobs < 0 || request.TopLogprobs > _options.MaxTopLogprobs) return false;
        if (!IsInVocabulary(request.Prompt) || !IsInVocabulary(request.StopTokenIds) || !IsValid(request.Sampling)) return false;
        foreach (var (token, bias) in request.LogitBias)
            if ((uint)token >= (uint)_vocabSize || !float.IsFinite(bias)) return false;
        var stopBytes = 0L;
        foreach (var range in request.StopStrings)
        {
            var start = range.Start.GetOffset(request.StopBytes.Length);
            var end = range.End.GetOffset(request.StopBytes.Length);
            if (start < 0 || end > request.StopBytes.Length || start >= end) return false;
            stopBytes += end - start;
        }
        return stopBytes <= _options.MaxStopBytes;
    }

    private static bool IsValid(in SamplingParameters sampling) =>
        float.IsFinite(sampling.Temperature) && sampling.Temperature >= 0 && !float.IsNaN(sampling.TopP) && !float.IsNaN(sampling.MinP) &&
        !float.IsNaN(sampling.TypicalP) && float.IsFinite(sampling.RepetitionPenalty) && sampling.RepetitionPenalty > 0 &&
        float.IsFinite(sampling.PresencePenalty) && float.IsFinite(sampling.FrequencyPenalty);

    private bool IsInVocabulary(ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens)
            if ((uint)token >= (uint)_vocabSize) return false;
        return true;
    }

    private void Loop()
    {
        try
        {
            while (!_stopping)
                if (!_loop.RunStep()) _wake.WaitOne();
            _loop.EndAll(FinishReason.Cancelled);
        }
#pragma warning disable CA1031 // Whatever it is, nobody may be left waiting.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failure = e;
            _submissions.Close(EngineState.Failed);
            _blocks.ExecutorFailed = _loop.ExecutorFailed = true;
            _loop.EndAll(FinishReason.Error);
        }
    }

    /// <summary>The context that options, program, block tables and blocks allow.</summary>
    private static int CheckedContextLen(TransformerProgram program, StepLimits limits, EngineOptions options, ReadOnlySpan<int> eosTokenIds)
    {
        var groups = program.KvGroups.Count;
        if (limits.BlocksPerGroup.Length != groups)
            throw new ArgumentException($"The executor has blocks for {limits.BlocksPerGroup.Length} KV groups, the program has {groups}; make it with EngineOptions.Derive(program, ...).Limits.");
        if (options.MaxSequences < 1 || options.MaxQueuedSequences < 0 || options.MaxUndrainedSequences < 0 || options.MaxPrefillTokensWhileDecoding < 1 || options.MaxChoices < 1)
            throw new ArgumentException("MaxSequences, MaxPrefillTokensWhileDecoding and MaxChoices must be at least 1, MaxQueuedSequences and MaxUndrainedSequences at least 0.");
        if (limits.MaxTokens < options.MaxSequences || limits.MaxSequences < options.MaxSequences || limits.MaxLogitRows < options.MaxSequences)
            throw new ArgumentException("MaxTokensPerStep must be at least MaxSequences: each sequence decodes a token in a step.");
        if (options.RingEvents < MinRingEvents) throw new ArgumentException($"RingEvents must be at least {MinRingEvents}.");
        foreach (var eos in eosTokenIds)
            if ((uint)eos >= (uint)program.VocabSize) throw new ArgumentException("An eos token is not in the vocabulary.");

        var context = Math.Min(program.ContextLen, limits.MaxBlocksPerSequence * limits.BlockSize);
        if (options.ContextLen > 0) context = Math.Min(context, options.ContextLen);
        for (var g = 0; g < groups; g++)
        {
            if (program.KvGroups[g].Window == 0) context = Math.Min(context, limits.BlocksPerGroup[g] * limits.BlockSize);
            else if (limits.BlocksPerGroup[g] < KvBudget.BlocksPerSequence(program.KvGroups[g].Window, context, limits.MaxTokens, limits.BlockSize))
                throw new ArgumentException($"KV group {g} has too few blocks for its window and one step's tokens.");
        }
        return context < 2 ? throw new ArgumentException("There is no room for a prompt and a token in the KV cache.") : context;
    }
}

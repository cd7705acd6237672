using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// One step after the other: schedule, run, sample, emit. Belongs to the engine's thread; allocates nothing once it is made.
/// </summary>
internal sealed class StepLoop : IDisposable
{
    private readonly IExecutor _executor;
    private readonly SubmissionQueue _submissions;
    private readonly StepBatch _batch;
    private readonly Emitter _emitter;
    private readonly Generation[] _taken;
    private readonly SequenceList _ended;
    private long _tickets;

    public StepLoop(IExecutor executor, SubmissionQueue submissions, Scheduler scheduler, Emitter emitter, int kvGroups, int maxUnfinished)
    {
        (_executor, _submissions, Scheduler, _emitter) = (executor, submissions, scheduler, emitter);
        _batch = new StepBatch(executor.Limits, kvGroups);
        _taken = new Generation[maxUnfinished];
        _ended = new SequenceList(maxUnfinished);
    }

    public Scheduler Scheduler { get; }
    /// <summary>The executor may throw whatever it likes; what it holds is cleared if it can.</summary>
    public bool ExecutorFailed { get; set; }

    public long Steps { get; private set; }
    public long TokensPrefilled { get; private set; }
    public long TokensDecoded { get; private set; }
    public long RequestsFinished { get; private set; }

    /// <summary>One step. False: there was nothing to compute.</summary>
    public bool RunStep()
    {
        TakeSubmissions();
        EndCancelled();
        if (!Scheduler.Schedule(_batch)) return false;
        foreach (var sequence in Scheduler.Step.AsSpan()) TokensPrefilled += sequence.Scheduled > 1 || sequence.CompletionTokens == 0 ? sequence.Scheduled : 0;
        _executor.Run(_batch);
        Steps++;

        foreach (var sequence in Scheduler.Step.AsSpan())
        {
            sequence.Computed += sequence.Scheduled;
            if (sequence.LogitRow < 0) continue;
            var finish = _emitter.Emit(sequence);
            TokensDecoded++;
            _emitter.Want(sequence);
            QueueOtherChoices(sequence);
            if (finish != FinishReason.None) End(sequence);
        }
        Zero();
        foreach (var sequence in Scheduler.Step.AsSpan())
        {
            if (sequence.IsFinished || !sequence.Events.HasUnpublished) continue;
            sequence.Events.Publish();
            sequence.Generation.Signal();
        }
        PublishEnds();
        return true;
    }

    /// <summary>Ends every sequence that there is.</summary>
    public void EndAll(FinishReason reason)
    {
        foreach (var generation in _taken) // left there if the engine failed while it took them
            if (generation is not null) EndGeneration(generation, reason);
        var count = _submissions.TakeAll(_taken);
        foreach (var generation in _taken.AsSpan(0, count)) EndGeneration(generation, reason);
        while (Scheduler.Running.Count > 0) EndGeneration(Scheduler.Running[0].Generation, reason);
        while (Scheduler.Waiting.Count > 0) EndGeneration(Scheduler.Waiting[0].Generation, reason);
        _taken.AsSpan().Clear();
        Zero();
        PublishEnds();
    }

    private void TakeSubmissions()
    {
        var count = _submissions.TakeAll(_taken);
        for (var i = 0; i < count; i++)
        {
            foreach (var choice in _taken[i].Choices)
            {
                choice.Ticket = ++_tickets;
                _emitter.Want(choice);
            }
            Scheduler.Waiting.Insert(_taken[i].Choices[0]);
            _taken[i] = null!;
        }
    }

    /// <summary>The other choices begin once the first has the prompt in the cache, so that it is computed once.</summary>
    private void QueueOtherChoices(Sequence first)
    {
        var generation = first.Generation;
        if (generation.Forked) return;
        generation.Forked = true;
        foreach (var choice in generation.Choices)
            if (choice != first) Scheduler.Waiting.Insert(choice);
    }

    private void EndCancelled()
    {
        for (var i = Scheduler.Running.Count - 1; i >= 0; i = Math.Min(i, Scheduler.Running.Count) - 1)
            if (Scheduler.Running[i].Generation.IsCancelled) EndGeneration(Scheduler.Running[i].Generation, FinishReason.Cancelled);
        for (var i = Scheduler.Waiting.Count - 1; i >= 0; i = Math.Min(i, Scheduler.Waiting.Count) - 1)
            if (Scheduler.Waiting[i].Generation.IsCancelled) EndGeneration(Scheduler.Waiting[i].Generation, FinishReason.Cancelled);
        if (_ended.Count == 0) return;
        Zero();
        PublishEnds();
    }

    private void EndGeneration(Generation generation, FinishReason reason)
    {
        foreach (var choice in generation.Choices)
        {
            if (choice.IsFinished) continue;
            choice.Events.Write(-1, 0, 0, [], reason);
            End(choice);
        }
    }

    private void End(Sequence sequence)
    {
        sequence.IsFinished = true;
        Scheduler.Remove(sequence);
        _ended.Insert(sequence);
    }

    /// <summary>A request has ended: nothing of it stays in activations, logits, the batch or scratch. Before its reader learns of it.</summary>
    private void Zero()
    {
        if (_ended.Count == 0) return;
        _batch.Clear();
        _emitter.Clear();
        try
        {
            _executor.ClearActivations();
        }
#pragma warning disable CA1031 // After a failure this is the last attempt; every sequence has still to end.
        catch (Exception) when (ExecutorFailed)
#pragma warning restore CA1031
        {
        }
    }

    private void PublishEnds()
    {
        foreach (var sequence in _ended.AsSpan())
        {
            var generation = sequence.Generation;
            var isLast = generation.CountEnd();
            if (isLast) RequestsFinished++;
            _submissions.Leave(1);
            sequence.Events.Publish();
            generation.Signal();
            if (isLast) generation.Release();
        }
        _ended.Clear();
    }

    public void Dispose()
    {
        _batch.Clear();
        _emitter.Dispose();
    }
}
